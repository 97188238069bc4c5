import { HalfProgress } from "../../src/broker/half_progress.ts";
import { ENDED_CHUNKS_MAX, HALVES_PER_ENDED_CHUNK, OP_MARKS_MAX, RENEWED_HALVES_MAX } from "../../src/limits.ts";
import { assert, assertEquals } from "../../src/std.ts";

Deno.test("An op message ends its half message, and only that one", () => {
  const progress = new HalfProgress(10, 5);
  for (const [i, half] of [12, 10, 70_000].entries()) assert(progress.takeOp(5 + i, half));
  const ended = [10, 11, 12, 13, 69_999, 70_000, 70_001].filter((half) => progress.isEnded(half));
  assertEquals(ended, [10, 12, 70_000]);
  assertEquals(progress.nextOp, 8);
});

Deno.test("Op messages are taken in their order only", () => {
  const progress = new HalfProgress(0, 5);
  assert(!progress.takeOp(6, 1));
  assert(!progress.takeOp(4, 1));
  assert(!progress.isEnded(1));
  assert(progress.takeOp(5, undefined), "one that names nothing counts too");
  assert(progress.takeOp(6, 1));
  assert(progress.isEnded(1));
});

Deno.test("After a restart op messages are read again until every half message that they name is passed", () => {
  const progress = new HalfProgress(0, 0);
  progress.takeOp(0, 3);
  progress.takeOp(1, 1);
  progress.mark();
  progress.takeOp(2, 7);
  progress.mark();
  const safeAfter = [1, 3, 4, 7, 8].map((half) => {
    progress.passTo(half);
    progress.mark();
    return [half, progress.safeOp];
  });
  assertEquals(safeAfter, [[1, 0], [3, 0], [4, 2], [7, 2], [8, 3]]);
});

Deno.test("Many rounds without progress keep few marks, and none is passed too early", () => {
  const progress = new HalfProgress(0, 0);
  for (let op = 0; op < 2 * OP_MARKS_MAX; op++) {
    progress.takeOp(op, op + 1);
    progress.mark();
  }
  progress.passTo(2 * OP_MARKS_MAX - 1);
  progress.mark();
  assert(progress.safeOp < 2 * OP_MARKS_MAX - 1, `op messages before ${progress.safeOp} are not needed`);
  progress.passTo(2 * OP_MARKS_MAX + 1);
  progress.mark();
  assertEquals(progress.safeOp, 2 * OP_MARKS_MAX);
});

Deno.test("What has ended far ahead has a bound, and goes on once there is room", () => {
  const progress = new HalfProgress(0, 0);
  for (let chunk = 0; chunk < ENDED_CHUNKS_MAX; chunk++) {
    assert(progress.takeOp(chunk, chunk * HALVES_PER_ENDED_CHUNK));
  }
  const next = ENDED_CHUNKS_MAX * HALVES_PER_ENDED_CHUNK;
  assert(!progress.takeOp(ENDED_CHUNKS_MAX, next));
  progress.passTo(HALVES_PER_ENDED_CHUNK);
  assert(progress.takeOp(ENDED_CHUNKS_MAX, next));
  assert(progress.isEnded(next));
});

Deno.test("The newest copy of a half message is found over all its copies; the oldest are forgotten", () => {
  const progress = new HalfProgress(0, 0);
  progress.renewed(1, 5);
  progress.renewed(5, 9);
  progress.renewed(9, 12);
  assertEquals([1, 5, 9, 12, 2].map((half) => progress.newestOf(half)), [12, 12, 12, 12, 2]);
  for (let half = 100; half < 100 + RENEWED_HALVES_MAX; half++) progress.renewed(half, half + RENEWED_HALVES_MAX);
  assertEquals(progress.newestOf(1), 1);
  assertEquals(progress.newestOf(100), 100 + RENEWED_HALVES_MAX);
});

Deno.test("Copies make no circle, whoever says which is whose", () => {
  const progress = new HalfProgress(0, 0);
  for (const [half, copy] of [[0, 1], [1, 1], [1, 0], [7, 3], [3, 5]] as const) progress.renewed(half, copy);
  assertEquals([0, 1, 7, 3].map((half) => progress.newestOf(half)), [1, 1, 7, 5]);
});
