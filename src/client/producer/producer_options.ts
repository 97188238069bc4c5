/**
 * What a producer can be told when it is made.
 *
 * @module
 */
import type { ConnectOptions } from "../connect_options.ts";
import type { SendHook } from "../hooks.ts";

/**
 * What a producer needs to know; defaults are those of Java's.
 *
 * @example
 * ```ts
 * import { Producer, type ProducerOptions, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const options: ProducerOptions = {
 *   nameservers: cluster.nameservers, // "10.0.0.1:9876;10.0.0.2:9876"
 *   group: "shop",
 *   retryAnotherBrokerWhenNotStoreOK: true,
 *   sendLatencyFaultEnable: true,
 * };
 * await using producer = new Producer(options);
 * assertEquals((await producer.send({ topic: "orders", body: "one pizza" })).status, "SEND_OK");
 * ```
 */
export interface ProducerOptions extends ConnectOptions {
  /** Name of the producer group. */
  readonly group?: string;
  /** What this client calls itself; made of address and process id by default. */
  readonly clientId?: string;
  /** How often brokers are told that this producer is there, ms (`heartbeatBrokerInterval`). */
  readonly heartbeatBrokerIntervalMs?: number;
  /** Time for one send with all its attempts, ms (`sendMsgTimeout`). */
  readonly timeoutMs?: number;
  /** Further attempts after the first one failed, on another broker if there is one (`retryTimesWhenSendFailed`). */
  readonly retries?: number;
  /** Codes of RocketMQ's after which another attempt is made. */
  readonly retryResponseCodes?: readonly number[];
  /** Whether another broker is tried when one stored a message without waiting for its disk or slave. */
  readonly retryAnotherBrokerWhenNotStoreOK?: boolean;
  /** Whether brokers that were slow or failed are passed over for a while. */
  readonly sendLatencyFaultEnable?: boolean;
  /** Sends that may be under way at the same time, up to 65,535; more are refused as `unavailable`. */
  readonly backPressureForAsyncSendNum?: number;
  /** Bodies above this many bytes are folded (zlib; `compressMsgBodyOverHowmuch`). */
  readonly foldAbove?: number;
  /** Bodies above this many bytes are refused. */
  readonly maxMessageSize?: number;
  /** Who looks on. */
  readonly hooks?: readonly SendHook[];
  /** Whether traces of all messages are sent, which Java's console shows. */
  readonly enableMsgTrace?: boolean;
  /** The topic of the traces: RMQ_SYS_TRACE_TOPIC by default. */
  readonly customizedTraceTopic?: string;
}
