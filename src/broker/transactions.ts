/**
 * Transactions: how they end, END_TRANSACTION 37. A commit stores the message for its consumers and then says that the
 * half message is done with; a rollback only says so. Follows EndTransactionProcessor of RocketMQ 4.9.7, which keeps an
 * open state ("unknown") unanswered.
 *
 * @module
 */
import { shortened } from "../errors.ts";
import { ResponseCode, SysFlag } from "../protocol/codes.ts";
import { decodeRecord, type MessageRecord } from "../protocol/message_record.ts";
import { SystemTopic } from "../protocol/names.ts";
import { PropertyName, propertyOf } from "../protocol/properties.ts";
import { ResumeCheckHalfMessage } from "../protocol/admin_requests.ts";
import { EndTransaction } from "../protocol/requests.ts";
import { accessRefusal, ALL_PERMITTED, type Permit, type PermitOf } from "../remoting/access/guard.ts";
import { Grant } from "../remoting/access/permissions.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { PutResult } from "../store/types.ts";
import type { BrokerContext } from "./context.ts";
import { committed, HALF_QUEUE, opMessage } from "./half_messages.ts";
import { resumeHalf } from "./half_resume.ts";
import { targetOf } from "./intake.ts";
import { codeOfStatus } from "./sending.ts";
import { type CheckContext, TransactionChecks } from "./transaction_checks.ts";

/** What transactions need of the broker. */
export interface TransactionContext extends CheckContext {
  readonly settings: CheckContext["settings"] & Pick<BrokerContext["settings"], "brokerRole">;
  readonly stats: Pick<BrokerContext["stats"], "committed">;
}

type End = Incoming<typeof EndTransaction>;

const { SUCCESS, SYSTEM_ERROR, SLAVE_NOT_AVAILABLE } = ResponseCode;
const OPEN = 0, COMMIT = SysFlag.TRANSACTION_COMMIT, ROLLBACK = SysFlag.TRANSACTION_ROLLBACK;
const FIND_FAILED = "Find prepared transaction message failed";

/** Ends transactions, and asks about those that stay open. */
export class Transactions {
  readonly #broker: TransactionContext;
  readonly #permitOf: PermitOf;
  readonly #checks: TransactionChecks;

  constructor(broker: TransactionContext, permitOf = ALL_PERMITTED) {
    this.#broker = broker;
    this.#permitOf = permitOf;
    this.#checks = new TransactionChecks(broker);
  }

  /** Adds the handlers of END_TRANSACTION and RESUME_CHECK_HALF_MESSAGE. */
  handlers(table: HandlerTable): void {
    table.on(EndTransaction, (request) => this.#end(request));
    table.on(ResumeCheckHalfMessage, ({ header }) => resumeHalf(this.#broker, this.#checks, header.msgId));
  }

  /** Whether open transactions are being looked at. */
  get busy(): boolean {
    return this.#checks.busy;
  }

  /** Asks about open transactions from now on; a slave does not. */
  start(): void {
    if (!this.#isSlave) this.#checks.start();
  }

  async close(): Promise<void> {
    await this.#checks.close();
  }

  get #isSlave(): boolean {
    return this.#broker.settings.brokerRole === "SLAVE";
  }

  #end(request: End): Answer | undefined | Promise<Answer | undefined> {
    const { header } = request;
    if (this.#isSlave) return { code: SLAVE_NOT_AVAILABLE, remark: "a slave ends no transactions, its master does" };
    const { commitOrRollback } = header;
    if (commitOrRollback === OPEN) return { code: SUCCESS };
    if (commitOrRollback !== COMMIT && commitOrRollback !== ROLLBACK) {
      const allowed = `${OPEN} (unknown), ${COMMIT} (commit), ${ROLLBACK} (rollback)`;
      return refusal(`the field commitOrRollback is ${commitOrRollback}, allowed are ${allowed}`);
    }
    const permit = this.#permitOf(request as Incoming);
    const found = this.#broker.store.fetchRecord(header.commitLogOffset);
    return found instanceof Promise
      ? found.then((bytes) => this.#endHalf(request, permit, bytes))
      : this.#endHalf(request, permit, found);
  }

  #endHalf(request: End, permit: Permit | undefined, bytes: Uint8Array | undefined): Answer | undefined {
    const { header } = request;
    const { commitLogOffset, tranStateTableOffset, producerGroup } = header;
    if (bytes === undefined) return refusal(`${FIND_FAILED}: no message begins at commitLogOffset ${commitLogOffset}`);
    const half = decodeRecord(bytes);
    if (half.topic !== SystemTopic.TRANS_HALF) {
      return refusal(`${FIND_FAILED}: the message at commitLogOffset ${commitLogOffset} is no half message`);
    }
    if (propertyOf(half.properties, PropertyName.PGROUP) !== producerGroup) {
      return refusal(`The producer group wrong: the half message was not sent by ${shortened(producerGroup)}`);
    }
    if (half.queueOffset !== tranStateTableOffset) {
      return refusal(`The transaction state table offset wrong: tranStateTableOffset is ${tranStateTableOffset}`);
    }
    // The queue decides: bytes that look like a half message may be part of some message's body.
    if (this.#broker.store.logOffsetOf(SystemTopic.TRANS_HALF, HALF_QUEUE, tranStateTableOffset) !== commitLogOffset) {
      return refusal(`The commit log offset wrong: commitLogOffset is ${commitLogOffset}`);
    }
    // RocketMQ lets every account end the transactions of all.
    const reason = permit?.([targetOf(half)?.topic ?? half.topic, Grant.PUB]);
    if (reason !== undefined) return accessRefusal(request, reason);
    return header.commitOrRollback === COMMIT ? this.#commit(request, half) : this.#rollBack(request, half);
  }

  /** Both messages share a write; the answer waits for the disk where the first does. */
  #commit(request: End, half: MessageRecord): Answer | undefined {
    const target = targetOf(half);
    if (target === undefined) return refusal("the half message does not say which queue it is for");
    let refused = false;
    this.#broker.intake.put(committed(half, target), (result) => {
      refused = result.logOffset < 0;
      if (!refused) this.#broker.stats.committed(result.topic, result.size);
      request.answer(refused ? failure(result) : { code: SUCCESS });
    });
    if (!refused) this.#done(half.queueOffset, () => {});
    return undefined;
  }

  #rollBack(request: End, half: MessageRecord): undefined {
    this.#done(
      half.queueOffset,
      (result) => request.answer(result.logOffset < 0 ? failure(result) : { code: SUCCESS }),
    );
  }

  /** Says that a half message is done with, and its copy too if it was stored anew in the meantime. */
  #done(half: number, then: (result: PutResult) => void): void {
    const newest = this.#checks.newestOf(half);
    if (newest !== half) this.#putOp(newest, () => {});
    this.#putOp(half, then);
  }

  #putOp(half: number, then: (result: PutResult) => void): void {
    const { intake, clock, storeHost } = this.#broker;
    intake.deliver(opMessage(half, clock.now(), storeHost), (result) => {
      if (result.logOffset >= 0) this.#checks.opStored(result.queueOffset, half);
      then(result);
    });
  }
}

function refusal(remark: string): { code: number; remark: string } {
  return { code: SYSTEM_ERROR, remark };
}

function failure({ status, reason }: PutResult): { code: number; remark: string } {
  return { code: codeOfStatus[status], remark: reason ?? status };
}
