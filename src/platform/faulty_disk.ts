/**
 * A disk for tests: it fails when told to, fills up, and forgets at a power loss whatever was not synced.
 *
 * @module
 */
import { type Disk, type DiskFile, type DiskLock, folderOf, type OpenOptions, writeStateFileOn } from "./disk.ts";

/** How to take one write or truncation back: the bytes that were there, and the size. */
interface Undo {
  readonly at: number;
  readonly old: Uint8Array;
  readonly size: number;
}

export class FaultyDisk implements Disk {
  /** Throws in the write this many writes from now (1: the next one); 0: never. */
  failWriteIn = 0;
  /** How many bytes of a failing write reach the disk all the same. */
  tornBytes = 0;
  /** Fails the sync this many syncs from now; 0: never. */
  failSyncIn = 0;
  /** Bytes that can still be written; then "no space left". */
  bytesLeft = Infinity;
  /** While set, asynchronous syncs wait for it. */
  holdSyncs: Promise<void> | undefined;
  /** Syncs of file data that were begun. */
  syncs = 0;
  /** What `usedSpacePercent` says. */
  used: number | undefined;
  /** Syncs that ended well, by path. */
  readonly #synced = new Map<string, number>();
  readonly #undo = new Map<string, Undo[]>();
  readonly #created = new Set<string>();
  readonly #open = new Set<FaultyFile>();
  readonly #locks = new Set<DiskLock>();

  constructor(readonly disk: Disk) {}

  /** Everything not synced is lost, all files and locks are let go. Open the store again afterwards. */
  powerLoss(): void {
    for (const file of this.#open) file.die();
    this.#open.clear();
    for (const [path, undos] of this.#undo) {
      if (!this.disk.existsSync(path)) continue;
      const file = this.disk.openSync(path);
      for (const { at, old, size } of undos.reverse()) {
        if (old.length > 0) file.writeSync(old, at);
        file.truncateSync(size);
      }
      file.close();
    }
    this.#undo.clear();
    for (const path of this.#created) this.disk.removeSync(path);
    this.#created.clear();
    this.killed();
  }

  /** The process is gone, the machine is not: written bytes stay, handles and locks go. */
  killed(): void {
    for (const file of this.#open) file.die();
    this.#open.clear();
    for (const lock of this.#locks) lock.release();
    this.#locks.clear();
  }

  openSync(path: string, options: OpenOptions = {}): DiskFile {
    const fresh = options.create === true && !this.disk.existsSync(path);
    const file = new FaultyFile(this, this.disk.openSync(path, options));
    if (fresh) this.#created.add(path);
    this.#open.add(file);
    return file;
  }

  existsSync(path: string): boolean {
    return this.disk.existsSync(path);
  }

  removeSync(path: string, options?: { recursive?: boolean }): void {
    this.disk.removeSync(path, options);
    this.#undo.delete(path);
    this.#created.delete(path);
  }

  renameSync(from: string, to: string): void {
    this.disk.renameSync(from, to);
    const undos = this.#undo.get(from);
    this.#undo.delete(from);
    if (undos === undefined) this.#undo.delete(to);
    else this.#undo.set(to, undos);
    if (this.#created.delete(from)) this.#created.add(to);
  }

  mkdirSync(path: string): void {
    this.disk.mkdirSync(path);
  }

  listSync(path: string): string[] {
    return this.disk.listSync(path);
  }

  isDirectorySync(path: string): boolean {
    return this.disk.isDirectorySync(path);
  }

  modifiedSync(path: string): number {
    return this.disk.modifiedSync(path);
  }

  sizeSync(path: string): number {
    return this.disk.sizeSync(path);
  }

  allocatedSync(path: string): number | undefined {
    return this.disk.allocatedSync?.(path);
  }

  readFileSync(path: string): Uint8Array {
    return this.disk.readFileSync(path);
  }

  syncDirSync(path: string): void {
    this.disk.syncDirSync(path);
    this.#keepCreated(path);
  }

  async syncDir(path: string): Promise<void> {
    await this.disk.syncDir(path);
    this.#keepCreated(path);
  }

  #keepCreated(path: string): void {
    for (const created of this.#created) if (folderOf(created) === path) this.#created.delete(created);
  }

  writeStateFileSync(path: string, bytes: Uint8Array, mode?: number): void {
    writeStateFileOn(this, path, bytes, mode);
  }

  usedSpacePercent(): number | undefined {
    return this.used;
  }

  async lock(path: string, text?: string): Promise<DiskLock | undefined> {
    const lock = await this.disk.lock(path, text);
    if (lock !== undefined) this.#locks.add(lock);
    return lock;
  }

  /** For a write of `bytes`: how many may reach the disk, and what to throw then. */
  admit(bytes: number): { allowed: number; error: Error | undefined } {
    if (this.failWriteIn > 0 && --this.failWriteIn === 0) {
      return { allowed: Math.min(bytes, this.tornBytes), error: new Error("injected write failure") };
    }
    if (bytes > this.bytesLeft) return { allowed: this.bytesLeft, error: new Error("No space left on device") };
    this.bytesLeft -= bytes;
    return { allowed: bytes, error: undefined };
  }

  remember(path: string, undo: Undo): void {
    const undos = this.#undo.get(path);
    if (undos === undefined) this.#undo.set(path, [undo]);
    else undos.push(undo);
  }

  /** Counts a sync, and fails it when its turn has come; what was written before it is then safe. */
  beginSync(path: string): () => void {
    this.syncs++;
    if (this.failSyncIn > 0 && --this.failSyncIn === 0) throw new Error("injected sync failure");
    const covered = new Set(this.#undo.get(path));
    return () => {
      this.#undo.set(path, (this.#undo.get(path) ?? []).filter((undo) => !covered.has(undo)));
      this.#synced.set(path, this.syncsOf(path) + 1);
    };
  }

  /** How many syncs of a file ended well. */
  syncsOf(path: string): number {
    return this.#synced.get(path) ?? 0;
  }

  forget(file: FaultyFile): void {
    this.#open.delete(file);
  }
}

class FaultyFile implements DiskFile {
  #dead = false;

  constructor(readonly owner: FaultyDisk, readonly file: DiskFile) {}

  get path(): string {
    return this.file.path;
  }

  writeSync(bytes: Uint8Array, at: number): void {
    this.#alive();
    const { allowed, error } = this.owner.admit(bytes.length);
    this.#remember(at, allowed);
    if (allowed > 0) this.file.writeSync(bytes.subarray(0, allowed), at);
    if (error !== undefined) throw error;
  }

  readSync(into: Uint8Array, at: number): number {
    this.#alive();
    return this.file.readSync(into, at);
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    this.#alive();
    return await this.file.read(into, at);
  }

  truncateSync(size: number): void {
    this.#alive();
    const old = this.file.sizeSync();
    this.#remember(size, Math.max(0, old - size));
    this.file.truncateSync(size);
  }

  sizeSync(): number {
    return this.file.sizeSync();
  }

  async syncData(): Promise<void> {
    this.#alive();
    const done = this.owner.beginSync(this.path);
    await Promise.all([this.owner.holdSyncs, this.file.syncData()]);
    this.#alive();
    done();
  }

  syncDataSync(): void {
    this.#alive();
    const done = this.owner.beginSync(this.path);
    this.file.syncDataSync();
    done();
  }

  close(): void {
    this.owner.forget(this);
    this.file.close();
  }

  /** The process or machine that had the file open is gone. */
  die(): void {
    this.#dead = true;
    this.file.close();
  }

  #remember(at: number, length: number): void {
    const size = this.file.sizeSync();
    const old = new Uint8Array(Math.max(0, Math.min(length, size - at)));
    this.file.readSync(old, at);
    this.owner.remember(this.path, { at, old, size });
  }

  #alive(): void {
    if (this.#dead) throw new Error(`Cannot use ${this.path}: the power is gone`);
  }
}
