/**
 * /metrics: all families of a node as one text, made in slices so that nobody waits, and with an end however many topics
 * and groups there are. Those who ask while a text is in the making share it.
 *
 * @module
 */
import { HTTP_MS_PER_TURN, METRICS_CHARACTERS_MAX } from "../../limits.ts";
import { type Clock, pause, systemClock } from "../../platform/clock.ts";
import type { NodeView } from "../node_view.ts";
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

const encoder = new TextEncoder();

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
  readonly #clock: Pick<Clock, "after">;
  readonly #elapsed: () => number;
  #running: Promise<Uint8Array[]> | undefined;

  /** @param elapsed ms since some moment, whatever the clock is set to */
  constructor(node: NodeView, clock: Pick<Clock, "after"> = systemClock, elapsed = () => performance.now()) {
    this.#node = node;
    this.#clock = clock;
    this.#elapsed = elapsed;
  }

  /** The text as it is now, or as it is being made, in UTF-8, in pieces. */
  text(): Promise<Uint8Array[]> {
    return this.#running ??= this.#make().finally(() => this.#running = undefined);
  }

  async #make(): Promise<Uint8Array[]> {
    const slices: Uint8Array[] = [];
    let slice = "", characters = 0, complete = true;
    let began = this.#elapsed();
    for (const line of allLines(this.#node)) {
      characters += line.length;
      if (characters > METRICS_CHARACTERS_MAX) {
        complete = false;
        break;
      }
      slice += line;
      if (this.#elapsed() - began < HTTP_MS_PER_TURN) continue;
      slices.push(encoder.encode(slice));
      slice = "";
      await pause(this.#clock);
      began = this.#elapsed();
    }
    const end = [...linesOf(COMPLETE, complete)].join("");
    return [...slices, encoder.encode(slice + end)];
  }
}
