/**
 * Flow control: a request that has waited too long for its turn, or that comes while too much is in hand, is refused
 * with SYSTEM_BUSY and the remarks of RocketMQ 4.9.7 (BrokerFastFailure, NettyRemotingAbstract), which its clients know.
 * There the queues of thread pools fill; here requests wait only while the event loop serves those that were read with
 * them, and for the disk.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { REFUSALS_LOGGED_EVERY_MS } from "../limits.ts";
import type { Timer } from "../platform/clock.ts";
import type { RequestType } from "../protocol/request.ts";
import {
  ConsumerSendMsgBack,
  EndTransaction,
  HeartBeat,
  LitePullMessage,
  PullMessage,
  QueryMessage,
  SendBatchMessage,
  SendMessage,
  SendMessageV2,
  ViewMessageById,
} from "../protocol/requests.ts";
import type { FlowLimit, HandlerTable } from "../remoting/handlers.ts";
import { turnNumber } from "../remoting/turn.ts";
import type { BrokerContext } from "./context.ts";

const log = getLogger(["rocketd", "broker"]);

/**
 * What is read so shortly after a write that took long came while the disk hung and nothing could be served, ms:
 * BrokerFastFailure looks that often.
 */
const SLOW_WRITE_ECHO_MS = 10;

/** Settings that flow control obeys. */
type FlowSettings = Pick<
  BrokerSettings,
  | "brokerFastFailureEnable"
  | "waitTimeMillsInSendQueue"
  | "waitTimeMillsInPullQueue"
  | "waitTimeMillsInHeartbeatQueue"
  | "waitTimeMillsInTransactionQueue"
  | "sendThreadPoolQueueCapacity"
  | "queryThreadPoolQueueCapacity"
>;

/** What flow control needs of the broker. */
export interface FlowContext {
  readonly settings: FlowSettings;
  readonly store: Pick<BrokerContext["store"], "slowWrite">;
  readonly clock: BrokerContext["clock"];
}

type KindName = "sends" | "pulls" | "ends of transactions" | "queries" | "heartbeats";

/** One kind of requests: in RocketMQ those of one thread pool. */
interface Kind {
  readonly name: KindName;
  readonly requests: readonly RequestType[];
  /** How long one may wait, ms; without it as long as it must. */
  readonly waitMs?: (settings: FlowSettings) => number;
  /**
   * How many may be in hand, of all connections together. One connection alone is not read from while it has
   * REQUESTS_IN_HAND_MAX in hand, of whatever kind.
   */
  readonly inHandMax?: (settings: FlowSettings) => number;
  /** Whether they write to the store, and so are refused when its disk hangs. */
  readonly writes?: boolean;
}

const KINDS: readonly Kind[] = [
  {
    name: "sends",
    requests: [SendMessage, SendMessageV2, SendBatchMessage, ConsumerSendMsgBack],
    waitMs: (settings) => settings.waitTimeMillsInSendQueue,
    inHandMax: (settings) => settings.sendThreadPoolQueueCapacity,
    writes: true,
  },
  {
    name: "pulls",
    requests: [PullMessage, LitePullMessage],
    waitMs: (settings) => settings.waitTimeMillsInPullQueue,
  },
  {
    name: "ends of transactions",
    requests: [EndTransaction],
    waitMs: (settings) => settings.waitTimeMillsInTransactionQueue,
  },
  {
    name: "queries",
    requests: [QueryMessage, ViewMessageById],
    inHandMax: (settings) => settings.queryThreadPoolQueueCapacity,
  },
  { name: "heartbeats", requests: [HeartBeat], waitMs: (settings) => settings.waitTimeMillsInHeartbeatQueue },
];

/** Limits for the requests of a broker; says in the log, now and then, what it refused. */
export class FlowControl {
  readonly #limits: readonly KindLimit[];
  readonly #clock: FlowContext["clock"];
  #timer: Timer | undefined;

  constructor(broker: FlowContext) {
    this.#limits = KINDS.map((kind) => new KindLimit(kind, broker));
    this.#clock = broker.clock;
  }

  /** Puts the limits on those requests that the table has handlers for. */
  limit(table: HandlerTable): void {
    for (const limit of this.#limits) table.limit(limit, limit.kind.requests);
  }

  /** How many requests of a kind are in hand, unanswered; pulls that are held do not count. */
  inHand(name: KindName): number {
    return this.#limits.find(({ kind }) => kind.name === name)?.inHand ?? 0;
  }

  start(): void {
    this.#timer = this.#clock.every(REFUSALS_LOGGED_EVERY_MS, () => this.#report());
  }

  close(): void {
    this.#timer?.cancel();
    this.#report();
  }

  #report(): void {
    for (const limit of this.#limits) limit.report();
  }
}

class KindLimit implements FlowLimit {
  inHand = 0;
  #turn = 0;
  /** How many were in hand when this turn began: what waits for the disk, not for the end of the turn. */
  #waiting = 0;
  /** When the slow write ended whose echo is over, ms. */
  #slowWriteOver = 0;
  #refused = 0;
  #refusedOneWay = 0;

  constructor(readonly kind: Kind, readonly broker: FlowContext) {}

  refusal(waitedMs: number, oneWay: boolean): string | undefined {
    const remark = this.#why(waitedMs);
    if (remark !== undefined) {
      this.#refused++;
      if (oneWay) this.#refusedOneWay++;
    }
    return remark;
  }

  #why(waitedMs: number): string | undefined {
    const { kind, broker: { settings, store } } = this;
    if (settings.brokerFastFailureEnable) {
      const { tookMs, endedAt } = store.slowWrite;
      if (endedAt !== this.#slowWriteOver && kind.writes === true) {
        const since = this.broker.clock.now() - endedAt;
        // Below 0 the clock was set back, and nobody knows.
        if (since >= 0 && since <= SLOW_WRITE_ECHO_MS) {
          return cleaned("PCBUSY_CLEAN_QUEUE", Math.max(waitedMs, tookMs), this.inHand);
        }
        this.#slowWriteOver = endedAt;
      }
      if (kind.waitMs !== undefined && waitedMs >= kind.waitMs(settings)) {
        return cleaned("TIMEOUT_CLEAN_QUEUE", waitedMs, this.inHand);
      }
    }
    if (kind.inHandMax === undefined) return undefined;
    const turn = turnNumber();
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#waiting = this.inHand;
    }
    if (this.#waiting < kind.inHandMax(settings)) return undefined;
    return "[OVERLOAD]system busy, start flow control for a while";
  }

  report(): void {
    if (this.#refused === 0) return;
    log.warn(
      "refused {count} {kind} with SYSTEM_BUSY, since they waited too long or too many were in hand; " +
        "{oneWay} of them were one-way, so that their senders do not know",
      {
        count: this.#refused,
        kind: this.kind.name,
        oneWay: this.#refusedOneWay,
      },
    );
    this.#refused = this.#refusedOneWay = 0;
  }
}

/** The remark of RocketMQ for a request that is taken out of its queue; ours are queued as far as they are in hand. */
function cleaned(why: string, waitedMs: number, inHand: number): string {
  return `[${why}]broker busy, start flow control for a while, period in queue: ${waitedMs}ms, size of queue: ${inHand}`;
}
