/**
 * When which request is due. With a rate, requests fall due at fixed times whatever becomes of those before (an open
 * loop), and the latency of each counts from then: a broker that stalls shows in all that had to wait meanwhile.
 *
 * @module
 */

/** How long after the end what was due before it may still be sent, ms: the last timer may wake late. */
const LAST_MS = 20;
/**
 * What a timer may wake late without it counting as the broker's latency, ms: one of less than a millisecond takes a
 * whole one, and to this Deno adds up to one, and the system another. On an idle machine one wake-up in seven is later
 * than 2 ms, one in a thousand later than 4.
 */
const TIMER_SLACK_MS = 3;

/** By how much the number of requests that are due may be off, since numbers have 53 bits. */
const INEXACTNESS = 1e-6;

/** Steps in which is told how long requests have waited. */
const WAITS_TOLD_MAX = 10_000;

/** Gives out requests, one after the other. All times are of `performance.now()`, ms. */
export class Schedule {
  /** Requests that were given out. */
  taken = 0;
  #due = 0;
  /** Requests that fell due before the last {@linkcode release}. */
  #settled = 0;
  /** When the last {@linkcode release} was. */
  #released = 0;
  #began = 0;
  #until = 0;

  /** `perSecond`: requests that fall due each second; 0: whenever one can be sent. `max`: how many there are. */
  constructor(readonly perSecond: number, readonly max: number) {}

  /** Begins; after `until` nothing is given out any more. */
  begin(now: number, until: number): void {
    this.#began = this.#released = now;
    this.#until = until;
  }

  /** Gives out nothing more. */
  end(now: number): void {
    this.#until = Math.min(this.#until, now);
  }

  /** Gives out nothing more but what was released: nobody can tell whether what fell due since would have had to wait. */
  cut(): void {
    this.end(this.#released);
  }

  /** Time between two requests, ms. */
  get interval(): number {
    return this.perSecond === 0 ? 0 : 1000 / this.perSecond;
  }

  /** Whether nothing more will be given out. */
  over(now: number): boolean {
    if (this.taken >= this.max) return true;
    if (now < this.#until) return false;
    return this.perSecond === 0 || now >= this.#until + LAST_MS || this.taken >= this.#dueBefore(this.#until);
  }

  /** Requests that were due before the end and were not given out, since too many were in flight. */
  behind(now: number): number {
    if (this.perSecond === 0) return 0;
    return Math.max(0, this.#dueBefore(Math.min(now, this.#until)) - this.taken);
  }

  /** Requests that fell due and were not given out yet. */
  get waiting(): number {
    return this.#due - this.taken;
  }

  /** Tells how long those that are behind have waited, ms, in some steps with how many each stands for. */
  *waits(now: number): Generator<[ms: number, count: number]> {
    const behind = this.behind(now);
    const step = Math.ceil(behind / WAITS_TOLD_MAX);
    for (let told = 0; told < behind; told += step) {
      yield [now - this.#dueAt(this.taken + told), Math.min(step, behind - told)];
    }
  }

  /** Lets all fall due that are by now, and gives the time until the next one, ms. */
  release(now: number): number {
    this.#settled = this.#due;
    this.#released = now;
    this.#due = this.#dueBefore(Math.min(now, this.#until));
    return this.#dueAt(this.#due) - now;
  }

  /** What was released and not taken at once waits, and its latency with it. */
  settle(): void {
    this.#settled = this.#due;
  }

  /** The time from which the next request's latency counts; undefined when none is due. */
  take(now: number): number | undefined {
    if (this.over(now)) return undefined;
    if (this.perSecond === 0) {
      this.taken++;
      return now;
    }
    if (this.taken >= this.#due) return undefined;
    const number = this.taken++;
    const dueAt = this.#dueAt(number);
    return number >= this.#settled && now - dueAt <= TIMER_SLACK_MS ? now : dueAt;
  }

  #dueAt(number: number): number {
    return this.#began + number * 1000 / this.perSecond;
  }

  #dueBefore(time: number): number {
    const due = (time - this.#began) * this.perSecond / 1000;
    return Math.min(this.max, Math.ceil(due - INEXACTNESS));
  }
}
