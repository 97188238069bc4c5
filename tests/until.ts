/**
 * Waits for what other tasks, processes or machines bring about.
 *
 * @module
 */

const PATIENCE_MS = 60_000;

/** Looks again and again until it is so; fails when it has not come in a minute. */
export async function until(isSo: () => boolean | Promise<boolean>, what?: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS;;) {
    const so = isSo();
    if (so === true || await so) return;
    if (Date.now() > end) throw new Error(`this did not come within ${PATIENCE_MS} ms: ${what ?? isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
