/**
 * How far a command has come, on standard error: one line that is written over on a terminal, else a line every few
 * seconds.
 *
 * @module
 */
import { complain } from "./output.ts";

const TERMINAL_INTERVAL_MS = 200;
const LOG_INTERVAL_MS = 5000;

/** Shows the text that `describe` gives from time to time, until it is stopped. */
export class Progress implements Disposable {
  readonly #terminal = Deno.stderr.isTerminal();
  readonly #timer: ReturnType<typeof setInterval>;
  #writing = false;
  #last = "";

  /** `terminalMs`: between two states on a terminal. */
  constructor(private readonly describe: () => string, terminalMs = TERMINAL_INTERVAL_MS) {
    this.#timer = setInterval(() => this.#show(), this.#terminal ? terminalMs : LOG_INTERVAL_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Ends it, leaving the last state on a line of its own. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await complain(this.#terminal ? `\r\x1b[K${this.describe()}\n` : `${this.describe()}\n`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #show(): Promise<void> {
    const text = this.describe();
    // A reader that is slow, or a state that has not changed, needs no further line.
    if (this.#writing || text === this.#last) return;
    this.#last = text;
    this.#writing = true;
    try {
      await complain(this.#terminal ? `\r\x1b[K${text}` : `${text}\n`);
    } finally {
      this.#writing = false;
    }
  }
}
