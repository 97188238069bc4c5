/**
 * Long work done slice by slice, so that a table of hundreds of thousands of entries holds up nobody.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { LARGE_ANSWERS_MS_PER_TURN, STATE_SLICE_CHARACTERS } from "../limits.ts";
import { type Clock, pause } from "../platform/clock.ts";

const encoder = new TextEncoder();

/** Does something with each item; others get their turn whenever that took {@linkcode LARGE_ANSWERS_MS_PER_TURN}. */
export async function inTurns<T>(items: Iterable<T>, clock: Clock, each: (item: T) => void): Promise<void> {
  let began = clock.now();
  for (const item of items) {
    each(item);
    if (clock.now() - began < LARGE_ANSWERS_MS_PER_TURN) continue;
    await pause(clock);
    began = clock.now();
  }
}

/**
 * UTF-8 of about {@linkcode STATE_SLICE_CHARACTERS} at a time, or less when `isLate` says so; the last slice is returned.
 */
export function* slicesOf(pieces: Iterable<string>, isLate = () => false): Generator<Uint8Array, Uint8Array> {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length < STATE_SLICE_CHARACTERS && !isLate()) continue;
    yield encoder.encode(text);
    text = "";
  }
  return encoder.encode(text);
}

/**
 * The whole text, a slice each turn, and no turn longer than {@linkcode LARGE_ANSWERS_MS_PER_TURN} where pieces take their
 * time; a short one is there at once. Throws `refused` when it has more than `bytesMax`
 * bytes.
 */
export async function encodeInTurns(
  pieces: Iterable<string>,
  clock: Clock,
  bytesMax = Infinity,
): Promise<Uint8Array> {
  let began = clock.now();
  const slices = slicesOf(pieces, () => clock.now() - began >= LARGE_ANSWERS_MS_PER_TURN);
  const made: Uint8Array[] = [];
  let length = 0;
  for (let slice = slices.next();; slice = slices.next()) {
    made.push(slice.value);
    length += slice.value.length;
    if (length > bytesMax) throw new RocketdError("refused", `the answer has more than ${bytesMax} bytes`);
    if (slice.done) break;
    await pause(clock);
    began = clock.now();
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const slice of made) {
    whole.set(slice, at);
    at += slice.length;
  }
  return whole;
}
