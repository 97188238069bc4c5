/**
 * Offsets of a member that gets all messages of its topics, kept in a file of its own: the brokers know nothing of them.
 * The file is where Java's clients have it, and reads the same (`LocalFileOffsetStore` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../../errors.ts";
import { decodeResetOffset, encodeResetOffset } from "../../protocol/bodies/mod.ts";
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
  /** Written and then renamed; no other process has the name. */
  readonly #written: string;
  #loaded: Promise<Map<string, QueueOffset>> | undefined;
  /** Whether the file does not have it all. */
  #dirty = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(dir: string, clientId: string, group: string) {
    this.#folder = `${dir}/${clientId}/${group}`;
    this.path = `${this.#folder}/offsets.json`;
    this.#written = `${this.path}.${Deno.pid}.tmp`;
  }

  async load(): Promise<void> {
    await this.#table();
  }

  async read(queue: MessageQueue): Promise<number | undefined> {
    return (await this.#table()).get(queueKey(queue))?.[1];
  }

  async persist(offsets: readonly QueueOffset[]): Promise<void> {
    const table = await this.#table();
    for (const [queue, offset] of offsets) {
      if (table.get(queueKey(queue))?.[1] === offset) continue;
      table.set(queueKey(queue), [queue, offset]);
      this.#dirty = true;
    }
    if (this.#dirty) await (this.#saving = this.#saving.then(() => this.#save(table)));
  }

  #table(): Promise<Map<string, QueueOffset>> {
    return this.#loaded ??= this.#load().catch((error) => {
      this.#loaded = undefined;
      throw error;
    });
  }

  /**
   * What the file has, or the copy that Java's clients leave beside it. A file that is there and cannot be read is no
   * reason to begin anew, which may mean behind the last message.
   */
  async #load(): Promise<Map<string, QueueOffset>> {
    const reasons: string[] = [];
    for (const path of [this.path, `${this.path}.bak`]) {
      try {
        const offsets = decodeResetOffset(await Deno.readFile(path));
        return new Map([...offsets].map(([queue, offset]) => [queueKey(queue), [queue, offset]]));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) reasons.push(`${path}: ${messageOf(error)}`);
      }
    }
    if (reasons.length === 0) return new Map();
    throw new RocketdError(
      "malformed",
      `Cannot read the offsets of this member: ${reasons.join(", ")}; mend or remove it`,
    );
  }

  /** Written beside, synced and renamed, so that a crash leaves the old file or the new one. */
  async #save(table: ReadonlyMap<string, QueueOffset>): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    try {
      await Deno.mkdir(this.#folder, { recursive: true });
      const bytes = encodeResetOffset(new Map(table.values()));
      using file = await Deno.open(this.#written, { write: true, create: true, truncate: true });
      for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
      await file.syncData();
      await Deno.rename(this.#written, this.path);
    } catch (error) {
      this.#dirty = true;
      log.error("Cannot write {path}: {reason}", { path: this.path, reason: messageOf(error) });
    }
  }
}
