/**
 * The files of the commit log: 20-digit names that say where in the log a file begins, all of one size, made at full
 * size (sparse) so that a Java broker can map them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { getLogger } from "@logtape/logtape";
import { RocketdError } from "../errors.ts";
import { PAGE_BYTES, ZERO_CHECK_BYTES } from "../limits.ts";
import { type Disk, type DiskFile, makeFolderOn } from "../platform/disk.ts";

const logger = getLogger(["rocketd", "store"]);
const ZEROS = Buffer.alloc(ZERO_CHECK_BYTES);

/** One file of the log; opened when first needed. */
export class LogFile {
  /** Bytes that the file takes of the file system beyond its pages with data: what that needs to keep track of them. */
  overhead = 0;
  #handle: DiskFile | undefined;

  constructor(readonly path: string, readonly start: number, readonly size: number, readonly disk: Disk) {}

  /** The log offset behind the file's last byte. */
  get end(): number {
    return this.start + this.size;
  }

  get handle(): DiskFile {
    return this.#handle ??= this.disk.openSync(this.path);
  }

  /** Writes at a log offset inside this file. */
  write(bytes: Uint8Array, logOffset: number): void {
    this.handle.writeSync(bytes, logOffset - this.start);
  }

  /** Makes everything from `logOffset` on zeros. */
  clearFrom(logOffset: number): void {
    this.handle.truncateSync(logOffset - this.start);
    this.handle.truncateSync(this.size);
    this.handle.syncDataSync();
  }

  /** Whether all bytes from `logOffset` on are zeros already. */
  isZeroFrom(logOffset: number): boolean {
    const block = Buffer.alloc(ZERO_CHECK_BYTES);
    const end = this.dataEnd(logOffset) - this.start;
    for (let at = logOffset - this.start; at < end; at += block.length) {
      const read = this.handle.readSync(block.subarray(0, Math.min(block.length, end - at)), at);
      if (!isZeros(block.subarray(0, read))) return false;
    }
    return true;
  }

  /** Finds the {@linkcode overhead}, now that the log ends at `logOffset`. */
  measureOverhead(logOffset: number): number {
    return this.overhead = (this.disk.allocatedSync?.(this.path) ?? 0) - this.#pagesTo(logOffset);
  }

  /**
   * Up to where there may be anything but zeros, when the log ends at `logOffset`: a file that takes just the pages before
   * it has nothing but a hole behind them, whose reading would take a second for each GiB. Else the file's end.
   */
  dataEnd(logOffset: number): number {
    const pages = this.#pagesTo(logOffset);
    // A file that was copied or made without holes takes pages there, and just as many when there are records on them.
    const mayBeHole = this.overhead >= 0 && this.overhead < this.size - pages;
    const isHole = mayBeHole && this.disk.allocatedSync?.(this.path) === pages + this.overhead;
    return isHole ? this.start + pages : this.end;
  }

  #pagesTo(logOffset: number): number {
    return Math.ceil((logOffset - this.start) / PAGE_BYTES) * PAGE_BYTES;
  }

  close(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }
}

/** Whether there is nothing but zeros. */
export function isZeros(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const length = Math.min(ZEROS.length, bytes.length - at);
    if (bytes.compare(ZEROS, 0, length, at, at + length) !== 0) return false;
  }
  return true;
}

/** The name of the file that begins at `start`. */
export function logFileName(start: number): string {
  return start.toString().padStart(20, "0");
}

/**
 * Whether a short last file was left by a process killed inside of {@linkcode LogFile.clearFrom}, and not made with
 * another configured size: a file before it has the right size, or its own is not one of whole pages.
 */
function isCutShort(size: number, before: LogFiles): boolean {
  return before.last !== undefined || size % PAGE_BYTES !== 0;
}

function extend(disk: Disk, path: string, size: number, fileSize: number): void {
  logger.warn("{path} has {size} bytes: extending it with zeros to {fileSize}", { path, size, fileSize });
  const file = disk.openSync(path);
  try {
    file.truncateSync(fileSize);
    file.syncDataSync();
  } finally {
    file.close();
  }
}

/** The list of a log's files, in order and without gaps. */
export class LogFiles {
  readonly #files: LogFile[] = [];

  constructor(readonly dir: string, readonly fileSize: number, readonly disk: Disk) {}

  /** Reads the folder. Throws `RocketdError` when a file has another size or one is missing between two. */
  static load(dir: string, fileSize: number, disk: Disk): LogFiles {
    makeFolderOn(disk, dir);
    const files = new LogFiles(dir, fileSize, disk);
    const names = disk.listSync(dir).filter((name) => /^\d{20}$/.test(name));
    for (const name of names) {
      const path = `${dir}/${name}`;
      const size = disk.sizeSync(path);
      const isLast = name === names.at(-1);
      // A process that was killed between creating a file and giving it its size leaves an empty last one.
      if (size === 0 && isLast) {
        disk.removeSync(path);
        continue;
      }
      if (isLast && size < fileSize && isCutShort(size, files)) extend(disk, path, size, fileSize);
      else if (size !== fileSize) {
        const reason = `${path} has ${size} bytes, mappedFileSizeCommitLog is ${fileSize}`;
        const remedy = "set it to the size the files have, or move a wrong file away";
        throw new RocketdError("damagedStore", `Cannot open the commit log: ${reason}; ${remedy}`, { field: path });
      }
      const start = Number(name);
      const last = files.last;
      if (last !== undefined && last.end !== start) {
        const reason = `no file begins at ${last.end}, after ${last.path}, but ${name} is there`;
        throw new RocketdError("damagedStore", `Cannot open the commit log: ${reason}`, { field: path });
      }
      files.#files.push(new LogFile(path, start, fileSize, disk));
    }
    return files;
  }

  get all(): readonly LogFile[] {
    return this.#files;
  }

  get first(): LogFile | undefined {
    return this.#files[0];
  }

  get last(): LogFile | undefined {
    return this.#files[this.#files.length - 1];
  }

  /** The file that holds a log offset. */
  at(logOffset: number): LogFile | undefined {
    const first = this.#files[0];
    return first === undefined ? undefined : this.#files[Math.floor((logOffset - first.start) / this.fileSize)];
  }

  /**
   * Reads off the main thread from a log offset on, as much as the file has, and gives how many bytes that was. Undefined
   * when there is no such file: one that was removed meanwhile is like one that was removed before.
   */
  async read(into: Uint8Array, logOffset: number): Promise<number | undefined> {
    const file = this.at(logOffset);
    if (file === undefined) return undefined;
    try {
      return await file.handle.read(into, logOffset - file.start);
    } catch (error) {
      if (this.at(logOffset) !== file) return undefined;
      throw error;
    }
  }

  /** Makes the file that begins at `start`, or takes the one that is already there (an empty one made in advance). */
  ensure(start: number): LogFile {
    const known = this.at(start);
    if (known !== undefined) return known;
    const path = `${this.dir}/${logFileName(start)}`;
    const file = new LogFile(path, start, this.fileSize, this.disk);
    const handle = this.disk.openSync(path, { create: true });
    try {
      handle.truncateSync(this.fileSize);
      handle.syncDataSync();
    } finally {
      handle.close();
    }
    this.disk.syncDirSync(this.dir);
    this.#files.push(file);
    return file;
  }

  /** Removes the oldest file. */
  removeFirst(): void {
    this.#remove(this.#files.shift());
  }

  /** Removes the newest file. */
  removeLast(): void {
    this.#remove(this.#files.pop());
  }

  #remove(file: LogFile | undefined): void {
    if (file === undefined) return;
    file.close();
    this.disk.removeSync(file.path);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}
