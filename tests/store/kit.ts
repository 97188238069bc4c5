/**
 * What the store's tests share: a store in a temporary folder, on a disk that can fail and a clock that stands still.
 *
 * @module
 */
import type { Clock } from "../../src/platform/clock.ts";
import { denoDisk, type Disk } from "../../src/platform/disk.ts";
import { FaultyDisk } from "../../src/platform/faulty_disk.ts";
import { ManualClock } from "../../src/platform/manual_clock.ts";
import { encodeBatch } from "../../src/client/message.ts";
import { measureBatch } from "../../src/protocol/message_batch.ts";
import { decodeRecord } from "../../src/protocol/message_record.ts";
import {
  type GetResult,
  MessageStore,
  type NewBatch,
  type NewMessage,
  type PutResult,
  type StoreOptions,
  storeOptions,
} from "../../src/store/mod.ts";
import { until } from "../until.ts";

export const FILE_BYTES = 64 * 1024;
export const HOST = new Uint8Array([10, 1, 2, 3, 0, 0, 0x2A, 0x9F]);

/** A folder, a disk and a clock that outlive the stores opened on them. */
export class Bench {
  readonly dir = Deno.makeTempDirSync({ prefix: "rocketd-store-" });
  readonly disk: FaultyDisk;
  readonly clock = new ManualClock();

  constructor(disk: Disk = denoDisk) {
    this.disk = new FaultyDisk(disk);
  }

  open(given: Partial<StoreOptions> = {}, clock: Clock = this.clock): Promise<MessageStore> {
    const options = storeOptions({
      rootDir: this.dir,
      mappedFileSizeCommitLog: FILE_BYTES,
      mappedFileSizeConsumeQueue: 1000 * 20,
      maxHashSlotNum: 1000,
      maxIndexNum: 4000,
      maxMessageSize: 16 * 1024,
      tailChunkBytes: 96 * 1024,
      storeHost: HOST,
      ...given,
    });
    return MessageStore.open(options, { disk: this.disk, clock });
  }

  path(name: string): string {
    return `${this.dir}/${name}`;
  }

  logFile(start = 0): string {
    return this.path(`commitlog/${String(start).padStart(20, "0")}`);
  }

  /** Changes bytes of a file behind the store's back. */
  patch(path: string, at: number, bytes: Uint8Array): void {
    const file = denoDisk.openSync(path);
    file.writeSync(bytes, at);
    file.close();
  }

  /** Lets `act` happen and waits until a file was synced afterwards. */
  async synced(path: string, act: () => void): Promise<void> {
    const before = this.disk.syncsOf(path);
    act();
    await until(() => this.disk.syncsOf(path) !== before);
  }

  [Symbol.dispose](): void {
    this.disk.killed();
    Deno.removeSync(this.dir, { recursive: true });
  }
}

export function message(given: Partial<NewMessage> = {}): NewMessage {
  return {
    topic: "T",
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_600_000_000_000,
    bornHost: new Uint8Array([127, 0, 0, 1, 0, 0, 4, 1]),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new TextEncoder().encode("hello"),
    properties: "TAGS\u0001TagA",
    ...given,
  };
}

/** A batch of messages that are like the first but for flag, body and properties. */
export function batchOf(...messages: NewMessage[]): NewBatch {
  const { topic, queueId, sysFlag, bornTimestamp, bornHost, reconsumeTimes, preparedTransactionOffset } = messages[0]!;
  const common = { topic, queueId, sysFlag, bornTimestamp, bornHost, reconsumeTimes, preparedTransactionOffset };
  const bytes = encodeBatch(
    messages.map(({ flag, body, properties }) => ({ message: { topic, flag, body }, properties })),
  );
  return { ...common, batch: measureBatch(bytes, 0, Infinity), behind: new Uint8Array() };
}

export function putBatch(store: MessageStore, ...messages: NewMessage[]): Promise<PutResult> {
  return new Promise((resolve) => store.putBatch(batchOf(...messages), resolve));
}

export function put(store: MessageStore, given: Partial<NewMessage> = {}): Promise<PutResult> {
  return new Promise((resolve) => store.put(message(given), resolve));
}

/** Puts messages with the bodies `prefix0`, `prefix1`, …; the bodies are filled up to `size` bytes. */
export async function putMany(store: MessageStore, count: number, prefix = "m", size = 0): Promise<PutResult[]> {
  const results: Promise<PutResult>[] = [];
  for (let i = 0; i < count; i++) {
    results.push(put(store, { body: new TextEncoder().encode(`${prefix}${i}`.padEnd(size, ".")) }));
  }
  return await Promise.all(results);
}

/** The text of each body, without the filling. */
export function bodies(records: readonly Uint8Array[]): string[] {
  return records.map((record) => new TextDecoder().decode(decodeRecord(record, 0, true).body).replace(/\.+$/, ""));
}

/** Every body of a queue from `offset` on, read in as many calls as it takes. */
export async function readAll(store: MessageStore, topic = "T", queueId = 0, offset = 0): Promise<string[]> {
  const all: string[] = [];
  for (let next = offset;;) {
    const found: GetResult = await store.get(topic, queueId, next, 32);
    if (found.status !== "FOUND") return all;
    all.push(...bodies(found.records));
    next = found.nextBeginOffset;
  }
}

/** The names `prefix0` … as {@linkcode putMany} makes them. */
export function names(count: number, prefix = "m"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
