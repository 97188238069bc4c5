/**
 * What ends too early is seen by the time; what never ends leaves a promise that never resolves, which fails the test.
 *
 * @module
 */
import { Deadlines } from "../../src/remoting/deadlines.ts";
import { assert, assertEquals } from "../../src/std.ts";

/** Waits that end when Deadlines looks at them, and not before their time. */
class Waits {
  readonly #left = new Map<number, () => void>();
  readonly deadlines = new Deadlines((now) => {
    for (const [deadline, end] of this.#left) {
      if (deadline > now) continue;
      this.#left.delete(deadline);
      end();
    }
    return Math.min(...this.#left.keys());
  });

  /** Resolves when it has ended. */
  async wait(ms: number): Promise<void> {
    const now = performance.now(), deadline = now + ms;
    await new Promise<void>((resolve) => {
      this.#left.set(deadline, resolve);
      this.deadlines.add(deadline, now);
    });
    assert(performance.now() >= deadline, `a wait of ${ms} ms ended before its time`);
  }

  /** All are over before their time, as most are. */
  drop(): void {
    this.#left.clear();
  }
}

Deno.test("Deadlines end each wait, and none before its time, in whichever order they came", async () => {
  const waits = new Waits();
  await Promise.all([60, 10, 30, 20].map((ms) => waits.wait(ms)));
});

Deno.test("Deadlines begin anew when nothing was left to wait", async () => {
  const waits = new Waits();
  await waits.wait(1);
  await waits.wait(1);
  void waits.wait(5);
  waits.drop();
  await waits.wait(20);
});

Deno.test("Deadlines that stop leave no timer behind", () => {
  const waits = new Waits();
  void waits.wait(60_000);
  waits.deadlines.stop();
});

Deno.test("Deadlines that stop while they end a wait leave no timer behind", async () => {
  const ended = Promise.withResolvers<void>();
  const deadlines = new Deadlines(() => {
    deadlines.stop();
    ended.resolve();
    return performance.now() + 60_000;
  });
  deadlines.add(performance.now() + 1, performance.now());
  await ended.promise;
});

Deno.test("Deadlines that are further away than a timer reaches are not looked at again and again", async () => {
  let looks = 0;
  const deadlines = new Deadlines(() => {
    looks++;
    return performance.now() + 2 ** 40;
  });
  deadlines.add(performance.now() + 2 ** 40, performance.now());
  // A timer of such a time would end within the first of these.
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  deadlines.stop();
  assertEquals(looks, 0);
});
