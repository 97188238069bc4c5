/**
 * The machine's clock.
 *
 * @module
 */
import { systemClock } from "../../src/platform/clock.ts";
import { assertEquals } from "../../src/std.ts";

for (const kind of ["after", "every"] as const) {
  Deno.test(`a timer of "${kind}" that is cancelled when it is due runs no more`, async () => {
    let runs = 0;
    for (let i = 0; i < 50; i++) {
      let cancelled = false;
      const timer = systemClock[kind](1, () => {
        if (cancelled) runs++;
      });
      const read = Deno.readFile(import.meta.filename!).then(() => {
        timer.cancel();
        cancelled = true;
      });
      for (const end = Date.now() + 3; Date.now() < end;);
      await read;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(runs, 0);
  });
}
