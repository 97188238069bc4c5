/**
 * Pulls that found nothing and wait for a message (long polling, PullRequestHoldService 4.9.7). A wake-up costs by the
 * pulls held for that queue, never by those of others; time-outs are kept in buckets of a tick.
 *
 * @module
 */
import { HELD_PULLS_ENDED_PER_TURN, HELD_PULLS_MAX } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Connection } from "../remoting/connection.ts";

const TICK_MS = 250;
/** The bucket of a pull that is not held. */
export const NOT_HELD = -1;

/** What waits: asked again when its queue grew or its time is over. */
export interface HeldPull {
  readonly topic: string;
  readonly queueId: number;
  readonly connection: Pick<Connection, "onClose">;
  /** When it is answered whatever there is, ms. */
  deadline: number;
  /** The bucket it lies in; {@linkcode HeldPulls} alone writes it. */
  tick: number;
  /** Called when the queue has grown; true when it was answered and need not wait on. */
  arrived(): boolean;
  /** Called once, when the deadline has passed or the broker stops. */
  expired(): void;
}

/** All held pulls of a broker. */
export class HeldPulls {
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #byQueue = new Map<string, Map<number, Set<HeldPull>>>();
  readonly #byTick = new Map<number, Set<HeldPull>>();
  readonly #byConnection = new Map<HeldPull["connection"], Set<HeldPull>>();
  #size = 0;
  #closed = false;
  #nextTick: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#nextTick = tickOf(clock.now());
    this.#timer = clock.every(TICK_MS, () => this.#expire());
  }

  /** How many pulls are held. */
  get size(): number {
    return this.#size;
  }

  /** Holds a pull; false when so many are held, or the broker stops, that it must be answered now. */
  hold(pull: HeldPull): boolean {
    if (this.#closed || this.#size >= HELD_PULLS_MAX) return false;
    this.#size++;
    let queues = this.#byQueue.get(pull.topic);
    if (queues === undefined) this.#byQueue.set(pull.topic, queues = new Map());
    add(queues, pull.queueId, pull);
    this.#schedule(pull);
    let own = this.#byConnection.get(pull.connection);
    if (own === undefined) {
      this.#byConnection.set(pull.connection, own = new Set());
      pull.connection.onClose(() => this.#connectionClosed(pull.connection));
    }
    own.add(pull);
    return true;
  }

  /** A queue has grown: asks its pulls again. */
  arrived(topic: string, queueId: number): void {
    const pulls = this.#byQueue.get(topic)?.get(queueId);
    if (pulls === undefined) return;
    for (const pull of [...pulls]) {
      // The answer to one may have closed the connection of others.
      if (pull.tick === NOT_HELD) continue;
      if (pull.arrived()) this.#remove(pull);
      else if (pull.tick !== NOT_HELD) this.#schedule(pull);
    }
  }

  /** Answers all that waits, and holds nothing any more. */
  close(): void {
    this.#closed = true;
    this.#timer.cancel();
    for (const pulls of this.#byTick.values()) for (const pull of pulls) this.#end(pull);
  }

  /** Puts a pull into the bucket of its deadline. */
  #schedule(pull: HeldPull): void {
    const tick = Math.max(tickOf(pull.deadline) + 1, this.#nextTick);
    if (tick === pull.tick) return;
    if (pull.tick !== NOT_HELD) drop(this.#byTick, pull.tick, pull);
    pull.tick = tick;
    add(this.#byTick, tick, pull);
  }

  #expire(): void {
    const now = tickOf(this.#clock.now());
    let left = HELD_PULLS_ENDED_PER_TURN;
    for (const pull of this.#due(now)) {
      if (left-- === 0) return void this.#clock.after(0, () => this.#expire());
      this.#end(pull);
    }
    this.#nextTick = now + 1;
  }

  *#due(now: number): Generator<HeldPull> {
    // After a long sleep of the machine the buckets are fewer than the ticks.
    if (now - this.#nextTick > this.#byTick.size) {
      for (const [tick, pulls] of this.#byTick) if (tick <= now) yield* pulls;
    } else {
      for (let tick = this.#nextTick; tick <= now; tick++) yield* this.#byTick.get(tick) ?? [];
    }
  }

  #end(pull: HeldPull): void {
    this.#remove(pull);
    pull.expired();
  }

  #remove(pull: HeldPull): void {
    if (pull.tick === NOT_HELD) return;
    this.#size--;
    const queues = this.#byQueue.get(pull.topic)!;
    drop(queues, pull.queueId, pull);
    if (queues.size === 0) this.#byQueue.delete(pull.topic);
    drop(this.#byTick, pull.tick, pull);
    pull.tick = NOT_HELD;
    this.#byConnection.get(pull.connection)?.delete(pull);
  }

  #connectionClosed(connection: HeldPull["connection"]): void {
    const pulls = this.#byConnection.get(connection) ?? [];
    this.#byConnection.delete(connection);
    for (const pull of pulls) this.#remove(pull);
  }
}

function tickOf(ms: number): number {
  return Math.floor(ms / TICK_MS);
}

function add<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}

function drop<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set?.delete(value) && set.size === 0) sets.delete(key);
}
