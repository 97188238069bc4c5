/**
 * @module
 */
import { type HeldPull, HeldPulls, NOT_HELD } from "../../src/broker/held_pulls.ts";
import { HELD_PULLS_ENDED_PER_TURN } from "../../src/limits.ts";
import type { Clock, Timer } from "../../src/platform/clock.ts";
import type { Connection } from "../../src/remoting/connection.ts";
import { assertEquals } from "../../src/std.ts";

/** A clock that stands still until it is told to go on. */
class HandClock implements Clock {
  #now = 1_700_000_000_000;
  #ticking: (() => void)[] = [];
  /** What is to be done in a later turn. */
  readonly later: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  every(_ms: number, fn: () => void): Timer {
    this.#ticking.push(fn);
    return { cancel: () => this.#ticking = this.#ticking.filter((other) => other !== fn) };
  }

  after(_ms: number, fn: () => void): Timer {
    this.later.push(fn);
    return { cancel: () => {} };
  }

  go(ms: number): void {
    this.#now += ms;
    for (const fn of this.#ticking) fn();
  }
}

/** What HeldPulls needs of a connection: to hear that it closed. */
function connection(): { connection: Connection; close: () => void } {
  const listeners: (() => void)[] = [];
  const fake = { onClose: (callback: () => void) => listeners.push(callback) };
  return { connection: fake as unknown as Connection, close: () => listeners.forEach((callback) => callback()) };
}

function pullOf(queueId: number, deadline: number, on = connection().connection, wanted = true) {
  const calls: string[] = [];
  const pull: HeldPull = {
    topic: "T",
    queueId,
    connection: on,
    deadline,
    tick: NOT_HELD,
    arrived: () => {
      calls.push("arrived");
      return wanted;
    },
    expired: () => calls.push("expired"),
  };
  return { pull, calls };
}

Deno.test("HeldPulls asks only the pulls of the queue that grew", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const a = pullOf(0, clock.now() + 1000), b = pullOf(1, clock.now() + 1000);
  held.hold(a.pull);
  held.hold(b.pull);
  held.arrived("T", 0);
  held.arrived("T", 0);
  held.arrived("other", 1);
  assertEquals([a.calls, b.calls], [["arrived"], []]);
  assertEquals(held.size, 1);
  held.close();
});

Deno.test("HeldPulls keeps a pull that did not want what arrived, until its time is over", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const { pull, calls } = pullOf(0, clock.now() + 1000, undefined, false);
  held.hold(pull);
  held.arrived("T", 0);
  clock.go(900);
  assertEquals(calls, ["arrived"]);
  clock.go(600);
  assertEquals(calls, ["arrived", "expired"]);
  assertEquals(held.size, 0);
  clock.go(60_000);
  assertEquals(calls.length, 2);
  held.close();
});

Deno.test("HeldPulls follows a deadline that was drawn nearer on arrival", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const { pull, calls } = pullOf(0, clock.now() + 60_000, undefined, false);
  const arrived = pull.arrived;
  pull.arrived = () => {
    pull.deadline = clock.now() + 1000;
    return arrived();
  };
  held.hold(pull);
  held.arrived("T", 0);
  clock.go(1500);
  assertEquals(calls, ["arrived", "expired"]);
  held.close();
});

Deno.test("HeldPulls lets go of the pulls of a connection that closed, without a call", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const gone = connection();
  const a = pullOf(0, clock.now() + 1000, gone.connection), b = pullOf(0, clock.now() + 1000);
  held.hold(a.pull);
  held.hold(b.pull);
  gone.close();
  assertEquals(held.size, 1);
  held.arrived("T", 0);
  clock.go(5000);
  assertEquals([a.calls, b.calls], [[], ["arrived"]]);
  held.close();
});

Deno.test("HeldPulls answers everything after a sleep of an hour and when it closes", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const pulls = Array.from({ length: 50 }, (_, i) => pullOf(i, clock.now() + i * 300));
  for (const { pull } of pulls) held.hold(pull);
  clock.go(3_600_000);
  assertEquals(pulls.map(({ calls }) => calls), pulls.map(() => ["expired"]));
  const last = pullOf(0, clock.now() + 1000);
  held.hold(last.pull);
  held.close();
  assertEquals([last.calls, held.size], [["expired"], 0]);
});

Deno.test("HeldPulls holds nothing once it is closed, not even what comes while it answers the last", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const last = pullOf(0, clock.now() + 1000), late = pullOf(0, clock.now() + 1000);
  const accepted: boolean[] = [];
  last.pull.expired = () => accepted.push(held.hold(late.pull));
  held.hold(last.pull);
  held.close();
  accepted.push(held.hold(late.pull));
  assertEquals([accepted, held.size], [[false, false], 0]);
});

Deno.test("HeldPulls answers no more than a turn's worth of pulls at once when their time is over", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const count = 2 * HELD_PULLS_ENDED_PER_TURN + 10;
  const pulls = Array.from({ length: count }, () => pullOf(0, clock.now() + 1000));
  for (const { pull } of pulls) held.hold(pull);
  const late = pullOf(0, clock.now() + 60_000);
  held.hold(late.pull);
  clock.go(1500);
  const sizes = [held.size];
  while (clock.later.length > 0) {
    clock.later.shift()!();
    sizes.push(held.size);
  }
  assertEquals(sizes, [HELD_PULLS_ENDED_PER_TURN + 11, 11, 1]);
  assertEquals(pulls.every(({ calls }) => calls.join() === "expired"), true);
  clock.go(60_000);
  assertEquals([late.calls, held.size], [["expired"], 0]);
  held.close();
});

Deno.test("HeldPulls survives an answer that closes the connection of the pulls it is asking", () => {
  const clock = new HandClock(), held = new HeldPulls(clock);
  const gone = connection();
  const [a, b] = [pullOf(0, clock.now() + 1000, gone.connection), pullOf(0, clock.now() + 1000, gone.connection)];
  const other = pullOf(0, clock.now() + 1000);
  a.pull.arrived = () => {
    gone.close();
    return true;
  };
  for (const { pull } of [a, b, other]) held.hold(pull);
  held.arrived("T", 0);
  assertEquals([b.calls, other.calls, held.size], [[], ["arrived"], 0]);
  held.close();
});
