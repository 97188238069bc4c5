/**
 * An open file on Deno's API, which has no reads and writes at a position: the position of the handle is remembered and
 * moved only when it is somewhere else.
 *
 * @module
 */
import type { DiskFile } from "./disk.ts";

/** `DiskFile` over `Deno.FsFile`. Asynchronous reads use a second handle, so that they never move the first. */
export class DenoFile implements DiskFile {
  #position = 0;
  #closed = false;
  #reader: Deno.FsFile | undefined;
  #lastRead: Promise<unknown> = Promise.resolve();
  #readsOpen = 0;
  /**
   * Handles that no sync is using. The system tells each handle once that bytes were lost, so syncs that overlap need
   * one each.
   */
  readonly #syncers: Deno.FsFile[];

  constructor(readonly path: string, readonly file: Deno.FsFile) {
    this.#syncers = [file];
  }

  writeSync(bytes: Uint8Array, at: number): void {
    this.#moveTo(at);
    this.#position = -1; // unknown until all went well
    let done = 0;
    while (done < bytes.length) {
      const wrote = this.file.writeSync(done === 0 ? bytes : bytes.subarray(done));
      if (wrote <= 0) throw new Error(`Cannot write ${this.path}: the system took no bytes`);
      done += wrote;
    }
    this.#position = at + done;
  }

  readSync(into: Uint8Array, at: number): number {
    this.#moveTo(at);
    this.#position = -1;
    let done = 0;
    while (done < into.length) {
      const read = this.file.readSync(done === 0 ? into : into.subarray(done));
      if (read === null || read === 0) break;
      done += read;
    }
    this.#position = at + done;
    return done;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    const next = this.#lastRead.then(() => this.#readNow(into, at));
    this.#lastRead = next.catch(() => {});
    return next;
  }

  async #readNow(into: Uint8Array, at: number): Promise<number> {
    if (this.#closed) throw new Error(`Cannot read ${this.path}: the file is closed`);
    this.#readsOpen++;
    try {
      this.#reader ??= Deno.openSync(this.path, { read: true });
      this.#reader.seekSync(at, Deno.SeekMode.Start);
      let done = 0;
      while (done < into.length) {
        const read = await this.#reader.read(done === 0 ? into : into.subarray(done));
        if (read === null || read === 0) break;
        done += read;
      }
      return done;
    } finally {
      this.#readsOpen--;
      if (this.#closed) this.#closeReader();
    }
  }

  truncateSync(size: number): void {
    this.file.truncateSync(size);
  }

  sizeSync(): number {
    return this.file.statSync().size;
  }

  async syncData(): Promise<void> {
    if (this.#closed) throw new Error(`Cannot sync ${this.path}: the file is closed`);
    const syncer = this.#syncers.shift() ?? Deno.openSync(this.path, { read: true });
    try {
      await syncer.syncData();
    } finally {
      if (!this.#closed) this.#syncers.push(syncer);
      else if (syncer !== this.file) syncer.close();
    }
  }

  syncDataSync(): void {
    this.file.syncDataSync();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.file.close();
    for (const syncer of this.#syncers) if (syncer !== this.file) syncer.close();
    if (this.#readsOpen === 0) this.#closeReader();
  }

  #closeReader(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #moveTo(at: number): void {
    if (this.#position === at) return;
    this.file.seekSync(at, Deno.SeekMode.Start);
    this.#position = at;
  }
}
