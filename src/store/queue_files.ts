/**
 * The files of one consume queue: all of one size, named by the byte offset they begin at, one after the other.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { RocketdError } from "../errors.ts";
import type { OpenFiles } from "./open_files.ts";

const logger = getLogger(["rocketd", "store"]);

/** Digits of a file name: the offset it begins at, padded with zeros. */
const NAME_DIGITS = 20;
const NAME = /^\d{20}$/;

/** One long array of bytes that lives in equal files. Nothing is on disk until the first write. */
export class QueueFiles {
  /** Byte offset of the first file. */
  start = 0;
  /** Byte offset at which the last file ends; equal to `start` when there is none. */
  end = 0;

  /** @param fileSize bytes of each file */
  constructor(readonly folder: string, readonly fileSize: number, readonly open: OpenFiles) {}

  get count(): number {
    return (this.end - this.start) / this.fileSize;
  }

  /**
   * Finds the files of the folder.
   *
   * @throws RocketdError `damagedStore` that names a file of another size, or one that does not follow the one before it
   */
  load(): void {
    const { disk } = this.open;
    let expected = -1;
    const names = disk.listSync(this.folder);
    names.forEach((name, i) => {
      const path = `${this.folder}/${name}`;
      if (!NAME.test(name)) return logger.warn("Passing over {path}: not a queue file", { path });
      const size = disk.sizeSync(path);
      // A process that was killed between creating a file and giving it its size leaves an empty last one.
      if (size === 0 && i === names.length - 1) return disk.removeSync(path);
      if (size !== this.fileSize) {
        throw new RocketdError("damagedStore", `Cannot load ${path}: it has ${size} bytes`, {
          field: "mappedFileSizeConsumeQueue",
          value: size,
          allowed: `${this.fileSize} bytes, as configured`,
        });
      }
      const begin = Number(name);
      if (begin % this.fileSize !== 0 || (expected >= 0 && begin !== expected)) {
        throw new RocketdError("damagedStore", `Cannot load ${path}: the queue file before it is missing`, {
          field: "file",
          value: name,
          allowed: nameOf(Math.max(expected, 0)),
        });
      }
      if (expected < 0) this.start = begin;
      this.end = expected = begin + this.fileSize;
    });
  }

  /** Reads from byte `at` to the end of `into` or of the file that `at` lies in. */
  read(into: Uint8Array, at: number): number {
    const begin = at - at % this.fileSize;
    const most = begin + this.fileSize - at;
    const part = into.length > most ? into.subarray(0, most) : into;
    return this.open.get(this.#path(begin)).readSync(part, at - begin);
  }

  /** Writes at byte `at`; files that are missing on the way are made. */
  write(bytes: Uint8Array, at: number): void {
    if (this.end === this.start) this.start = this.end = at - at % this.fileSize;
    for (let done = 0; done < bytes.length;) {
      const begin = at + done - (at + done) % this.fileSize;
      const path = this.#path(begin);
      while (this.end <= begin) {
        this.open.create(this.#path(this.end), this.fileSize);
        this.end += this.fileSize;
      }
      const part = bytes.subarray(done, done + Math.min(bytes.length - done, begin + this.fileSize - at - done));
      this.open.get(path).writeSync(part, at + done - begin);
      this.open.written(path);
      done += part.length;
    }
  }

  /** Makes zeros of everything from byte `at` on: later files go, the one it lies in keeps its size. */
  cutAt(at: number): void {
    while (this.end > this.start && this.end - this.fileSize >= at) this.removeLast();
    if (at >= this.end || at <= this.start) return;
    const path = this.#path(this.end - this.fileSize);
    const file = this.open.get(path);
    file.truncateSync(at - (this.end - this.fileSize));
    file.truncateSync(this.fileSize);
    this.open.written(path);
  }

  removeFirst(): void {
    this.open.remove(this.#path(this.start));
    this.start += this.fileSize;
  }

  removeLast(): void {
    this.end -= this.fileSize;
    this.open.remove(this.#path(this.end));
    if (this.end === this.start) this.start = this.end = 0;
  }

  /** Closes the handles of files that are going away as a whole. */
  forget(): void {
    for (let begin = this.start; begin < this.end; begin += this.fileSize) this.open.forget(this.#path(begin));
    this.start = this.end = 0;
  }

  #path(begin: number): string {
    return `${this.folder}/${nameOf(begin)}`;
  }
}

function nameOf(offset: number): string {
  return String(offset).padStart(NAME_DIGITS, "0");
}
