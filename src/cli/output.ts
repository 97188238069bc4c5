/**
 * Text for the person or script at the other end of standard output and standard error.
 *
 * @module
 */
const encoder = new TextEncoder();

async function writeAll(stream: typeof Deno.stdout, text: string): Promise<boolean> {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}

/** Writes to standard output. False: its reader has gone, as `head` does, and who has more to say should end. */
export function print(text: string): Promise<boolean> {
  return writeAll(Deno.stdout, text);
}

/** Writes to standard error. */
export async function complain(text: string): Promise<void> {
  await writeAll(Deno.stderr, text);
}

/** A peer's text, which may not move the cursor or colour the screen; line breaks stay where `breaks` allows them. */
export function printable(text: string, breaks = ""): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (control) => {
    return breaks.includes(control) ? control : `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
