/**
 * Whether a store takes writes, and why not.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";

const logger = getLogger(["rocketd", "store"]);

/** A failure is final until the store is opened again: what the disk holds is then read anew. */
export class StoreState {
  /** What the disk refused; undefined while all is well. */
  failure: string | undefined;
  /** Why writes are refused for now, such as a full disk. */
  obstacle: string | undefined;
  closing = false;
  #noFile: string | undefined;

  get writable(): boolean {
    return this.failure === undefined && this.obstacle === undefined && !this.closing;
  }

  /** Why writes are refused, for a remark. */
  get refusal(): string {
    if (this.failure !== undefined) return `the store takes no writes until a restart: ${this.failure}`;
    return this.obstacle ?? (this.closing ? "the store is closing" : "");
  }

  /** Why messages are refused, or some of them: those that need the log's next file while it cannot be made. "" when none is. */
  get trouble(): string {
    return this.refusal || (this.#noFile === undefined ? "" : `a commit log file cannot be made: ${this.#noFile}`);
  }

  /** The log's next file cannot be made, and may be later; undefined once it is. Told to the log once. */
  set noFile(reason: string | undefined) {
    if (reason !== undefined && this.#noFile === undefined) {
      logger.error("A commit log file cannot be made, messages are refused: {reason}", { reason });
    }
    this.#noFile = reason;
  }

  /** Stops the writes for good; told to the log once. */
  fail(reason: string): void {
    if (this.failure !== undefined) return;
    this.failure = reason;
    logger.error("The store takes no more writes until a restart: {reason}", { reason });
  }
}
