/**
 * What becomes of sends: results, and errors that say where a message did not go.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { ResponseCode, responseCodeName } from "../../protocol/codes.ts";
import type { SendMessageV2 } from "../../protocol/requests.ts";
import type { Received } from "../../remoting/connection.ts";
import type { Parcel } from "./parcel.ts";
import type { MessageQueue } from "../consumer/rebalance.ts";

/**
 * Where a message was stored. All but SEND_OK mean: it is stored, but the broker did not wait for its disk or slave.
 *
 * @example
 * ```ts
 * import { Producer, type SendResult, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const isSafe = ({ status }: SendResult) => status === "SEND_OK";
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers });
 * const result = await producer.send({ topic: "orders", body: "one pizza" });
 * assertEquals([isSafe(result), result.queueOffset, result.queue.topic], [true, 0, "orders"]);
 * ```
 */
export interface SendResult {
  /** How safe it is. */
  readonly status: "SEND_OK" | "FLUSH_DISK_TIMEOUT" | "FLUSH_SLAVE_TIMEOUT" | "SLAVE_NOT_AVAILABLE";
  /** The UNIQ_KEY; of a batch, the first one. */
  readonly uniqueKey: string;
  /** The broker's id of the message; of a batch, all of them joined by commas. */
  readonly offsetMessageId: string;
  /** The queue that it lies in. */
  readonly queue: MessageQueue;
  /** Its place in the queue; of a batch, the first one's. */
  readonly queueOffset: number;
  /** The id of the transaction that a half message began. */
  readonly transactionId?: string | undefined;
  /** The broker's region. */
  readonly regionId?: string | undefined;
  /** Whether the broker wants traces of messages. */
  readonly traceOn?: boolean;
}

/** The codes of answers to stored messages: all but the first say that disk or slave were not waited for. */
const STORED = new Map<number, SendResult["status"]>([
  [ResponseCode.SUCCESS, "SEND_OK"],
  [ResponseCode.FLUSH_DISK_TIMEOUT, "FLUSH_DISK_TIMEOUT"],
  [ResponseCode.FLUSH_SLAVE_TIMEOUT, "FLUSH_SLAVE_TIMEOUT"],
  [ResponseCode.SLAVE_NOT_AVAILABLE, "SLAVE_NOT_AVAILABLE"],
]);

/** What an answer says of a send. Throws `refused` for one that says that nothing was stored. */
export function resultOf(
  answer: Received<typeof SendMessageV2>,
  { topic, uniqueKey }: Parcel,
  queue: MessageQueue,
): SendResult {
  const status = STORED.get(answer.code);
  if (status === undefined) throw refusal(topic, answer);
  const { msgId = "", queueId = queue.queueId, queueOffset = -1, transactionId, MSG_REGION, TRACE_ON } = answer.header;
  return {
    status,
    uniqueKey,
    offsetMessageId: msgId,
    queue: queueId === queue.queueId ? queue : { ...queue, queueId },
    queueOffset,
    transactionId,
    regionId: MSG_REGION,
    traceOn: TRACE_ON !== "false",
  };
}

/** The error of a send whose time is over before it was sent. */
export function late(topic: string, reason: string): RocketdError {
  return new RocketdError("timeout", `Cannot send to ${topic}: ${reason}`);
}

/** The error of the last attempt, with what was tried. */
export function failure(error: unknown, { topic }: Parcel, tried: readonly string[]): unknown {
  if (!(error instanceof RocketdError) || error.code === "aborted") return error;
  const said = `Cannot send to ${topic}: `;
  const reason = error.message.startsWith(said) ? error.message.slice(said.length) : error.message;
  const times = tried.length === 1 ? "" : ` (tried ${tried.length} times: ${tried.join(", ")})`;
  return new RocketdError(error.code, said + reason + times, { ...error.details, cause: error });
}

/** The error of a send that is one more than a producer waits for. */
export function tooMany(topic: string, allowed: number): RocketdError {
  return nowhere(topic, `${allowed} sends are under way (backPressureForAsyncSendNum), wait for some of them first`);
}

/** The error of a send that no broker takes. */
export function nobodyTakes(topic: string): RocketdError {
  return nowhere(topic, "no broker takes writes for it");
}

/** The error of a send that has nowhere to go. */
export function nowhere(topic: string, reason: string): RocketdError {
  return new RocketdError("unavailable", `Cannot send to ${topic}: ${reason}`, { field: "topic", value: topic });
}

function refusal(topic: string, { code, remark }: Received): RocketdError {
  const reason = `${responseCodeName(code)} (${code}) ${remark ?? ""}`.trim();
  return new RocketdError("refused", `Cannot send to ${topic}: ${reason}`, { responseCode: code });
}
