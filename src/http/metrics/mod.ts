/**
 * /metrics: all families of a node as one text, made in slices so that nobody waits, and with an end however many topics
 * and groups there are. Those who ask while a text is in the making share it.
 *
 * @module
 */
import { METRICS_CHARACTERS_MAX } from "../../limits.ts";
import type { NodeView } from "../node_view.ts";
import { inSlices, type SliceOptions } from "../slices.ts";
import { BROKER_FAMILIES } from "./broker.ts";
import { type Family, linesOf, single } from "./family.ts";
import { NAMESERVER_FAMILIES, NODE_FAMILIES } from "./node.ts";
import { RUNTIME_FAMILIES } from "./runtime.ts";
import { TOPIC_AND_GROUP_FAMILIES } from "./topics_and_groups.ts";

/** What Prometheus calls the text format. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const COMPLETE: Family<boolean> = single(
  "rocketd_metrics_complete",
  "gauge",
  "0 when there were too many topics and groups for one answer, and some are left out; else 1",
  (complete) => complete ? 1 : 0,
);

/** All families, of whatever they are taken from. */
export const ALL_FAMILIES: readonly Pick<Family<unknown>, "name" | "type" | "help" | "labels">[] = [
  ...NODE_FAMILIES,
  ...NAMESERVER_FAMILIES,
  ...BROKER_FAMILIES,
  ...RUNTIME_FAMILIES,
  ...TOPIC_AND_GROUP_FAMILIES,
  COMPLETE,
];

/** The lines of a node: the few of the whole first, then those of which there may be many. */
function* allLines(node: NodeView): Generator<string> {
  const { nameserver, broker } = node;
  for (const family of NODE_FAMILIES) yield* linesOf(family, node);
  if (nameserver !== undefined) { for (const family of NAMESERVER_FAMILIES) yield* linesOf(family, nameserver); }
  if (broker === undefined) return;
  for (const family of BROKER_FAMILIES) yield* linesOf(family, broker.view);
  const table = { broker: broker.view, table: new Map(broker.view.runtimeInfo()) };
  for (const family of RUNTIME_FAMILIES) yield* linesOf(family, table);
  for (const family of TOPIC_AND_GROUP_FAMILIES) yield* linesOf(family, broker.view);
}

/** Makes the text of a node's metrics. */
export class Metrics {
  readonly #node: NodeView;
  readonly #options: Omit<SliceOptions, "charactersMax">;
  #running: Promise<Uint8Array[]> | undefined;

  constructor(node: NodeView, options: Omit<SliceOptions, "charactersMax"> = {}) {
    this.#node = node;
    this.#options = options;
  }

  /** The text as it is now, or as it is being made, in pieces. */
  text(): Promise<Uint8Array[]> {
    return this.#running ??= this.#make().finally(() => this.#running = undefined);
  }

  async #make(): Promise<Uint8Array[]> {
    const options = { ...this.#options, charactersMax: METRICS_CHARACTERS_MAX };
    const { slices, complete } = await inSlices(allLines(this.#node), options);
    const end = [...linesOf(COMPLETE, complete)].join("");
    return [...slices, new TextEncoder().encode(end)];
  }
}
