/**
 * What can be measured, and what comes of it.
 *
 * @module
 */
import type { HeaderEncoding } from "../../protocol/codes.ts";
import type { ClientSecurity } from "../../remoting/client.ts";
import type { Latencies } from "./histogram.ts";

/** Single messages, batches, pulls, and messages on their whole way from a producer to a consumer. */
export const LOAD_KINDS = ["send", "batch", "pull", "e2e"] as const;
/** One of {@linkcode LOAD_KINDS}. */
export type LoadKind = typeof LOAD_KINDS[number];

/** What to do, and how much of it at once. `tls`: plain without it. */
export interface LoadOptions extends ClientSecurity {
  readonly kind: LoadKind;
  /** One broker, `host:port`, or nameservers, `host:port` joined by `;`, which know all that have the topic. */
  readonly target: { readonly broker: string } | { readonly nameservers: string };
  readonly topic: string;
  /** The group as which to send and pull. */
  readonly group: string;
  /** At least one for each broker. */
  readonly connections: number;
  /** Requests in flight on each connection; pulls that brokers hold do not count. */
  readonly inFlight: number;
  readonly encoding: HeaderEncoding;
  /** Queues to use; all that the topic has without it. */
  readonly queues?: number | undefined;
  /** The run ends after so many seconds or messages, whichever comes first. */
  readonly seconds?: number | undefined;
  readonly messages?: number | undefined;
  /** Messages a second; 0: as fast as answers come. */
  readonly rate: number;
  readonly bodyBytes: number;
  /** Messages in one batch. */
  readonly batchSize: number;
  /** The property WAIT: whether the broker answers only when a message is on disk or on slaves as its settings say. */
  readonly waitStored: boolean;
  /** The property DELAY; 0 for none. */
  readonly delayLevel: number;
  /** Where pulls begin. `last`: only new messages, which brokers hold pulls for. */
  readonly from: "first" | "last" | number;
  /** Messages that one pull asks for. */
  readonly pullMax: number;
  /** How long to wait, s, for messages that are on their way when sending has ended. */
  readonly drainSeconds: number;
  /** How long to wait for the answers to what is asked before, and for the last answers, ms. */
  readonly timeoutMs: number;
}

/** What came of it. */
export interface LoadResult {
  readonly kind: LoadKind;
  readonly target: string;
  readonly topic: string;
  readonly group: string;
  readonly connections: number;
  readonly queues: number;
  readonly inFlight: number;
  readonly encoding: keyof typeof HeaderEncoding;
  /** Of those who send: messages a second that were asked for, and their bodies. */
  readonly rate?: number;
  readonly bodyBytes?: number;
  readonly batchSize?: number;
  /** Of those who pull. */
  readonly pullMax?: number;
  /** Requests that were answered. */
  readonly answered: number;
  /** Answers that are not what was asked for, by code. */
  readonly failed: Readonly<Record<number, number>>;
  /** Requests that no answer came to. */
  readonly unanswered: number;
  /** Requests that were due and could not be sent, since too many were in flight. */
  readonly behind: number;
  readonly connectionsLost: number;
  /** Messages that were stored (send, batch), read (pull) or arrived (e2e), and their bytes: bodies, records for pulls. */
  readonly messages: number;
  readonly bytes: number;
  /** From the first request to the last answer or arrival. */
  readonly seconds: number;
  /** Messages a second, and MiB of `bytes`. */
  readonly perSecond: number;
  readonly mibPerSecond: number;
  /**
   * Of requests, from their write (with a rate: from when they were due) to the read of their answer; of messages on
   * their whole way (e2e) from when they were due to the read of the pull's answer. With a rate, requests that were never
   * sent or answered are in it with the time that they had waited in the end.
   */
  readonly latencyMs: Latencies;
  /** What e2e tells besides: the latency of the sends, messages that were acknowledged and did not come, or came twice. */
  readonly sendLatencyMs?: Latencies;
  readonly lost?: number;
  readonly doubled?: number;
  /** CPU seconds that measuring itself took: well below `seconds`, or it was the limit. */
  readonly clientCpuSeconds: number;
  /** What went wrong, in words: the first remark for each code, the first broken connection. */
  readonly problems: readonly string[];
}
