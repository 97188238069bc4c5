/**
 * What a run has counted so far: may be looked at while it goes on.
 *
 * @module
 */
import { BENCH_PROBLEMS_TOLD_MAX } from "../../limits.ts";
import { Histogram } from "./histogram.ts";

/** Counts of all connections. */
export class Figures {
  answered = 0;
  readonly failed: Record<number, number> = {};
  refused = 0;
  messages = 0;
  bytes = 0;
  /** Requests on their way, but for pulls that brokers may hold. */
  inFlight = 0;
  /** Requests whose connection broke. */
  abandoned = 0;
  connectionsLost = 0;
  /** When something was read last, of `performance.now()`. */
  lastReadAt = 0;
  /** When an answer or message last came that counts, of `performance.now()`. */
  lastAnswerAt = 0;
  /** Of requests; for e2e of messages that arrived. */
  readonly latencies = new Histogram();
  readonly problems: string[] = [];

  /** An answer that is not what was asked for; gives whether its remark is worth reading. */
  refuse(code: number): boolean {
    this.refused++;
    const before = this.failed[code] ?? 0;
    this.failed[code] = before + 1;
    return before === 0;
  }

  /** Tells what went wrong, once. */
  trouble(text: string): void {
    if (this.problems.length < BENCH_PROBLEMS_TOLD_MAX && !this.problems.includes(text)) this.problems.push(text);
  }
}
