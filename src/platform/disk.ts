/**
 * The disk behind a small interface, so that the store's faults (failed writes, a full disk, a power loss) can be tested.
 * `denoDisk` is the real one, on Deno's file API.
 *
 * @module
 */
import { DenoFile } from "./deno_file.ts";
import { statfsSync } from "node:fs";

/** An open file. It keeps its own position and sizes are not cached: `sizeSync` asks the system. */
export interface DiskFile {
  readonly path: string;
  /** Writes all of `bytes` at byte `at`, or throws. */
  writeSync(bytes: Uint8Array, at: number): void;
  /** Fills `into` with as much as exists from byte `at`; returns how many bytes it read. */
  readSync(into: Uint8Array, at: number): number;
  /** As `readSync`, off the main thread; reads of one file happen one after the other. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Cuts or extends (sparse, zeros) the file to `size` bytes. */
  truncateSync(size: number): void;
  sizeSync(): number;
  /** Makes the written bytes survive a power loss; off the main thread. Calls may overlap: each hears of a failure. */
  syncData(): Promise<void>;
  syncDataSync(): void;
  /** Closes the file; closing twice does nothing. */
  close(): void;
}

export interface OpenOptions {
  create?: boolean;
  readOnly?: boolean;
  /** Who may read and write a file that is created, as chmod has it. */
  mode?: number;
}

/** A lock held on a file, until `release`. */
export interface DiskLock {
  /** The text that the holder before left in the file; "" for a new one. */
  readonly before: string;
  release(): void;
}

export interface Disk {
  openSync(path: string, options?: OpenOptions): DiskFile;
  existsSync(path: string): boolean;
  /** Removes a file or, with `recursive`, a folder; nothing there is fine. */
  removeSync(path: string, options?: { recursive?: boolean }): void;
  renameSync(from: string, to: string): void;
  /** Makes the folder and those above it. */
  mkdirSync(path: string): void;
  /** The names in a folder, sorted; empty when it is missing. */
  listSync(path: string): string[];
  isDirectorySync(path: string): boolean;
  /** When the file was last modified, in ms since 1970. */
  modifiedSync(path: string): number;
  sizeSync(path: string): number;
  /** The bytes that a file takes of the file system, without its holes; undefined where the system does not say. */
  allocatedSync?(path: string): number | undefined;
  readFileSync(path: string): Uint8Array;
  /** Makes created, removed and renamed names in a folder survive a power loss. */
  syncDirSync(path: string): void;
  /** As `syncDirSync`, off the main thread. */
  syncDir(path: string): Promise<void>;
  /**
   * Replaces a small file in one step: written beside as `.tmp`, synced, the old one kept as `.bak`, renamed, synced.
   * `mode`: who may read and write it.
   */
  writeStateFileSync(path: string, bytes: Uint8Array, mode?: number): void;
  /** How full the file system of `path` is, in per cent; undefined where the system does not say. */
  usedSpacePercent?(path: string): number | undefined;
  /** The size of the file system of `path`, and what is left for us, bytes; undefined where the system does not say. */
  space?(path: string): { readonly total: number; readonly free: number } | undefined;
  /**
   * Takes the exclusive lock of a file; undefined when somebody else holds it. The holder's text is written over the
   * begin of the file: RocketMQ's, `lock`, unless another one is given.
   */
  lock(path: string, text?: string): Promise<DiskLock | undefined>;
}

/** How long a lock that nobody holds may take on a busy machine; a held one blocks for ever, so this is how we notice. */
const LOCK_WAIT_MS = 2_000;

/** What stat counts in, whatever the blocks of the file system are. */
const STAT_BLOCK_BYTES = 512;

/** Locks held by this process, since flock alone would make a second one in the same process wait. */
const held = new Set<string>();

/** The real disk. */
export const denoDisk: Disk = {
  openSync(path, options = {}) {
    const readOnly = options.readOnly ?? false;
    const create = !readOnly && (options.create ?? false);
    const mode = options.mode === undefined ? {} : { mode: options.mode };
    const file = Deno.openSync(path, { read: true, write: !readOnly, create, ...mode });
    return new DenoFile(path, file);
  },

  existsSync(path) {
    return stat(path) !== undefined;
  },

  removeSync(path, options = {}) {
    try {
      Deno.removeSync(path, { recursive: options.recursive ?? false });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  },

  renameSync(from, to) {
    Deno.renameSync(from, to);
  },

  mkdirSync(path) {
    Deno.mkdirSync(path, { recursive: true });
  },

  listSync(path) {
    try {
      return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  },

  isDirectorySync(path) {
    return stat(path)?.isDirectory ?? false;
  },

  modifiedSync(path) {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  },

  sizeSync(path) {
    return Deno.statSync(path).size;
  },

  allocatedSync(path) {
    const { blocks } = Deno.statSync(path);
    return blocks === null ? undefined : blocks * STAT_BLOCK_BYTES;
  },

  readFileSync(path) {
    return Deno.readFileSync(path);
  },

  syncDirSync(path) {
    const folder = Deno.openSync(path, { read: true });
    try {
      folder.syncSync();
    } finally {
      folder.close();
    }
  },

  async syncDir(path) {
    const folder = Deno.openSync(path, { read: true });
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  },

  writeStateFileSync(path, bytes, mode) {
    writeStateFileOn(this, path, bytes, mode);
  },

  space(path) {
    try {
      const { blocks, bavail, bsize } = statfsSync(path);
      return { total: blocks * bsize, free: bavail * bsize };
    } catch {
      return undefined;
    }
  },

  usedSpacePercent(path) {
    try {
      const { blocks, bfree, bavail } = statfsSync(path);
      const used = blocks - bfree;
      return used + bavail === 0 ? undefined : Math.ceil((100 * used) / (used + bavail));
    } catch {
      return undefined;
    }
  },

  async lock(path, text = "lock") {
    if (held.has(path)) return undefined;
    held.add(path);
    const file = Deno.openSync(path, { read: true, write: true, create: true });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), LOCK_WAIT_MS));
    const locking = file.lock(true).then(() => true as const);
    const mine = await Promise.race([locking, late]).finally(() => clearTimeout(timer));
    if (!mine) {
      held.delete(path);
      locking.then(() => file.close(), () => file.close());
      return undefined;
    }
    const before = new TextDecoder().decode(Deno.readFileSync(path));
    file.writeSync(new TextEncoder().encode(text));
    let released = false;
    return {
      before,
      release() {
        if (released) return;
        released = true;
        held.delete(path);
        file.close();
      },
    };
  },
};

/** The steps of `writeStateFileSync` on any disk: a crash at any point leaves the old or the new content readable. */
export function writeStateFileOn(disk: Disk, path: string, bytes: Uint8Array, mode?: number): void {
  const fresh = new FreshStateFile(disk, path, mode);
  try {
    fresh.write(bytes);
    fresh.file.syncDataSync();
  } finally {
    fresh.file.close();
  }
  fresh.takeOver();
}

/** The next content of a state file, beside it, for those who write it piece by piece: write, sync, close, take over. */
export class FreshStateFile {
  readonly file: DiskFile;
  #end = 0;

  constructor(readonly disk: Disk, readonly path: string, mode?: number) {
    const beside = `${path}.tmp`;
    // One that a crash left behind has the mode that it has.
    if (mode !== undefined) disk.removeSync(beside);
    this.file = disk.openSync(beside, mode === undefined ? { create: true } : { create: true, mode });
    this.file.truncateSync(0);
  }

  write(bytes: Uint8Array): void {
    this.file.writeSync(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Takes the place of the content that was there, which becomes PATH.bak. */
  takeOver(): void {
    const { disk, path } = this;
    if (disk.existsSync(path)) disk.renameSync(path, `${path}.bak`);
    disk.renameSync(`${path}.tmp`, path);
    disk.syncDirSync(folderOf(path));
  }
}

/** Makes a folder and those above it, so that their names survive a power loss. */
export function makeFolderOn(disk: Disk, path: string): void {
  const changed: string[] = [];
  for (let at = path; !disk.existsSync(at) && folderOf(at) !== at; at = folderOf(at)) changed.push(folderOf(at));
  disk.mkdirSync(path);
  for (const folder of changed) disk.syncDirSync(folder);
}

/** The folder a path lies in. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
