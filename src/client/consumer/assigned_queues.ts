/**
 * Queues that a pulling consumer was given by its program, in place of a share of its group's.
 *
 * @module
 */
import type { GroupMember } from "./group_member.ts";
import type { ReaderTable } from "./reader_table.ts";
import type { MessageQueue } from "./rebalance.ts";
import { type Selection, subscriptionTo } from "./subscription.ts";

/** What {@linkcode AssignedQueues.give} said last, and its reading. */
export class AssignedQueues {
  readonly #member: Pick<GroupMember, "readAlso">;
  readonly #table: () => ReaderTable;
  #given: { readonly queues: readonly MessageQueue[]; readonly selection: Selection | undefined } | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(member: Pick<GroupMember, "readAlso">, table: () => ReaderTable) {
    this.#member = member;
    this.#table = table;
  }

  /** Whether the program gives queues. */
  get areGiven(): boolean {
    return this.#given !== undefined;
  }

  /** These queues, and no others, are to be read. */
  give(queues: readonly MessageQueue[], selection: Selection | undefined): void {
    this.#given = { queues, selection };
  }

  /** Has them read. One call after the other: what was given last counts. */
  read(): Promise<void> {
    return this.#last = this.#last.catch(() => {}).then(() => this.#read());
  }

  async #read(): Promise<void> {
    if (this.#given === undefined) return;
    const { queues, selection } = this.#given;
    const topics = Map.groupBy(queues, ({ topic }) => topic);
    await this.#member.readAlso(topics.keys());
    const table = this.#table();
    for (const topic of new Set(table.all().map(({ queue }) => queue.topic))) {
      if (!topics.has(topic)) await table.drop(topic);
    }
    for (const [topic, some] of topics) await table.assign(topic, some, subscriptionTo(topic, selection));
  }
}
