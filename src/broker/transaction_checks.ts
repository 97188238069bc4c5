/**
 * Open transactions: in rounds, each half message that is old enough is stored anew and a producer of its group asked
 * how the transaction ended (check-back). Follows TransactionalMessageServiceImpl of RocketMQ 4.9.7, with the same
 * queues and consumer offsets; what has ended is kept in memory as it happens, so that the op queue is read only after a
 * start.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { CHECK_BYTES_PER_TURN, CHECK_READS_PER_TURN, CHECK_STEPS_PER_TURN } from "../limits.ts";
import type { Timer } from "../platform/clock.ts";
import { everyNow } from "../platform/pace.ts";
import { formatMessageId } from "../protocol/message_id.ts";
import { decodeRecord, type MessageRecord } from "../protocol/message_record.ts";
import { SystemTopic } from "../protocol/names.ts";
import { PropertyName, propertyOf, withProperty } from "../protocol/properties.ts";
import { CheckTransactionState } from "../protocol/requests.ts";
import { Grant } from "../remoting/access/permissions.ts";
import type { NewMessage, PutResult } from "../store/types.ts";
import type { BrokerContext } from "./context.ts";
import { checkBody, HALF_QUEUE, halfOffsetOf } from "./half_messages.ts";
import { HalfProgress } from "./half_progress.ts";
import { storedAgain, targetOf } from "./intake.ts";
import type { MemberConnection } from "./memberships.ts";

const log = getLogger(["rocketd", "broker"]);

/** What checks need of the broker. */
export interface CheckContext
  extends Pick<BrokerContext, "store" | "intake" | "topics" | "offsets" | "producers" | "clock" | "storeHost"> {
  readonly settings: Pick<
    BrokerContext["settings"],
    "transactionTimeOut" | "transactionCheckMax" | "transactionCheckInterval" | "fileReservedTime"
  >;
}

const { TRANS_HALF, TRANS_OP_HALF, TRANS_CHECK_MAX_TIME } = SystemTopic;
const { TRANSACTION_CHECK_TIMES, CHECK_IMMUNITY_TIME_IN_SECONDS, TRAN_PREPARED_QUEUE_OFFSET } = PropertyName;
/** RocketMQ: `TransactionalMessageUtil.buildConsumerGroup`. */
const GROUP = "CID_RMQ_SYS_TRANS";
const HOUR_MS = 3_600_000;
/** Between two turns of a round, so that requests get theirs. */
const PAUSE_MS = 1;
/** Pauses that one round spends on producers that do not read. */
const PATIENCE = 1_000;

/** What to do with a half message that nobody has ended. */
type Verdict = "wait" | "ask" | "later" | "discard";

/** The rounds of checks, and what they know. */
export class TransactionChecks {
  readonly #broker: CheckContext;
  #progress: HalfProgress;
  /** The offsets as the offset table last had them: others may set them. */
  #seen = { half: -1, op: -1 };
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closing = false;
  #wake: (() => void) | undefined;
  readonly #turns = new Map<string, Iterator<MemberConnection>>();
  #patience = 0;
  /** What a round counts for the log. */
  #unasked = 0;
  #discarded = 0;

  constructor(broker: CheckContext) {
    this.#broker = broker;
    this.#progress = this.#restored();
  }

  /** Whether a round is going on. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Learns what has ended already; a first round comes after `transactionCheckInterval`. */
  start(): void {
    const { clock, settings } = this.#broker;
    this.#timer ??= everyNow(clock, () => settings.transactionCheckInterval, () => this.#run(() => this.#round()));
    this.#run(() => this.#takeOps());
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    this.#wake?.();
    await this.#running;
  }

  /** Says that an op message was stored at `op`, which ends the half message at `half`. */
  opStored(op: number, half: number): void {
    this.#progress.takeOp(op, half);
  }

  /** Whether nobody has ended a half message yet, which will be asked about. */
  isOpen(half: number): boolean {
    const newest = this.newestOf(half);
    return newest >= this.#progress.half && !this.#progress.isEnded(newest);
  }

  /** The newest copy of a half message. */
  newestOf(half: number): number {
    return this.#progress.newestOf(half);
  }

  #run(work: () => Promise<void>): void {
    if (this.#running !== undefined || this.#closing) return;
    this.#running = work()
      .catch((error) => log.error("Checking transactions failed: {reason}", { reason: messageOf(error) }))
      .finally(() => this.#running = undefined);
  }

  #pause(): Promise<void> {
    if (this.#closing) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#broker.clock.after(PAUSE_MS, resolve);
    });
  }

  /** The progress that the offset table tells, within what the queues have. */
  #restored(): HalfProgress {
    const { store, offsets } = this.#broker;
    this.#seen = {
      half: offsets.get(GROUP, TRANS_HALF, HALF_QUEUE),
      op: offsets.get(GROUP, TRANS_OP_HALF, HALF_QUEUE),
    };
    const within = (topic: string, offset: number) =>
      Math.max(store.minOffset(topic, HALF_QUEUE), Math.min(offset, store.maxOffset(topic, HALF_QUEUE)));
    return new HalfProgress(within(TRANS_HALF, this.#seen.half), within(TRANS_OP_HALF, this.#seen.op));
  }

  async #round(): Promise<void> {
    const { store, offsets, topics, producers } = this.#broker;
    if (store.maxOffset(TRANS_HALF, HALF_QUEUE) === 0) return;
    for (const topic of [TRANS_HALF, TRANS_OP_HALF]) topics.createOnSendBack(topic, 1, false);
    const { half, op } = this.#seen;
    if (offsets.get(GROUP, TRANS_HALF, HALF_QUEUE) !== half || offsets.get(GROUP, TRANS_OP_HALF, HALF_QUEUE) !== op) {
      this.#progress = this.#restored();
    }
    // What is stored from now on, copies among it, is for the next round.
    const end = store.maxOffset(TRANS_HALF, HALF_QUEUE);
    this.#patience = PATIENCE;
    while (!this.#closing && await this.#turn(end)) {
      await this.#commit();
      await this.#pause();
    }
    this.#progress.mark();
    await this.#commit();
    for (const group of this.#turns.keys()) if (producers.find(group) === undefined) this.#turns.delete(group);
    this.#report();
  }

  #report(): void {
    if (this.#unasked > 0) {
      log.warn("{count} open transactions: no producer of their group to ask", { count: this.#unasked });
    }
    if (this.#discarded > 0) {
      const about = { count: this.#discarded, topic: TRANS_CHECK_MAX_TIME };
      log.error("{count} transactions were open for too long: their half messages went to {topic}", about);
    }
    this.#unasked = this.#discarded = 0;
  }

  /** Keeps the progress, once all survives a power loss that it relies on: op messages, and half messages stored anew. */
  async #commit(): Promise<void> {
    const { store, offsets } = this.#broker;
    const { half, safeOp } = this.#progress;
    if (half === this.#seen.half && safeOp === this.#seen.op) return;
    // A store that failed has said so itself; what is left is done again after the next start.
    if (!await store.sync()) return;
    const problem = offsets.commit(GROUP, TRANS_HALF, HALF_QUEUE, half) ??
      offsets.commit(GROUP, TRANS_OP_HALF, HALF_QUEUE, safeOp);
    if (problem !== undefined) log.error("Cannot keep the progress of transactions: {problem}", { problem });
    this.#seen = {
      half: offsets.get(GROUP, TRANS_HALF, HALF_QUEUE),
      op: offsets.get(GROUP, TRANS_OP_HALF, HALF_QUEUE),
    };
  }

  /** Reads the op messages that are not yet known. */
  async #takeOps(): Promise<void> {
    const { store } = this.#broker;
    const progress = this.#progress;
    for (let reads = 1; progress.nextOp < store.maxOffset(TRANS_OP_HALF, HALF_QUEUE) && !this.#closing; reads++) {
      const from = progress.nextOp;
      const got = store.get(TRANS_OP_HALF, HALF_QUEUE, from, CHECK_READS_PER_TURN);
      const { records, nextBeginOffset } = got instanceof Promise ? await got : got;
      const halves = store.maxOffset(TRANS_HALF, HALF_QUEUE);
      for (const bytes of records) {
        const record = readable(bytes);
        const half = record === undefined ? undefined : halfOffsetOf(record);
        const op = record?.queueOffset ?? progress.nextOp;
        const isKnown = half !== undefined && half < halves;
        if (!isKnown) log.error("The op message at {op} names no half message: left out", { op });
        progress.skipOpsTo(op);
        if (!progress.takeOp(op, isKnown ? half : undefined)) return;
      }
      progress.skipOpsTo(nextBeginOffset);
      if (progress.nextOp === from) return;
      if (reads % CHECK_READS_PER_TURN === 0) await this.#pause();
    }
  }

  /** A bounded part of a round; false when the round is over. */
  async #turn(end: number): Promise<boolean> {
    const { store } = this.#broker;
    let reads = 0, bytes = 0;
    for (let steps = 0; steps < CHECK_STEPS_PER_TURN; steps++) {
      const at = this.#progress.half;
      if (at >= end) return false;
      if (this.#progress.isEnded(at)) {
        this.#progress.passTo(at + 1);
        continue;
      }
      if (reads === CHECK_READS_PER_TURN || bytes >= CHECK_BYTES_PER_TURN) return true;
      reads++;
      const got = store.get(TRANS_HALF, HALF_QUEUE, at, 1);
      const found = got instanceof Promise ? await got : got;
      if (found.status !== "FOUND") {
        if (found.nextBeginOffset <= at) return false;
        this.#progress.passTo(found.nextBeginOffset);
        continue;
      }
      bytes += found.records[0]!.length;
      if (!await this.#judge(at, readable(found.records[0]!))) return false;
    }
    return true;
  }

  /** Decides on an open half message; false when it, and with it the round, has to wait. */
  async #judge(at: number, half: MessageRecord | undefined): Promise<boolean> {
    const progress = this.#progress;
    if (half === undefined) {
      log.error("The half message at {at} cannot be read: left out", { at });
      progress.passTo(at + 1);
      return true;
    }
    const verdict = this.#verdict(half);
    if (verdict === "wait") return false;
    await this.#takeOps();
    const producer = verdict === "ask" ? await this.#producerOf(half) : undefined;
    // All this may have taken its time.
    if (this.#closing) return false;
    if (!progress.isEnded(at)) {
      const passed = verdict === "discard" ? await this.#discard(half) : await this.#renew(at, half, verdict, producer);
      if (!passed) return false;
    }
    progress.passTo(at + 1);
    return true;
  }

  #verdict({ properties, bornTimestamp }: MessageRecord): Verdict {
    const { settings, clock } = this.#broker;
    const age = clock.now() - bornTimestamp;
    const kept = settings.fileReservedTime * HOUR_MS;
    const checks = propertyOf(properties, TRANSACTION_CHECK_TIMES);
    if (checks !== undefined && wholeNumber(checks) >= settings.transactionCheckMax) return "discard";
    if (age > kept) return "discard";
    const wished = propertyOf(properties, CHECK_IMMUNITY_TIME_IN_SECONDS);
    if (wished === undefined) return age >= 0 && age < settings.transactionTimeOut ? "wait" : "ask";
    const seconds = wholeNumber(wished);
    const immunity = seconds === -1 ? settings.transactionTimeOut : seconds * 1000;
    // The sender says when it was born: one of the far future would be stored anew for ever.
    return age > -kept && age < immunity ? "later" : "ask";
  }

  /** Stores a half message anew, so that those behind it get their turn, and asks about it if that is the verdict. */
  async #renew(at: number, half: MessageRecord, verdict: Verdict, producer: MemberConnection | undefined) {
    let { properties } = half;
    const first = propertyOf(properties, TRAN_PREPARED_QUEUE_OFFSET);
    if (verdict === "later") {
      if (first === undefined) properties = withProperty(properties, TRAN_PREPARED_QUEUE_OFFSET, String(at));
    } else {
      const checks = propertyOf(properties, TRANSACTION_CHECK_TIMES);
      const count = checks === undefined ? 1 : wholeNumber(checks) + 1;
      properties = withProperty(properties, TRANSACTION_CHECK_TIMES, String(count));
    }
    const result = await this.#put({ ...storedAgain(half), properties, waitForSync: false });
    if (result.status === "MESSAGE_ILLEGAL") return await this.#discard(half);
    if (result.logOffset < 0) return false;
    const { queueOffset } = result;
    this.#progress.renewed(at, queueOffset);
    // After a restart the copy itself says whose it is. Of what Java's broker stored a client may have said so: nothing
    // against what is known.
    const origin = first === undefined ? -1 : wholeNumber(first);
    if (origin >= 0 && origin < at && this.newestOf(origin) === origin) this.#progress.renewed(origin, queueOffset);
    if (verdict === "ask") this.#ask({ ...half, properties }, result, producer);
    return true;
  }

  #ask(half: MessageRecord, place: PutResult, producer: MemberConnection | undefined): void {
    const target = targetOf(half);
    if (producer === undefined || target === undefined) {
      this.#unasked++;
      return;
    }
    const uniqueKey = propertyOf(half.properties, PropertyName.UNIQ_KEY);
    producer.notify(CheckTransactionState, {
      tranStateTableOffset: place.queueOffset,
      commitLogOffset: place.logOffset,
      msgId: uniqueKey,
      transactionId: uniqueKey,
      offsetMsgId: formatMessageId(this.#broker.storeHost, place.logOffset),
    }, [checkBody(half, target, place)]);
  }

  /**
   * The next producer of the half message's group that takes more; undefined when there is none. RocketMQ shows the
   * message to whatever account says that it is of the group; here it must be one that can publish such messages.
   */
  async #producerOf(half: MessageRecord): Promise<MemberConnection | undefined> {
    const group = propertyOf(half.properties, PropertyName.PGROUP);
    const topic = targetOf(half)?.topic;
    if (group === undefined || topic === undefined) return undefined;
    while (!this.#closing) {
      const members = this.#broker.producers.find(group);
      let isSlow = false;
      for (let tries = members?.size ?? 0; tries > 0; tries--) {
        const producer = this.#next(group);
        const member = producer && members?.get(producer);
        if (member === undefined || member.permit?.([topic, Grant.PUB]) !== undefined) continue;
        if (!producer!.congested) return producer;
        isSlow = true;
      }
      if (!isSlow || this.#patience-- <= 0) break;
      await this.#pause();
    }
    return undefined;
  }

  /** The members of a group in turn. */
  #next(group: string): MemberConnection | undefined {
    const next = this.#turns.get(group)?.next();
    if (next !== undefined && !next.done) return next.value;
    const members = this.#broker.producers.find(group);
    if (members === undefined) {
      this.#turns.delete(group);
      return undefined;
    }
    const turn = members.keys();
    this.#turns.set(group, turn);
    return turn.next().value;
  }

  /** Puts a half message aside that was asked about too often, or is too old. */
  async #discard(half: MessageRecord): Promise<boolean> {
    this.#broker.topics.createOnSendBack(TRANS_CHECK_MAX_TIME, 1, false);
    const result = await this.#put({
      ...storedAgain(half),
      topic: TRANS_CHECK_MAX_TIME,
      queueId: 0,
      waitForSync: false,
    });
    if (result.status === "MESSAGE_ILLEGAL") {
      // It will hardly become legal again (maxMessageSize was lowered), and is not to hold up those behind it.
      const id = formatMessageId(half.storeHost, half.physicalOffset);
      log.error("The half message {id} cannot be stored anew: left out, it is asked about no more: {reason}", {
        id,
        reason: result.reason,
      });
      return true;
    }
    if (result.logOffset < 0) return false;
    this.#discarded++;
    return true;
  }

  #put(message: NewMessage): Promise<PutResult> {
    return new Promise((resolve) => this.#broker.intake.deliver(message, resolve));
  }
}

/** A record as a copy that outlives the turn; undefined for bytes that are none. */
function readable(bytes: Uint8Array): MessageRecord | undefined {
  try {
    return decodeRecord(bytes.slice());
  } catch {
    return undefined;
  }
}

/** The number of a property; -1 for a text that is none, as RocketMQ takes it. */
function wholeNumber(text: string): number {
  return /^[-+]?\d{1,15}$/.test(text) ? Number(text) : -1;
}
