/**
 * Serving consumers: PULL_MESSAGE 11 with long polling and filtering on the broker, as PullMessageProcessor 4.9.7
 * (and 5.x's LITE_PULL_MESSAGE 361, which asks the same).
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { HELD_PULL_MS_MAX, PULL_MESSAGES_MAX } from "../limits.ts";
import type { SubscriptionGroupConfig } from "../protocol/bodies/subscription_group.ts";
import { Permission, PullFlag, ResponseCode } from "../protocol/codes.ts";
import type { RequestHeader } from "../protocol/request.ts";
import { LitePullMessage, PullMessage } from "../protocol/requests.ts";
import { STOPPING } from "../remoting/connection.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { GetResult, MessageFilter, ReadResult } from "../store/types.ts";
import type { BrokerContext } from "./context.ts";
import { pullFilter, type PullFilterContext } from "./filters.ts";
import { type HeldPull, HeldPulls, NOT_HELD } from "./held_pulls.ts";
import { offsetMoved } from "./offset_moved.ts";
import { pullAnswer } from "./pull_answer.ts";

type Pull = typeof PullMessage;
type PullHeader = RequestHeader<Pull>;

/** How long a held pull whose queue grew by unwanted messages only waits before its consumer may move on, ms. */
const FILTERED_WAIT_MS = 5_000;

type Settings = BrokerContext["settings"];

/** What serving pulls needs of the broker. */
export interface PullingContext
  extends
    Omit<PullFilterContext, "settings">,
    Pick<BrokerContext, "store" | "storeHost" | "intake" | "topics" | "groups" | "offsets" | "stats" | "clock"> {
  readonly settings:
    & PullFilterContext["settings"]
    & Pick<Settings, "brokerPermission" | "brokerIP1" | "longPollingEnable" | "shortPollingTimeMills">
    & Pick<Settings, "brokerRole" | "brokerName" | "slaveReadEnable" | "offsetCheckInSlave">;
}

/** What a pull is served with. */
interface Admitted {
  readonly group: SubscriptionGroupConfig;
  readonly filter: MessageFilter | undefined;
}

/** Serves pulls and holds those that found nothing. */
export class Pulling {
  readonly held: HeldPulls;
  readonly #broker: PullingContext;
  #stopping = false;

  constructor(broker: PullingContext) {
    this.#broker = broker;
    this.held = new HeldPulls(broker.clock);
    broker.store.onArrival((topic, queueId) => this.held.arrived(topic, queueId));
  }

  /** Refuses the pulls that wait: told of nothing new, their clients would ask again at once, and of a closed door. */
  close(): void {
    this.#stopping = true;
    this.held.close();
  }

  /** Adds the handlers of pulls. */
  handlers(table: HandlerTable): void {
    table.on(PullMessage, (request) => this.#pull(request));
    table.on(LitePullMessage, (request) => this.#pull(request));
  }

  #pull(request: Incoming<Pull>): Answer<Pull> | undefined {
    const { header } = request;
    const admitted = this.#admit(header);
    if ("code" in admitted) return admitted;
    if (header.maxMsgNums < 0) {
      const remark = `the field maxMsgNums is ${header.maxMsgNums}, allowed is 0 and above`;
      return { code: ResponseCode.SYSTEM_ERROR, remark };
    }
    const { offsets, settings } = this.#broker;
    if ((header.sysFlag & PullFlag.COMMIT_OFFSET) !== 0 && settings.brokerRole !== "SLAVE") {
      offsets.commit(header.consumerGroup, header.topic, header.queueId, header.commitOffset);
    }
    this.#serve(request, admitted, true);
    return undefined;
  }

  /** The checks of a pull, in RocketMQ's order: what to read with, or the answer that refuses. */
  #admit(header: PullHeader): Admitted | Answer<Pull> {
    const { settings, groups, topics } = this.#broker;
    const { consumerGroup, topic, queueId } = header;
    if (this.#stopping) return { code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: STOPPING };
    if ((settings.brokerPermission & Permission.READ) === 0) {
      const remark = `the broker[${settings.brokerIP1}] pulling message is forbidden: its brokerPermission is ` +
        settings.brokerPermission;
      return { code: ResponseCode.NO_PERMISSION, remark };
    }
    const group = groups.find(consumerGroup);
    if (group === undefined) {
      const remark = `subscription group [${consumerGroup}] does not exist`;
      return { code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark };
    }
    if (!group.consumeEnable) {
      const remark = `subscription group no permission, ${consumerGroup}: its consumeEnable is false`;
      return { code: ResponseCode.NO_PERMISSION, remark };
    }
    const config = topics.get(topic);
    if (config === undefined) {
      return { code: ResponseCode.TOPIC_NOT_EXIST, remark: `topic[${topic}] not exist, apply first please!` };
    }
    if ((config.perm & Permission.READ) === 0) {
      const remark = `the topic[${topic}] pulling message is forbidden: its perm is ${config.perm}, reading needs ` +
        Permission.READ;
      return { code: ResponseCode.NO_PERMISSION, remark };
    }
    if (queueId < 0 || queueId >= config.readQueueNums) {
      const remark =
        `queueId[${queueId}] is illegal, topic:[${topic}] topicConfig.readQueueNums:[${config.readQueueNums}]`;
      return { code: ResponseCode.SYSTEM_ERROR, remark };
    }
    const filtered = pullFilter(this.#broker, header, group.consumeBroadcastEnable);
    return "code" in filtered ? filtered : { ...filtered, group };
  }

  #serve(request: Incoming<Pull>, admitted: Admitted, first: boolean): void {
    const { connection, header } = request;
    if (connection.isClosed) return request.hold();
    if (connection.congested) return connection.whenDrained(() => this.#serve(request, admitted, first));
    const failed = (error: unknown) => this.#fail(request, error);
    try {
      const began = this.#broker.clock.now();
      const most = Math.min(header.maxMsgNums, PULL_MESSAGES_MAX);
      const { topic, queueId, queueOffset } = header;
      const later = this.#broker.store.reader.read(topic, queueId, queueOffset, most, admitted.filter, (result) => {
        // Others may have filled the connection while the disk was read: then it waits again, and reads again.
        if (connection.congested) this.#serve(request, admitted, first);
        else this.#give(request, admitted, result, first, began);
      });
      later?.catch(failed);
    } catch (error) {
      // Also called from timers and wake-ups, where nobody else would catch it.
      failed(error);
    }
  }

  #fail(request: Incoming<Pull>, error: unknown): void {
    request.answer({ code: ResponseCode.SYSTEM_ERROR, remark: `cannot read the store: ${messageOf(error)}` });
  }

  /** @param began when the store was asked, ms */
  #give(request: Incoming<Pull>, admitted: Admitted, result: ReadResult, first: boolean, began: number): void {
    const { header } = request;
    this.#count(header, result, began);
    const answer = pullAnswer(header.queueOffset, result, admitted.group, this.#broker);
    if (answer.code === ResponseCode.PULL_OFFSET_MOVED) offsetMoved(this.#broker, header, result.nextBeginOffset);
    // Behind a gap in the queue's files there may be messages already: no reason to wait, for whom the answer sends there.
    const movesOn = result.status === "OFFSET_FOUND_NULL" && answer.header?.nextBeginOffset !== header.queueOffset;
    const mayWait = first && answer.code === ResponseCode.PULL_NOT_FOUND && !movesOn &&
      (header.sysFlag & PullFlag.SUSPEND) !== 0;
    if (mayWait && this.#hold(request, admitted.filter)) return;
    request.answer(answer);
  }

  #count({ consumerGroup, topic, queueId }: PullHeader, { count, bytes }: ReadResult, began: number): void {
    const { stats, clock } = this.#broker;
    const ms = Math.max(0, clock.now() - began);
    stats.throughput.read(count, ms);
    if (count > 0) stats.pulled(consumerGroup, topic, queueId, count, bytes, ms);
  }

  #hold(request: Incoming<Pull>, filter: MessageFilter | undefined): boolean {
    const { clock, settings } = this.#broker;
    const { topic, queueId, queueOffset, suspendTimeoutMillis } = request.header;
    const { connection } = request;
    const wait = settings.longPollingEnable
      ? Math.min(Math.max(suspendTimeoutMillis, 0), HELD_PULL_MS_MAX)
      : settings.shortPollingTimeMills;
    let scanned = queueOffset;
    const pull: HeldPull = {
      topic,
      queueId,
      connection,
      deadline: clock.now() + wait,
      tick: NOT_HELD,
      arrived: () => {
        if (connection.congested) return this.#serveAgain(request);
        const found = this.#peek(topic, queueId, scanned, filter);
        if (found?.status === "OFFSET_OVERFLOW_ONE" || found?.status === "NO_MESSAGE_IN_QUEUE") return false;
        // What came may be more than one read looks through.
        const done = found?.status === "NO_MATCHED_MESSAGE" && found.nextBeginOffset >= found.maxOffset;
        if (!done) return this.#serveAgain(request);
        scanned = found.nextBeginOffset;
        pull.deadline = Math.min(pull.deadline, clock.now() + FILTERED_WAIT_MS);
        return false;
      },
      expired: () => void this.#serveAgain(request),
    };
    if (!this.held.hold(pull)) return false;
    request.hold();
    return true;
  }

  /** What one more message at an offset would be; undefined when that cannot be told from memory. */
  #peek(topic: string, queueId: number, offset: number, filter: MessageFilter | undefined): GetResult | undefined {
    try {
      const found = this.#broker.store.get(topic, queueId, offset, 1, filter);
      if (!(found instanceof Promise)) return found;
      found.catch(() => {}); // The read that answers the pull tells.
    } catch {
      // Likewise.
    }
    return undefined;
  }

  /** Answers a pull that was held. As it came long ago, all is checked again: topic, group, subscription. */
  #serveAgain(request: Incoming<Pull>): true {
    if (request.connection.isClosed) return true;
    try {
      const admitted = this.#admit(request.header);
      if ("code" in admitted) request.answer(admitted);
      else this.#serve(request, admitted, false);
    } catch (error) {
      this.#fail(request, error);
    }
    return true;
  }
}
