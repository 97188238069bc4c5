/**
 * Ends a wait when its caller's `AbortSignal` says so.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";

/** What `work` resolves to, unless the signal, if there is one, is or gets aborted first: then it rejects with `aborted`. */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return await work();
  goOn(signal, what);
  const { promise, reject } = Promise.withResolvers<never>();
  const listener = () => reject(aborted(signal, what));
  signal.addEventListener("abort", listener, { once: true });
  try {
    return await Promise.race([promise, work()]);
  } finally {
    signal.removeEventListener("abort", listener);
  }
}

/** Throws `aborted` when the signal is aborted: before what cannot be taken back. */
export function goOn(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw aborted(signal, what);
}

function aborted({ reason }: AbortSignal, what: string): RocketdError {
  return new RocketdError("aborted", `${what} was given up`, { cause: reason });
}
