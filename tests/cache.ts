/**
 * What the tests with foreign clients and servers fetch from package registries, kept between runs.
 *
 * @module
 */

/** Where things fetched from package registries are kept between runs: `$ROCKETD_CACHE`, else below the home directory. */
export function cacheDir(part: string): string {
  const root = Deno.env.get("ROCKETD_CACHE") ?? `${Deno.env.get("HOME") ?? "."}/.cache/rocketd`;
  return `${root}/${part}`;
}

/** True when this machine has the given command line tools; otherwise says aloud which one is missing. */
export function hasTools(...names: string[]): boolean {
  const missing = names.filter((name) => {
    const args = [["go", "openssl"].includes(name) ? "version" : "--version"];
    try {
      return !new Deno.Command(name, { args, stdout: "null", stderr: "null" }).outputSync().success;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) {
    Deno.stderr.writeSync(new TextEncoder().encode(`SKIPPED, not installed here: ${missing.join(", ")}\n`));
  }
  return missing.length === 0;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Runs a command to its end. Throws with its output when it fails. */
export async function run(command: string, args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`Cannot run ${command} ${args.join(" ")}:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

/** The files of a folder that the rule picks, sorted by name, and a key that changes with any of them. */
export async function readSources(
  folder: URL,
  isPicked: (name: string) => boolean,
): Promise<{ sources: [name: string, text: string][]; key: string }> {
  const sources: [name: string, text: string][] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (isPicked(name)) sources.push([name, await Deno.readTextFile(new URL(name, folder))]);
  }
  sources.sort(([a], [b]) => a < b ? -1 : 1);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(sources)));
  return { sources, key: new Uint8Array(digest).toHex().slice(0, 16) };
}

/**
 * Makes a directory once, however many processes ask for it at the same time: built beside, then renamed. They build one
 * after the other, since what they build with (Maven's repository, npm's) does not like company.
 */
export async function makeOnce(dir: string, build: (part: string) => Promise<void>): Promise<string> {
  if (await exists(dir)) return dir;
  await Deno.mkdir(cacheDir(""), { recursive: true });
  await Deno.mkdir(dir.slice(0, dir.lastIndexOf("/")), { recursive: true });
  using turn = await Deno.open(cacheDir("building"), { write: true, create: true });
  await turn.lock(true);
  if (await exists(dir)) return dir;
  const part = `${dir}.${Deno.pid}.${crypto.randomUUID()}`;
  await Deno.mkdir(part);
  try {
    await build(part);
    await Deno.rename(part, dir);
  } catch (error) {
    await Deno.remove(part, { recursive: true });
    throw error;
  }
  return dir;
}
