/**
 * The index by key: `index/`, files named by the local time they were made at. Only the newest is written to.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { INDEX_SEARCH_MS_PER_TURN } from "../limits.ts";
import type { Disk } from "../platform/disk.ts";
import { SysFlag } from "../protocol/codes.ts";
import { IndexFile } from "./index_file.ts";
import type { IndexShape } from "./index_header.ts";
import { indexHash, javaHash, keySeedOf } from "../protocol/java_hash.ts";
import type { DispatchEntry } from "./types.ts";

const logger = getLogger(["rocketd", "store"]);
/** yyyyMMddHHmmssSSS */
const NAME = /^\d{17}$/;

export interface IndexOptions extends IndexShape {
  /** The time, ms: it names new files, and ends the turns of a search. */
  readonly now?: () => number;
  /** End timestamp of the newest full file known to be safe on disk: the checkpoint's index time. */
  readonly safeUntil?: number;
  /** Called when a full file is safe on disk, with its end timestamp: the checkpoint's index time. */
  readonly onFull?: (endTimestamp: number) => void;
}

/** Keys of messages to log offsets. */
export class IndexService {
  readonly #files: IndexFile[] = [];
  /** Full files that are written but not synced. */
  #full: IndexFile[] = [];
  #folderChanged = false;

  private constructor(readonly folder: string, readonly options: IndexOptions, readonly disk: Disk) {}

  /**
   * Loads the files. After a crash the newest is repaired from its own entries; what it lacks comes again from the log
   * when that is walked from {@linkcode endLogOffset}. Throws RocketdError `damagedStore` for a file of the wrong size.
   */
  static open(folder: string, options: IndexOptions, disk: Disk, afterCrash: boolean): IndexService {
    const service = new IndexService(folder, options, disk);
    const names = disk.listSync(folder);
    names.forEach((name, i) => {
      const path = `${folder}/${name}`;
      if (!NAME.test(name)) return logger.warn("Passing over {path}: not an index file", { path });
      // A process that was killed between creating a file and giving it its size leaves an empty last one.
      if (i === names.length - 1 && disk.sizeSync(path) === 0) return disk.removeSync(path);
      service.#files.push(IndexFile.load(path, options, disk));
    });
    if (afterCrash) service.#repair();
    return service;
  }

  /** Log offset of the last record that is indexed; -1 for none. Records up to it are passed over when they come again. */
  get endLogOffset(): number {
    for (let i = this.#files.length - 1; i >= 0; i--) {
      const { header } = this.#files[i]!;
      if (!header.empty) return header.endLogOffset;
    }
    return -1;
  }

  /** Store time of the last record that is indexed; 0 for none. */
  get endTimestamp(): number {
    return this.#files.at(-1)?.header.endTimestamp ?? 0;
  }

  /** Indexes a record under its unique key and under each word of its keys. */
  put(entry: DispatchEntry): void {
    const { keys, uniqKey, logOffset, storeTimestamp } = entry;
    if (keys.length === 0 && uniqKey < 0) return;
    if ((entry.sysFlag & SysFlag.TRANSACTION_MASK) === SysFlag.TRANSACTION_ROLLBACK) return;
    let file = this.#files.at(-1);
    if (logOffset <= (file !== undefined && !file.header.empty ? file.header.endLogOffset : this.endLogOffset)) return;
    const count = keys.length + (uniqKey < 0 ? 0 : 1);
    if (file === undefined || file.room < count) file = this.#fileFor(count);
    if (uniqKey >= 0) file.put(uniqKey, logOffset, storeTimestamp);
    for (let i = 0; i < keys.length; i++) {
      if (file.room <= 0) file = this.#fileFor(1);
      file.put(keys[i]!, logOffset, storeTimestamp);
    }
  }

  /**
   * Log offsets of records that may have this key (hashes collide: the caller compares), newest first. Yields now and
   * then, so that a long search can be spread over many turns of the event loop.
   *
   * @param begin earliest store time, ms
   * @param end latest store time, ms
   */
  *search(topic: string, key: string, max: number, begin: number, end: number): Generator<void, number[]> {
    const hash = indexHash(javaHash(key, 0, key.length, keySeedOf(topic)));
    const found = new Set<number>();
    let turnBegan = this.#now();
    // While the search rests, the oldest files may go.
    for (const file of this.#files.toReversed()) {
      if (found.size >= max) break;
      if (file.header.overlaps(begin, end)) {
        for (const _ of file.search(hash, max, begin, end, found)) {
          // The clock may also have been set back.
          if (Math.abs(this.#now() - turnBegan) < INDEX_SEARCH_MS_PER_TURN) continue;
          yield;
          turnBegan = this.#now();
        }
      }
      if (file.header.beginTimestamp < begin) break;
    }
    return [...found];
  }

  #now(): number {
    return this.options.now?.() ?? Date.now();
  }

  /** Writes gathered entries and then the header that counts them. */
  flush(): void {
    this.#files.at(-1)?.flush();
  }

  /** Makes what is written survive a power loss. */
  async sync(): Promise<void> {
    const full = this.#full;
    this.#full = [];
    try {
      for (let file = full[0]; file !== undefined; file = full[0]) {
        await file.sync();
        full.shift();
        this.#safe(file);
      }
      await this.#files.at(-1)?.sync();
    } catch (error) {
      this.#full = [...full, ...this.#full];
      throw error;
    }
    this.#syncFolder();
  }

  /** Forgets entries of records at `logOffset` and behind: the log was cut there. */
  truncateFrom(logOffset: number): void {
    while (this.endLogOffset >= logOffset) {
      const file = this.#files.at(-1)!;
      if (file.header.empty || (this.#files.length > 1 && file.header.beginLogOffset >= logOffset)) {
        this.#files.pop();
        file.remove();
        this.#folderChanged = true;
      } else {
        file.repair(logOffset);
      }
    }
  }

  /** Removes the oldest files (never the last) whose records are all gone from the log. */
  deleteBelow(minLogOffset: number): void {
    while (this.#files.length > 1 && this.#files[0]!.header.endLogOffset < minLogOffset) {
      const file = this.#files.shift()!;
      this.#full = this.#full.filter((other) => other !== file);
      file.remove();
      this.#folderChanged = true;
    }
  }

  /** Writes and syncs all, so that the files can be read by anybody, a Java broker too. */
  close(): void {
    for (const file of this.#full) {
      file.syncNow();
      this.#safe(file);
    }
    this.#full = [];
    const file = this.#files.at(-1);
    file?.finish();
    file?.syncNow();
    file?.close();
    this.#syncFolder();
  }

  /** Repairs the newest file, and full ones before it that may not have been synced; what follows a loss goes. */
  #repair(): void {
    const { safeUntil = Infinity } = this.options;
    const files = this.#files;
    for (let i = 0; i < files.length; i++) {
      const file = files[i]!;
      const last = i === files.length - 1;
      if (!last && file.header.endTimestamp <= safeUntil) continue;
      if (file.repair() && !last) { for (const later of files.splice(i + 1)) later.remove(); }
      else if (!last) this.#finishFull(file);
    }
  }

  #finishFull(file: IndexFile): void {
    file.finish();
    this.#full.push(file);
  }

  #safe(file: IndexFile): void {
    file.close();
    this.options.onFull?.(file.header.endTimestamp);
  }

  #syncFolder(): void {
    if (!this.#folderChanged) return;
    this.disk.syncDirSync(this.folder);
    this.#folderChanged = false;
  }

  /** The newest file if it has the room, else a new one. A record's keys share a file, so `endLogOffset` says it all. */
  #fileFor(keys: number): IndexFile {
    const last = this.#files.at(-1);
    if (last !== undefined && (last.room >= keys || (last.header.empty && last.room > 0))) return last;
    this.disk.mkdirSync(this.folder);
    if (last !== undefined) this.#finishFull(last);
    const path = `${this.folder}/${this.#freshName()}`;
    const file = IndexFile.create(path, this.options, this.disk, last?.header);
    this.#folderChanged = true;
    this.#files.push(file);
    return file;
  }

  /** A name after all others, even when the clock was set back or two files fill up in one millisecond. */
  #freshName(): string {
    const name = localTime(this.#now());
    const last = this.#files.at(-1)?.path.slice(-name.length);
    return last === undefined || last < name ? name : String(BigInt(last) + 1n);
  }
}

/** A time as yyyyMMddHHmmssSSS, local. */
function localTime(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return at.getFullYear() + two(at.getMonth() + 1) + two(at.getDate()) + two(at.getHours()) + two(at.getMinutes()) +
    two(at.getSeconds()) + String(at.getMilliseconds()).padStart(3, "0");
}
