/**
 * Questions of administrators that a client answers: GET_CONSUMER_RUNNING_INFO 307 and CONSUME_MESSAGE_DIRECTLY 309 are
 * passed on to one consumer, and its answer back; INVOKE_BROKER_TO_GET_CONSUMER_STATUS 223 asks the members of a group
 * where they are (221). Follows AdminBrokerProcessor and Broker2Client of RocketMQ 4.9.7. A client that does not answer
 * costs who asked its time, and nobody else.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import {
  CLIENT_QUESTIONS_MAX,
  CLIENT_QUESTIONS_OF_ONE_MAX,
  GROUP_STATUS_BYTES_MAX,
  MEMBER_STATUS_BYTES_MAX,
  MEMBERS_ASKED_AT_ONCE,
  PASSED_ON_BYTES_MAX,
  PASSED_ON_FIELDS_LENGTH_MAX,
  TABLE_ANSWER_BYTES_MAX,
} from "../limits.ts";
import {
  ConsumeMessageDirectly,
  GetConsumerRunningInfo,
  GetConsumerStatusFromClient,
  InvokeBrokerToGetConsumerStatus,
} from "../protocol/admin_requests.ts";
import { consumerStatusPieces, decodeClientStatus, type QueueOffsets } from "../protocol/bodies/reset_offset.ts";
import { MQVersion, ResponseCode } from "../protocol/codes.ts";
import { FieldTable, maybe } from "../protocol/fields.ts";
import { parseMessageId } from "../protocol/message_id.ts";
import type { RequestInput, RequestType } from "../protocol/request.ts";
import type { Received } from "../remoting/connection.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import type { Member, MemberConnection } from "./memberships.ts";
import { encodeInTurns } from "./slices.ts";

const log = getLogger(["rocketd", "broker"]);

/** What these questions need of the broker. */
export interface QuestionsContext extends Pick<BrokerContext, "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerName">;
  readonly consumers: Pick<BrokerContext["consumers"], "find">;
  readonly store: Pick<BrokerContext["store"], "fetchRecord">;
}

/**
 * How long clients may take, ms: `callClient` 4.9.7 for what is passed on; to say where they are, each and all members of a
 * group together, less than RocketMQ's tools wait for all (5 s, which its brokers give each of them).
 */
export interface QuestionTimes {
  readonly passedOn: number;
  readonly status: number;
  readonly group: number;
}

const TIMES: QuestionTimes = { passedOn: 10_000, status: 3_000, group: 4_500 };

/** What signs a request: it is the administrator's, and no consumer's business. */
const SIGNATURE_FIELDS: ReadonlySet<string> = new Set(["AccessKey", "Signature", "SecurityToken"]);

const { SUCCESS, SYSTEM_ERROR, SYSTEM_BUSY, CONSUME_MSG_TIMEOUT } = ResponseCode;

type Status = Incoming<typeof InvokeBrokerToGetConsumerStatus>;
type PassedOn = { readonly consumerGroup: string; readonly clientId?: string | undefined };

/** Adds the handlers of questions. */
export function questionHandlers(table: HandlerTable, broker: QuestionsContext, times: QuestionTimes = TIMES): void {
  const questions = new ClientQuestions(broker, times);
  table.on(GetConsumerRunningInfo, (request) => questions.passOn(request.type, request.header, request.extFields()));
  table.on(ConsumeMessageDirectly, (request) => questions.consumeDirectly(request));
  table.on(InvokeBrokerToGetConsumerStatus, (request) => questions.status(request));
}

class ClientQuestions {
  readonly #broker: QuestionsContext;
  readonly #times: QuestionTimes;
  readonly #openOf = new Map<MemberConnection, number>();
  #open = 0;

  constructor(broker: QuestionsContext, times: QuestionTimes) {
    this.#broker = broker;
    this.#times = times;
  }

  /** Hands a stored message to a consumer, which consumes it at once. */
  async consumeDirectly(request: Incoming<typeof ConsumeMessageDirectly>): Promise<Answer> {
    const { type, header } = request;
    const { msgId } = header;
    if (msgId === undefined) return refusal("the field msgId is missing: which message?");
    const fields = request.extFields().set("brokerName", this.#broker.settings.brokerName);
    const found = this.#broker.store.fetchRecord(parseMessageId(msgId).logOffset);
    const record = found instanceof Promise ? await found : found;
    if (record === undefined) return refusal(`can not find message by the id ${msgId}`);
    // A client ends its connection over a frame that is too long.
    if (record.length > PASSED_ON_BYTES_MAX) {
      return refusal(
        `the message has ${record.length} bytes in the log, allowed for a client are ${PASSED_ON_BYTES_MAX}`,
      );
    }
    return await this.passOn(type, header, fields, record);
  }

  /**
   * Asks a consumer what the broker was asked, with the same fields, and gives back what it answers. The question goes
   * out before this returns.
   */
  async passOn(
    type: RequestType,
    { consumerGroup, clientId }: PassedOn,
    fields: ReadonlyMap<string, string>,
    body?: Uint8Array,
  ): Promise<Answer> {
    const found = this.#find(consumerGroup, clientId);
    if (found === undefined) return refusal(`The Consumer <${consumerGroup}> <${clientId}> not online`);
    const [connection, { version }] = found;
    if (version < MQVersion.V3_1_8_SNAPSHOT) {
      const remark = `The Consumer <${clientId}> Version <${version}> too low to finish, please upgrade it`;
      return refusal(`${remark} to V3_1_8_SNAPSHOT`);
    }
    const about = `consumer <${consumerGroup}> <${clientId}>`;
    const passed = passedOn(type, fields);
    if (typeof passed === "string") return refusal(passed);
    const busy = this.#busy(connection);
    if (busy !== undefined) return { code: SYSTEM_BUSY, remark: `${about}: ${busy}` };
    try {
      const { code, remark, body: answer } = await this.#ask(
        connection,
        passed,
        Object.fromEntries(fields),
        body,
        this.#times.passedOn,
      );
      return { code, remark, body: answer };
    } catch (error) {
      const isLate = error instanceof RocketdError && error.code === "timeout";
      if (isLate) return { code: CONSUME_MSG_TIMEOUT, remark: `${about} Timeout: ${messageOf(error)}` };
      return refusal(`invoke ${about} Exception: ${messageOf(error)}`);
    }
  }

  /** A member by its client id: the newest, if several say that they are it. */
  #find(group: string, clientId: string | undefined): [MemberConnection, Member] | undefined {
    const members = [...this.#broker.consumers.find(group)?.members ?? []];
    return members.findLast(([, member]) => member.clientId === clientId);
  }

  /** Why a client cannot be asked now; undefined when it can. */
  #busy(connection: MemberConnection): string | undefined {
    // What it does not read would end its connection in the end.
    if (connection.congested) return "it does not read what it is sent";
    if ((this.#openOf.get(connection) ?? 0) >= CLIENT_QUESTIONS_OF_ONE_MAX) {
      return `${CLIENT_QUESTIONS_OF_ONE_MAX} questions wait for its answer`;
    }
    return this.#open < CLIENT_QUESTIONS_MAX ? undefined : `${CLIENT_QUESTIONS_MAX} questions wait for answers`;
  }

  async #ask<R extends RequestType>(
    connection: MemberConnection,
    type: R,
    header: RequestInput<R>,
    body: Uint8Array | undefined,
    ms: number,
  ): Promise<Received<R>> {
    this.#open++;
    this.#openOf.set(connection, (this.#openOf.get(connection) ?? 0) + 1);
    try {
      return await connection.request(type, header, body && [body], ms);
    } finally {
      this.#open--;
      const open = this.#openOf.get(connection)! - 1;
      if (open > 0) this.#openOf.set(connection, open);
      else this.#openOf.delete(connection);
    }
  }

  /** Where the members of a group are, or one of them: those that say nothing are left out, as in RocketMQ. */
  async status({ header: { topic, group, clientAddr } }: Status): Promise<Answer> {
    const members = this.#broker.consumers.find(group)?.members;
    if (members === undefined) return refusal(`No Any Consumer online in the consumer group: [${group}]`);
    const isAll = clientAddr === undefined || clientAddr.trim() === "";
    const asked = [...members].filter(([, { clientId }]) => isAll || clientId === clientAddr);
    const old = asked.find(([, { version }]) => version < MQVersion.V3_0_7_SNAPSHOT);
    if (old !== undefined) return refusal(`the client does not support this feature. version=${old[1].version}`);
    const { clock } = this.#broker;
    const end = clock.now() + this.#times.group;
    const statuses = new Map<string, QueueOffsets>();
    let bytes = 0, silent = 0;
    const turn = asked.values();
    const askInTurn = async () => {
      for (const [connection, { clientId }] of turn) {
        const ms = Math.min(this.#times.status, end - clock.now());
        const room = Math.min(MEMBER_STATUS_BYTES_MAX, GROUP_STATUS_BYTES_MAX - bytes);
        const body = ms > 0 && room > 0 ? await this.#statusOf(connection, { topic, group }, ms) : undefined;
        const offsets = body === undefined || body.length > room ? undefined : readStatus(body, clientId);
        if (offsets === undefined) silent++;
        else statuses.set(clientId, offsets);
        bytes += offsets === undefined ? 0 : body!.length;
      }
    };
    await Promise.all(Array.from({ length: MEMBERS_ASKED_AT_ONCE }, askInTurn));
    const remark = silent === 0 ? undefined : `${silent} of ${asked.length} consumers did not say where they are`;
    const body = await encodeInTurns(consumerStatusPieces(statuses), clock, TABLE_ANSWER_BYTES_MAX);
    return { code: SUCCESS, remark, body };
  }

  async #statusOf(
    connection: MemberConnection,
    header: { topic: string; group: string },
    ms: number,
  ): Promise<Uint8Array | undefined> {
    if (this.#busy(connection) !== undefined) return undefined;
    try {
      const { code, body } = await this.#ask(connection, GetConsumerStatusFromClient, header, undefined, ms);
      return code === SUCCESS ? body : undefined;
    } catch (error) {
      log.debug("a consumer does not say where it is: {reason}", { reason: messageOf(error) });
      return undefined;
    }
  }
}

function readStatus(body: Uint8Array, clientId: string): QueueOffsets | undefined {
  try {
    return decodeClientStatus(body);
  } catch (error) {
    log.warn("The consumer {clientId} says where it is in no way that can be read: {reason}", {
      clientId,
      reason: messageOf(error),
    });
    return undefined;
  }
}

/**
 * The request with every field that came, also those that no declaration names, but for the signature; a text says why
 * it cannot be passed on.
 */
function passedOn(type: RequestType, fields: ReadonlyMap<string, string>): RequestType | string {
  let length = 0;
  for (const [name, value] of fields) length += name.length + value.length;
  if (length > PASSED_ON_FIELDS_LENGTH_MAX) {
    return `the fields have ${length} characters, allowed for a client are ${PASSED_ON_FIELDS_LENGTH_MAX}`;
  }
  const names = [...fields.keys()].filter((name) => !SIGNATURE_FIELDS.has(name));
  return { ...type, request: new FieldTable(Object.fromEntries(names.map((name) => [name, maybe.str]))) };
}

function refusal(remark: string): Answer {
  return { code: SYSTEM_ERROR, remark };
}
