/**
 * Messages that are delivered only if their sender's own work succeeds: a half message first, then that work, then its
 * end; and where the end never came, the broker asks.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../../errors.ts";
import { TRANSACTION_CHECKS_MAX } from "../../limits.ts";
import { SysFlag } from "../../protocol/codes.ts";
import { parseMessageId } from "../../protocol/message_id.ts";
import { decodeRecord } from "../../protocol/message_record.ts";
import { PropertyName } from "../../protocol/properties.ts";
import type { RequestHeader } from "../../protocol/request.ts";
import { CheckTransactionState, EndTransaction } from "../../protocol/requests.ts";
import type { Connection } from "../../remoting/connection.ts";
import { type OutgoingMessage, ReceivedMessage } from "../message.ts";
import { Producer } from "./producer.ts";
import { TEMPLATE_TOPIC } from "../routes.ts";
import type { SendOptions } from "./selecting.ts";
import type { ProducerOptions } from "./producer_options.ts";
import type { SendResult } from "./send_results.ts";

const log = getLogger(["rocketd", "client"]);

/**
 * How a transaction stands (`LocalTransactionState`): the message is delivered, or it is dropped, or nobody knows yet and
 * the broker asks later.
 *
 * @example
 * ```ts
 * import type { TransactionState } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const stateOf = (row: { paid: boolean } | undefined): TransactionState =>
 *   row === undefined ? "unknown" : row.paid ? "commit" : "rollback";
 * assertEquals([stateOf(undefined), stateOf({ paid: true })], ["unknown", "commit"]);
 * ```
 */
export type TransactionState = "commit" | "rollback" | "unknown";

const ENDS: Readonly<Record<TransactionState, number>> = {
  commit: SysFlag.TRANSACTION_COMMIT,
  rollback: SysFlag.TRANSACTION_ROLLBACK,
  unknown: 0,
};

/**
 * What a producer of transactional messages needs to know beside {@linkcode ProducerOptions}.
 *
 * @example
 * ```ts
 * import { startLocalCluster, TransactionProducer, type TransactionProducerOptions } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const paid = new Set<string>();
 * const options: TransactionProducerOptions = {
 *   nameservers: cluster.nameservers,
 *   group: "till",
 *   checkLocalTransaction: (message) => paid.has(message.text()) ? "commit" : "unknown",
 * };
 * await using producer = new TransactionProducer(options);
 * const { state } = await producer.sendInTransaction({ topic: "payments", body: "4711" }, ({ status }) => {
 *   assertEquals(status, "SEND_OK");
 *   paid.add("4711");
 *   return "commit";
 * });
 * assertEquals(state, "commit");
 * ```
 */
export interface TransactionProducerOptions extends ProducerOptions {
  /** Any producer of the group may be asked about any transaction of it. */
  readonly group: string;
  /** Answers a broker that asks how a transaction ended. What it throws counts as `unknown`: the broker asks again. */
  readonly checkLocalTransaction: (message: ReceivedMessage) => TransactionState | Promise<TransactionState>;
}

/**
 * What became of a transaction.
 *
 * @example
 * ```ts
 * import { startLocalCluster, TransactionProducer, type TransactionSendResult } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new TransactionProducer({ nameservers, group: "till", checkLocalTransaction: () => "unknown" });
 * const result: TransactionSendResult = await producer.sendInTransaction({ topic: "payments", body: "4711" }, () => {
 *   throw new Error("the database is away");
 * });
 * assertEquals([result.status, result.state, String(result.failure)], ["SEND_OK", "unknown", "Error: the database is away"]);
 * ```
 */
export interface TransactionSendResult extends SendResult {
  /** What the broker was told. */
  readonly state: TransactionState;
  /** What the local transaction threw; `state` is `unknown` then. */
  readonly failure?: unknown;
}

/**
 * A producer of transactional messages, and of all others (`TransactionMQProducer`). Brokers before 4.3 never ask.
 *
 * @example
 * ```ts
 * import { LitePullConsumer, startLocalCluster, TransactionProducer } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new TransactionProducer({ nameservers, group: "till", checkLocalTransaction: () => "unknown" });
 * await producer.sendInTransaction({ topic: "payments", body: "paid" }, () => Promise.resolve("commit"));
 * await producer.sendInTransaction({ topic: "payments", body: "no money" }, () => "rollback");
 *
 * const subscriptions = { payments: "*" };
 * await using consumer = new LitePullConsumer({ nameservers, group: "books", subscriptions, from: "first" });
 * for await (const message of consumer) {
 *   assertEquals(message.text(), "paid");
 *   break;
 * }
 * ```
 */
export class TransactionProducer extends Producer {
  readonly #group: string;
  readonly #check: TransactionProducerOptions["checkLocalTransaction"];
  #checks = 0;

  /** Connects when it first sends, or with {@linkcode TransactionProducer.start}. */
  constructor({ checkLocalTransaction, ...options }: TransactionProducerOptions) {
    super(options);
    this.#group = options.group;
    this.#check = checkLocalTransaction;
    this.sender.handlers.on(CheckTransactionState, ({ header, body, connection }) => {
      const message = new ReceivedMessage(decodeRecord(body.slice()), this.sender.brokerNameOf(connection.peer));
      this.#asked(message, header, connection);
      return undefined;
    });
  }

  /**
   * Lets brokers know of this producer before it sends, so that they can ask it about transactions that others of its
   * group left open: the brokers of these topics, and those that make new topics. Rejects when none can be told.
   *
   * @example
   * ```ts
   * import { startLocalCluster, TransactionProducer } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new TransactionProducer({ nameservers, group: "till", checkLocalTransaction: () => "commit" });
   * assertEquals(await producer.start(), undefined);
   * ```
   */
  async start(topics: readonly string[] = []): Promise<void> {
    const ends = await Promise.allSettled([TEMPLATE_TOPIC, ...topics].map((topic) => this.sender.introduce(topic)));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure !== undefined && !ends.some((end) => end.status === "fulfilled")) throw failure.reason;
  }

  /**
   * Sends a half message, runs the local transaction, and tells the broker how that ended. Rejects as `send` does when
   * the half message cannot be stored: the local transaction has not run then. It does not run either, and the message is
   * rolled back, when disk or slave were not waited for; see `status`. What it throws leaves the transaction open.
   *
   * @example
   * ```ts
   * import { startLocalCluster, TransactionProducer } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new TransactionProducer({ nameservers, group: "till", checkLocalTransaction: () => "unknown" });
   * const account = { balance: 10 };
   * const { state } = await producer.sendInTransaction({ topic: "payments", body: "7 of 10" }, () => {
   *   if (account.balance < 7) return "rollback";
   *   account.balance -= 7;
   *   return "commit";
   * });
   * assertEquals([state, account.balance], ["commit", 3]);
   * ```
   */
  async sendInTransaction(
    message: OutgoingMessage,
    executeLocalTransaction: (sent: SendResult) => TransactionState | Promise<TransactionState>,
    options: SendOptions = {},
  ): Promise<TransactionSendResult> {
    const level = message.delayLevel || message.properties?.[PropertyName.DELAY];
    if (level) {
      const text = `Cannot send to ${message.topic}: a message in a transaction cannot be delayed`;
      throw new RocketdError("invalidArgument", text, { field: "delayLevel", value: level });
    }
    const own = { [PropertyName.TRAN_MSG]: "true", [PropertyName.PGROUP]: this.#group };
    const half = { ...message, properties: { ...message.properties, ...own } };
    const stored = await this.sender.send(this.parcel(half), { ...options, introduce: true });
    const sent = { ...stored, transactionId: stored.transactionId ?? stored.uniqueKey };
    let state: TransactionState = "rollback", failure: unknown;
    if (sent.status === "SEND_OK") {
      try {
        state = stateOf(await executeLocalTransaction(sent));
      } catch (error) {
        state = "unknown";
        failure = error;
      }
    }
    await this.#end(message, sent, state);
    return { ...sent, state, ...(failure === undefined ? {} : { failure }) };
  }

  /** One-way, as Java does it: when it is lost, the broker asks. */
  async #end(
    { tag, keys = [] }: OutgoingMessage,
    sent: SendResult & { readonly transactionId: string },
    state: TransactionState,
  ): Promise<void> {
    const { queue, uniqueKey, queueOffset, offsetMessageId, transactionId } = sent;
    try {
      const route = await this.sender.routes.findOrBorrow(queue.topic);
      const address = route.master(queue.brokerName);
      if (address === undefined) throw new Error(`no master of ${queue.brokerName} is there`);
      const { topic } = queue;
      const end = { group: this.#group, topic, tag, keys, uniqueKey, transactionId, brokerAddress: address, state };
      this.sender.hooks.transactionEnded({ ...end, fromCheck: false });
      await this.sender.client.notify(address, EndTransaction, {
        producerGroup: this.#group,
        tranStateTableOffset: queueOffset,
        commitLogOffset: parseMessageId(offsetMessageId).logOffset,
        commitOrRollback: ENDS[state],
        fromTransactionCheck: false,
        msgId: uniqueKey,
        transactionId,
      });
    } catch (error) {
      log.warn("cannot end transaction {id}, its broker will ask: {reason}", {
        id: uniqueKey,
        reason: messageOf(error),
      });
    }
  }

  #asked(message: ReceivedMessage, header: RequestHeader<typeof CheckTransactionState>, from: Connection): void {
    if (message.properties.get(PropertyName.PGROUP) !== this.#group) return;
    if (this.#checks >= TRANSACTION_CHECKS_MAX) {
      return log.warn("not answering a question about a transaction: {count} others are open", { count: this.#checks });
    }
    this.#checks++;
    void this.#answer(message, header, from).finally(() => this.#checks--);
  }

  /** Never rejects. */
  async #answer(message: ReceivedMessage, header: RequestHeader<typeof CheckTransactionState>, from: Connection) {
    const id = message.uniqueKey ?? header.msgId ?? message.offsetMessageId;
    let state: TransactionState = "unknown";
    try {
      state = stateOf(await this.#check(message));
    } catch (error) {
      log.warn("the check of transaction {id} failed: {reason}", { id, reason: messageOf(error) });
    }
    const { tranStateTableOffset, commitLogOffset, transactionId = id } = header;
    this.sender.hooks.transactionEnded({
      group: this.#group,
      topic: message.topic,
      tag: message.tag,
      keys: message.keys,
      uniqueKey: id,
      transactionId,
      brokerAddress: from.peer,
      state,
      fromCheck: true,
    });
    from.notify(EndTransaction, {
      producerGroup: this.#group,
      tranStateTableOffset,
      commitLogOffset,
      commitOrRollback: ENDS[state],
      fromTransactionCheck: true,
      msgId: id,
      transactionId,
    });
  }
}

/** What a program gave, if it is a state at all. */
function stateOf(given: unknown): TransactionState {
  if (typeof given === "string" && Object.hasOwn(ENDS, given)) return given as TransactionState;
  throw new RocketdError("invalidArgument", `Cannot end a transaction with ${String(given)}`, {
    value: given,
    allowed: Object.keys(ENDS).join(", "),
  });
}
