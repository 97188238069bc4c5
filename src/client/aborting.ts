/**
 * Ends a wait when its caller's `AbortSignal` says so.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";

/** What `work` resolves to, unless the signal is or gets aborted first: then it rejects with `aborted`. */
export async function unlessAborted<T>(signal: AbortSignal, what: string, work: () => Promise<T>): Promise<T> {
  const aborted = () => new RocketdError("aborted", `${what} was given up`, { cause: signal.reason });
  if (signal.aborted) throw aborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const listener = () => reject(aborted());
  signal.addEventListener("abort", listener, { once: true });
  try {
    return await Promise.race([promise, work()]);
  } finally {
    signal.removeEventListener("abort", listener);
  }
}
