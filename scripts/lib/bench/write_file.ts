/**
 * Writes records to files and does nothing else: `write_file.ts RECORDS_AT_ONCE FLUSH SECONDS`. Prints a sample.
 *
 * @module
 */
import type { Sample } from "./model.ts";

/** What the log takes for a message of 1 KiB with the properties that `rocketd bench` gives it. */
const RECORD_BYTES = 1200;
/** As the files of the log are. */
const FILE_BYTES = 2 ** 30;

function measure(records: number, flush: boolean, seconds: number): Sample {
  const dir = Deno.makeTempDirSync();
  let file: Deno.FsFile | undefined;
  try {
    const bytes = new Uint8Array(records * RECORD_BYTES).fill(48);
    const began = performance.now();
    let written = 0, left = 0;
    while (performance.now() - began < seconds * 1000) {
      if (left < bytes.length) {
        file?.close();
        file = Deno.createSync(`${dir}/log`);
        left = FILE_BYTES;
      }
      file!.writeSync(bytes);
      if (flush) file!.syncDataSync();
      written += bytes.length;
      left -= bytes.length;
    }
    const took = (performance.now() - began) / 1000;
    return { rate: written / RECORD_BYTES / took, mib: written / 2 ** 20 / took };
  } finally {
    file?.close();
    Deno.removeSync(dir, { recursive: true });
  }
}

const [records = "1", flush = "false", seconds = "1"] = Deno.args;
const sample = measure(Number(records), flush === "true", Number(seconds));
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(sample)));
