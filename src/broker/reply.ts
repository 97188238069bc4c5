/**
 * Request and reply: SEND_REPLY_MESSAGE 324 and 325 bring a reply, PUSH_REPLY_MESSAGE_TO_CLIENT 326 hands it on to the
 * producer that waits for it. Follows ReplyMessageProcessor of RocketMQ 4.9.7; other than there, the reply is stored
 * while the client is asked, not after that, and with its compression flag; one whose properties no record can have is
 * refused before the client is asked.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { ResponseCode, SysFlag } from "../protocol/codes.ts";
import { formatMessageId } from "../protocol/message_id.ts";
import { propertiesProblem, PropertyName, propertyOf, withProperty } from "../protocol/properties.ts";
import { PushReplyMessageToClient, SendReplyMessage, SendReplyMessageV2 } from "../protocol/requests.ts";
import type { Received } from "../remoting/connection.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { NewMessage, PutResult } from "../store/types.ts";
import type { BrokerContext } from "./context.ts";
import { Sending } from "./sending.ts";

const log = getLogger(["rocketd", "broker"]);

// A byte order mark at the front is part of the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Reply = typeof SendReplyMessage;

/** How long a client may take to answer, ms (`Broker2Client.callClient`). */
const PUSH_TIMEOUT_MS = 10_000;

/** Adds the handlers of replies; `timeoutMs` is how long a client may take to answer. */
export function replyHandlers(table: HandlerTable, broker: BrokerContext, timeoutMs = PUSH_TIMEOUT_MS): void {
  const replies = new Replies(broker, timeoutMs);
  table.on(SendReplyMessage, (request) => replies.reply(request));
  table.on(SendReplyMessageV2, (request) => replies.reply(request));
}

class Replies {
  readonly #broker: BrokerContext;
  readonly #sending: Sending;
  readonly #timeoutMs: number;
  #underWay = 0;

  constructor(broker: BrokerContext, timeoutMs: number) {
    this.#broker = broker;
    this.#sending = new Sending(broker);
    this.#timeoutMs = timeoutMs;
  }

  reply(request: Incoming<Reply>): Answer<Reply> | undefined {
    const { region } = this.#sending;
    if (this.#underWay >= this.#broker.settings.replyThreadPoolQueueCapacity) {
      const remark = "[OVERLOAD]system busy, start flow control for a while";
      return { code: ResponseCode.SYSTEM_BUSY, remark, header: region };
    }
    const message = this.#sending.prepare(request);
    if ("code" in message) return message;
    const tooLong = propertiesProblem(message.properties);
    if (tooLong !== undefined) return { code: ResponseCode.MESSAGE_ILLEGAL, remark: tooLong, header: region };
    this.#answerLater(request, message.queueId, this.#push(request), this.#store(message));
    // Body and header are on their way: a client that takes its time must not keep them.
    request.hold();
    return undefined;
  }

  /**
   * Answers once the client did, which may take seconds. The body is a view of a read buffer, which may be great: nobody
   * who waits may hold it, so those who do are functions of their own, which never saw it.
   */
  async #answerLater(
    request: Incoming<Reply>,
    queueId: number,
    pushed: string | Promise<string | undefined>,
    stored: Promise<PutResult | undefined>,
  ): Promise<void> {
    this.#underWay++;
    try {
      request.answer(this.#answer(queueId, ...await Promise.all([pushed, stored])));
    } catch (error) {
      const { region } = this.#sending;
      request.answer({ code: ResponseCode.SYSTEM_ERROR, remark: messageOf(error), header: region });
    } finally {
      this.#underWay--;
    }
  }

  /** Hands a reply to the client that waits for it; gives the reason if that fails. */
  #push({ header, body, connection }: Incoming<Reply>): string | Promise<string | undefined> {
    const { address, clock, producers } = this.#broker;
    const properties = decoder.decode(header.properties);
    const clientId = propertyOf(properties, PropertyName.REPLY_TO_CLIENT);
    if (clientId === undefined) return `reply message properties[${PropertyName.REPLY_TO_CLIENT}] is null`;
    const client = producers.connectionOf(clientId);
    if (client === undefined) return `push reply message fail, channel of <${clientId}> not found.`;
    if (client.congested) return notPushed(clientId, `${client.peer} does not read what it is sent`);
    const now = clock.now();
    const pushed = {
      ...header,
      properties: withProperty(properties, PropertyName.PUSH_REPLY_TIME, String(now)),
      bornHost: connection.peer,
      storeHost: address,
      storeTimestamp: now,
    };
    return outcome(clientId, client.request(PushReplyMessageToClient, pushed, [body], this.#timeoutMs));
  }

  #store(message: NewMessage): Promise<PutResult | undefined> {
    const { intake, settings } = this.#broker;
    if (!settings.storeReplyMessageEnable) return Promise.resolve(undefined);
    message.sysFlag &= ~SysFlag.TRANSACTION_MASK;
    message.waitForSync = propertyOf(message.properties, PropertyName.WAIT) !== "false";
    return new Promise((resolve) => intake.put(message, resolve));
  }

  /** The code says whether the client has the reply; whether it is stored too, a message id other than "0". */
  #answer(queueId: number, problem: string | undefined, stored: PutResult | undefined): Answer<Reply> {
    const { region } = this.#sending;
    const isStored = stored !== undefined && stored.logOffset >= 0;
    if (stored !== undefined && !isStored) {
      // One line for each reply would be a flood; a store that takes nothing has said so itself.
      log.debug("cannot store a reply: {reason}", { reason: stored.reason ?? stored.status });
    }
    const code = problem === undefined ? ResponseCode.SUCCESS : ResponseCode.SYSTEM_ERROR;
    if (isStored) {
      this.#broker.stats.sent(stored.topic, stored.queueId, 1, stored.size);
      const msgId = formatMessageId(this.#broker.storeHost, stored.logOffset);
      return { code, remark: problem, header: { ...region, msgId, queueId, queueOffset: stored.queueOffset } };
    }
    if (problem !== undefined) return { code, remark: problem, header: region };
    return { code, header: { ...region, msgId: "0", queueId, queueOffset: 0 } };
  }
}

/** Why a push failed; undefined once the client has taken it. */
async function outcome(clientId: string, pushed: Promise<Received>): Promise<string | undefined> {
  try {
    const { code, remark } = await pushed;
    return code === ResponseCode.SUCCESS ? undefined : notPushed(clientId, `it answered ${code} ${remark ?? ""}`);
  } catch (error) {
    return notPushed(clientId, messageOf(error));
  }
}

function notPushed(clientId: string, reason: string): string {
  // Its sender is told; one line for each would be a flood.
  log.debug("cannot hand a reply to {clientId}: {reason}", { clientId, reason });
  return `push reply message to ${clientId} fail. ${reason}`;
}
