/**
 * Open handles of many files, at most so many at a time, and which of the files are not synced yet.
 *
 * @module
 */
import { QUEUE_SYNCS_AT_ONCE } from "../limits.ts";
import { type Disk, type DiskFile, folderOf } from "../platform/disk.ts";

/** Handles by path; the one that was unused longest is closed for a new one. */
export class OpenFiles {
  /** Insertion order is order of use: the first is the oldest. */
  readonly #files = new Map<string, DiskFile>();
  #unsynced = new Set<string>();
  #unsyncedFolders = new Set<string>();
  #last: DiskFile | undefined;

  /** @param max handles kept open, at least 1 */
  constructor(readonly disk: Disk, readonly max: number) {}

  get size(): number {
    return this.#files.size;
  }

  /** The handle of a file that exists. It may be closed by the next call, so do not keep it. */
  get(path: string): DiskFile {
    if (this.#last?.path === path) return this.#last;
    let file = this.#files.get(path);
    if (file === undefined) {
      file = this.disk.openSync(path);
      this.#add(path, file);
    } else {
      this.#files.delete(path);
      this.#files.set(path, file);
    }
    this.#last = file;
    return file;
  }

  /** Makes a file of `size` zeros, sparse, and the folders above it. */
  create(path: string, size: number): DiskFile {
    const folder = folderOf(path);
    this.disk.mkdirSync(folder);
    const file = this.disk.openSync(path, { create: true });
    this.#add(path, file);
    file.truncateSync(size);
    this.written(path);
    // The folder itself may be new, and so may the one above it.
    for (const changed of [folder, folderOf(folder), folderOf(folderOf(folder))]) this.#unsyncedFolders.add(changed);
    return file;
  }

  /** Takes note that a file changed, for the next {@linkcode sync}. */
  written(path: string): void {
    this.#unsynced.add(path);
  }

  remove(path: string): void {
    this.forget(path);
    this.disk.removeSync(path);
  }

  /** Closes the handle of a file that goes away. */
  forget(path: string): void {
    this.#unsynced.delete(path);
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    if (this.#last === file) this.#last = undefined;
    file.close();
  }

  /** Makes all that was written so far survive a power loss. What fails stays unsynced, and the error goes up. */
  async sync(): Promise<void> {
    const paths = [...this.#unsynced];
    const folders = [...this.#unsyncedFolders];
    this.#unsynced = new Set();
    this.#unsyncedFolders = new Set();
    try {
      await someAtOnce(paths, (path) => this.#syncOne(path));
      await someAtOnce(folders, (folder) => this.#syncFolder(folder));
    } catch (error) {
      for (const path of paths) this.#unsynced.add(path);
      for (const folder of folders) this.#unsyncedFolders.add(folder);
      throw error;
    }
  }

  closeAll(): void {
    this.#last = undefined;
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  /** On a handle of its own, which nobody closes meanwhile; the file may have been deleted since it was written. */
  async #syncOne(path: string): Promise<void> {
    if (!this.disk.existsSync(path)) return;
    const file = this.disk.openSync(path);
    try {
      await file.syncData();
    } finally {
      file.close();
    }
  }

  async #syncFolder(path: string): Promise<void> {
    if (this.disk.existsSync(path)) await this.disk.syncDir(path);
  }

  #add(path: string, file: DiskFile): void {
    if (this.#files.size >= this.max) {
      const [oldest] = this.#files;
      if (oldest !== undefined) {
        this.#files.delete(oldest[0]);
        if (this.#last === oldest[1]) this.#last = undefined;
        oldest[1].close();
      }
    }
    this.#files.set(path, file);
  }
}

async function someAtOnce(paths: readonly string[], each: (path: string) => Promise<void>): Promise<void> {
  for (let i = 0; i < paths.length; i += QUEUE_SYNCS_AT_ONCE) {
    await Promise.all(paths.slice(i, i + QUEUE_SYNCS_AT_ONCE).map(each));
  }
}
