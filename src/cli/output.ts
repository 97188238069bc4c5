/**
 * Text for the person or script at the other end of standard output and standard error.
 *
 * @module
 */
const encoder = new TextEncoder();

async function writeAll(stream: typeof Deno.stdout, text: string): Promise<void> {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
  } catch (error) {
    // The reader has gone, as `head` does.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Writes to standard output. */
export function print(text: string): Promise<void> {
  return writeAll(Deno.stdout, text);
}

/** Writes to standard error. */
export function complain(text: string): Promise<void> {
  return writeAll(Deno.stderr, text);
}
