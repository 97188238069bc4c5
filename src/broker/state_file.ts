/**
 * A small file with a broker's table, kept as RocketMQ keeps its config/*.json: FILE, and the content before it in
 * FILE.bak. A file that cannot be read gives way to its .bak, and that to nothing, each with a loud log.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { type Clock, pause } from "../platform/clock.ts";
import { type Disk, folderOf, FreshStateFile, makeFolderOn } from "../platform/disk.ts";
import { slicesOf } from "./slices.ts";

const log = getLogger(["rocketd", "broker"]);

/** One file and how its content is read and written. */
export interface StateForm<T> {
  /** Throws when the bytes are not what the file should hold. */
  decode(bytes: Uint8Array): T;
  /** The content as of now. */
  encode(): Uint8Array;
}

/** Loads once, saves on demand. */
export class StateFile<T> {
  #unsaved = false;
  #scheduled = false;
  /** A save that goes on over several turns. */
  #slow: { stopped: boolean } | undefined;

  constructor(readonly disk: Disk, readonly path: string, readonly form: StateForm<T>) {}

  /** The content of FILE, else of FILE.bak; undefined when neither is there or can be read. */
  load(): T | undefined {
    for (const path of [this.path, `${this.path}.bak`]) {
      const content = this.#read(path);
      if (content !== undefined) return content;
    }
    return undefined;
  }

  #read(path: string): T | undefined {
    if (!this.disk.existsSync(path)) return undefined;
    try {
      const bytes = this.disk.readFileSync(path);
      if (bytes.length === 0) throw new Error("it is empty");
      return this.form.decode(bytes);
    } catch (error) {
      log.error("Cannot read {path}: {reason}; going on without it", { path, reason: messageOf(error) });
      return undefined;
    }
  }

  /** Says that the content changed: it is written before this turn's answers go out, once for all its changes. */
  saveThisTurn(): void {
    this.#unsaved = true;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.save();
    });
  }

  /** Says that the content changed; somebody will call {@linkcode StateFile.save}. */
  touch(): void {
    this.#unsaved = true;
  }

  /** Writes what is not yet written; false when the disk refused it (logged; the next save tries again). */
  save(): boolean {
    if (this.#slow !== undefined) {
      this.#slow.stopped = true;
      this.#slow = undefined;
      this.#unsaved = true;
    }
    return !this.#unsaved || this.#write(() => this.form.encode());
  }

  #write(encode: () => Uint8Array): boolean {
    try {
      makeFolderOn(this.disk, folderOf(this.path));
      this.disk.writeStateFileSync(this.path, encode());
      this.#unsaved = false;
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    this.#unsaved = true;
    log.error("Cannot write {path}: {reason}; it holds old content until a later write succeeds", {
      path: this.path,
      reason: messageOf(error),
    });
  }

  /**
   * Writes as `save` does, but a great content slice by slice, so that others get their turns in between. What changes
   * meanwhile may or may not be in it, and is written by the save after it.
   *
   * @param pieces give the same text as `encode`
   */
  saveInTurns(clock: Clock, pieces: Iterable<string>): void {
    if (!this.#unsaved || this.#slow !== undefined) return;
    const slices = slicesOf(pieces);
    const first = slices.next();
    if (first.done) return void this.#write(() => first.value);
    this.#unsaved = false;
    const run = this.#slow = { stopped: false };
    this.#writeSlowly(first.value, slices, run, clock).catch((error) => this.#failed(error)).finally(() => {
      if (this.#slow === run) this.#slow = undefined;
    });
  }

  async #writeSlowly(
    first: Uint8Array,
    slices: Iterator<Uint8Array, Uint8Array>,
    run: { readonly stopped: boolean },
    clock: Clock,
  ): Promise<void> {
    makeFolderOn(this.disk, folderOf(this.path));
    const fresh = new FreshStateFile(this.disk, this.path);
    try {
      fresh.write(first);
      for (let done: boolean | undefined = false; !done;) {
        await pause(clock);
        // The file beside belongs to the save that stopped this one.
        if (run.stopped) return;
        const slice = slices.next();
        fresh.write(slice.value);
        done = slice.done;
      }
      await fresh.file.syncData();
    } finally {
      fresh.file.close();
    }
    if (!run.stopped) fresh.takeOver();
  }
}
