/**
 * Great answers made in slices, so that nobody else waits for long, and with an end.
 *
 * @module
 */
import { HTTP_MS_PER_TURN } from "../limits.ts";
import { type Clock, pause, systemClock } from "../platform/clock.ts";

/** What slices are measured with. */
export interface SliceOptions {
  /** Where the text ends at the latest. */
  readonly charactersMax: number;
  readonly clock?: Pick<Clock, "after">;
  /** ms since some moment, whatever the clock is set to. */
  readonly elapsed?: () => number;
}

/** A text in UTF-8, in pieces. */
export interface Sliced {
  readonly slices: Uint8Array[];
  /** Whether all of the pieces are in it; else it ends behind one of them. */
  readonly complete: boolean;
}

const encoder = new TextEncoder();

/** Puts the pieces of a text together; others have their turn every few ms. */
export async function inSlices(pieces: Iterable<string>, options: SliceOptions): Promise<Sliced> {
  const { charactersMax, clock = systemClock, elapsed = () => performance.now() } = options;
  const slices: Uint8Array[] = [];
  let slice = "", characters = 0;
  let began = elapsed();
  const taken = () => {
    slices.push(encoder.encode(slice));
    slice = "";
  };
  for (const piece of pieces) {
    characters += piece.length;
    if (characters > charactersMax) {
      taken();
      return { slices, complete: false };
    }
    slice += piece;
    if (elapsed() - began < HTTP_MS_PER_TURN) continue;
    taken();
    await pause(clock);
    began = elapsed();
  }
  taken();
  return { slices, complete: true };
}

/** An answer whose body is in pieces. */
export function slicedResponse(slices: readonly Uint8Array[], type: string, status = 200): Response {
  return new Response(ReadableStream.from(slices), { status, headers: { "content-type": type } });
}
