/**
 * What consumers' options may be: Java's ranges where it has them (`checkConfig` of DefaultMQPushConsumerImpl 4.9.7).
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { checkGroup } from "../../protocol/names.ts";
import { TIMER_MS_MAX } from "../../remoting/deadlines.ts";
import type { LitePullConsumerOptions } from "./lite_pull_options.ts";
import { badOption, checkWhole } from "../option_checks.ts";
import type { PushConsumerOptions } from "./push_options.ts";

const INT_MAX = 0x7fff_ffff;
/** The group of programs that gave none, which Java refuses too. */
const DEFAULT_GROUP = "DEFAULT_CONSUMER";

/** Least and greatest value of options that are whole numbers, those of all kinds of consumers. */
const RANGES = {
  concurrency: [1, 1_000],
  consumeMessageBatchMaxSize: [1, 1_024],
  pullBatchSize: [1, 1_024],
  pullThresholdForQueue: [1, 65_535],
  pullThresholdSizeForQueue: [1, 1_024],
  pullThresholdForTopic: [-1, 6_553_500],
  pullThresholdSizeForTopic: [-1, 102_400],
  pullThresholdForAll: [1, INT_MAX],
  consumeConcurrentlyMaxSpan: [1, 65_535],
  maxReconsumeTimes: [-1, INT_MAX],
  suspendCurrentQueueTimeMs: [0, TIMER_MS_MAX],
  lockIntervalMs: [1, TIMER_MS_MAX],
  consumeTimeoutMs: [1, TIMER_MS_MAX],
  persistConsumerOffsetIntervalMs: [1, TIMER_MS_MAX],
  autoCommitIntervalMs: [1, TIMER_MS_MAX],
  awaitTerminationMs: [0, TIMER_MS_MAX],
  heartbeatBrokerIntervalMs: [1, TIMER_MS_MAX],
  rebalanceIntervalMs: [1, TIMER_MS_MAX],
} satisfies Partial<
  Record<keyof PushConsumerOptions | keyof LitePullConsumerOptions, readonly [min: number, max: number]>
>;

/** Throws `invalidArgument` when an option cannot be what it is. */
export function checkConsumerOptions(options: { readonly group: string; readonly [name: string]: unknown }): void {
  const { group } = options;
  const problem = group === DEFAULT_GROUP ? `the group ${group} is for nobody` : checkGroup(group);
  if (problem !== undefined) {
    throw new RocketdError("invalidArgument", `Cannot consume: ${problem}`, { field: "group", value: group });
  }
  for (const [field, [min, max]] of Object.entries(RANGES)) {
    const value = options[field];
    if (value !== undefined) checkWhole(field, value, min, max);
  }
  const { from } = options;
  if (from === undefined || from === "first" || from === "last") return;
  if (!(from instanceof Date && from.getTime() >= 0)) throw badOption("from", from, "first, last or a date since 1970");
}

/** Options without those that are undefined: these count as not given. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
