/**
 * Sends traces: gathers them, and brings many with one message to a topic of their own (`AsyncTraceDispatcher` of RocketMQ
 * 4.9.7). What cannot be kept up with, or sent, is dropped and counted: messages come first.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import { TRACE_BYTES_MAX, TRACES_AT_ONCE, TRACES_HELD_MAX } from "../../limits.ts";
import { LineBudget } from "../../logging/line_budget.ts";
import type { OutgoingMessage } from "../message.ts";

const log = getLogger(["rocketd", "client"]);

/** How long traces gather before they are sent, ms (`pollingTimeMil`). */
const GATHER_MS = 100;
/** How long what is left at the end is still sent, ms. */
const CLOSING_MS = 10_000;
/** How often it is told that traces were dropped, ms. */
const DROPPED_TOLD_EVERY_MS = 10_000;

/** Text of a trace, and the keys by which it is found. */
export interface Trace {
  readonly text: string;
  readonly keys: readonly string[];
}

/** Who brings traces to brokers. */
export interface TraceSink {
  send(message: OutgoingMessage): Promise<unknown>;
  close(): Promise<void>;
}

/** Gathers traces and sends them. */
export class TraceDispatcher {
  readonly #open: () => TraceSink;
  #sink: TraceSink | undefined;
  #held: Trace[] = [];
  #dropped = 0;
  #reason = "";
  readonly #lines = new LineBudget(1, DROPPED_TOLD_EVERY_MS);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #closedAt = Infinity;

  /** `topic`: where traces go. `open`: called once, for the first trace. */
  constructor(readonly topic: string, open: () => TraceSink) {
    this.#open = open;
  }

  /** Takes a trace; never throws. */
  append(trace: Trace): void {
    if (this.#isClosed) return;
    if (this.#held.length >= TRACES_HELD_MAX) return this.#drop(1, "they come too fast");
    this.#held.push(trace);
    if (this.#sending === undefined) this.#flushSoon();
  }

  /** Sends what is left, as far as that does not take long. */
  async close(): Promise<void> {
    this.#closedAt = Date.now();
    await this.#flush();
    if (this.#dropped > 0) this.#tellOfDropped();
    await this.#sink?.close();
  }

  get #isClosed(): boolean {
    return this.#closedAt !== Infinity;
  }

  #drop(count: number, reason: string): void {
    this.#dropped += count;
    this.#reason = reason;
  }

  /** One after the other; a call meanwhile waits for the same. Never rejects. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (this.#held.length > 0) this.#flushSoon();
    });
  }

  #flushSoon(): void {
    this.#timer ??= setTimeout(() => void this.#flush(), GATHER_MS);
  }

  async #sendAll(): Promise<void> {
    while (this.#held.length > 0) {
      const traces = this.#take();
      try {
        if (Date.now() > this.#closedAt + CLOSING_MS) throw new Error("closing takes too long");
        this.#sink ??= this.#open();
        const keys = [...new Set(traces.flatMap((trace) => trace.keys))];
        await this.#sink.send({ topic: this.topic, keys, body: traces.map(({ text }) => text).join("") });
      } catch (error) {
        this.#drop(traces.length, messageOf(error));
      }
      if (this.#dropped > 0 && this.#lines.spend(Date.now()) !== undefined) this.#tellOfDropped();
    }
  }

  #tellOfDropped(): void {
    log.warn("dropped {count} traces: {reason}", { count: this.#dropped, reason: this.#reason });
    this.#dropped = 0;
  }

  /** The next traces, as many as one message takes. */
  #take(): Trace[] {
    let length = 0, count = 0;
    for (const { text, keys } of this.#held) {
      // The keys are properties, of which a message can have less.
      length += text.length + keys.join(" ").length;
      if (count > 0 && (count >= TRACES_AT_ONCE || length > TRACE_BYTES_MAX)) break;
      count++;
    }
    return this.#held.splice(0, count);
  }
}
