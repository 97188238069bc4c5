/**
 * A disk that counts what is done to it and which files are open, for tests that bound work without measuring time.
 *
 * @module
 */
import { denoDisk, type Disk, type DiskFile } from "../../src/platform/disk.ts";

/** The real disk with counters. */
export class CountingDisk {
  opened = 0;
  reads = 0;
  writes = 0;
  syncs = 0;
  bytesRead = 0;
  /** Bytes that the largest read asked for, asynchronous ones too. */
  largestRead = 0;
  readonly disk: Disk = {
    ...denoDisk,
    openSync: (path, options) => this.#count(denoDisk.openSync(path, options)),
  };

  readonly #open = new Set<DiskFile>();

  get openNow(): number {
    return this.#open.size;
  }

  /** Closes every file, as the system does for a process that dies. */
  kill(): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }

  #count(file: DiskFile): DiskFile {
    this.opened++;
    this.#open.add(file);
    return {
      path: file.path,
      writeSync: (bytes, at) => {
        this.writes++;
        file.writeSync(bytes, at);
      },
      readSync: (into, at) => {
        this.reads++;
        this.largestRead = Math.max(this.largestRead, into.length);
        const read = file.readSync(into, at);
        this.bytesRead += read;
        return read;
      },
      read: (into, at) => {
        this.largestRead = Math.max(this.largestRead, into.length);
        return file.read(into, at);
      },
      truncateSync: (size) => file.truncateSync(size),
      sizeSync: () => file.sizeSync(),
      syncData: () => {
        this.syncs++;
        return file.syncData();
      },
      syncDataSync: () => {
        this.syncs++;
        file.syncDataSync();
      },
      close: () => {
        this.#open.delete(file);
        file.close();
      },
    };
  }
}

/** Runs a test in a folder of its own, which is removed afterwards. */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "rocketd-store-" });
  try {
    await test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Bytes as lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
