/**
 * Offsets of a member that gets all messages of its topics, kept in a file of its own: the brokers know nothing of them.
 * The file is where Java's clients have it, and reads the same (`LocalFileOffsetStore` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { decodeResetOffset, encodeResetOffset } from "../protocol/bodies/mod.ts";
import type { OffsetStore, QueueOffset } from "./offset_store.ts";
import { type MessageQueue, queueKey } from "./rebalance.ts";

const log = getLogger(["rocketd", "client"]);

/** The folder for such files: `.rocketmq_offsets` in the user's. Needs to read the variable HOME. */
export function localOffsetStoreDir(): string {
  return `${Deno.env.get("HOME") ?? "."}/.rocketmq_offsets`;
}

/** One file: FOLDER/CLIENT_ID/GROUP/offsets.json. */
export class LocalOffsets implements OffsetStore {
  readonly path: string;
  readonly #folder: string;
  #loaded: Promise<Map<string, QueueOffset>> | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(dir: string, clientId: string, group: string) {
    this.#folder = `${dir}/${clientId}/${group}`;
    this.path = `${this.#folder}/offsets.json`;
  }

  async read(queue: MessageQueue): Promise<number | undefined> {
    return (await this.#table()).get(queueKey(queue))?.[1];
  }

  async persist(offsets: readonly QueueOffset[]): Promise<void> {
    const table = await this.#table();
    const changed = offsets.filter(([queue, offset]) => table.get(queueKey(queue))?.[1] !== offset);
    if (changed.length === 0) return;
    for (const [queue, offset] of changed) table.set(queueKey(queue), [queue, offset]);
    await (this.#saving = this.#saving.then(() => this.#save(table)));
  }

  #table(): Promise<Map<string, QueueOffset>> {
    return this.#loaded ??= this.#load();
  }

  async #load(): Promise<Map<string, QueueOffset>> {
    try {
      const offsets = decodeResetOffset(await Deno.readFile(this.path));
      return new Map([...offsets].map(([queue, offset]) => [queueKey(queue), [queue, offset]]));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        log.error("Cannot read {path}: {reason}; going on without it", { path: this.path, reason: messageOf(error) });
      }
      return new Map();
    }
  }

  /** Written beside and renamed, so that a crash leaves the old file or the new one. */
  async #save(table: ReadonlyMap<string, QueueOffset>): Promise<void> {
    try {
      await Deno.mkdir(this.#folder, { recursive: true });
      await Deno.writeFile(`${this.path}.tmp`, encodeResetOffset(new Map(table.values())));
      await Deno.rename(`${this.path}.tmp`, this.path);
    } catch (error) {
      log.error("Cannot write {path}: {reason}", { path: this.path, reason: messageOf(error) });
    }
  }
}
