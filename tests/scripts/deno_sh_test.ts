/**
 * `scripts/lib/deno.sh` on machines with this and that installed. The package managers are stand-ins: they "download" a
 * program that only knows its version.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../../src/std.ts";

const LIBRARY = new URL("../../scripts/lib/deno.sh", import.meta.url).pathname;
const TOOLS = "awk basename cat chmod dirname gzip mkdir mktemp mv rm sh sleep tar touch uname".split(" ");

const OLD_DENO = '#!/bin/sh\necho "deno 2.5.9 (stable)"\n';
const NEW_DENO = '#!/bin/sh\necho "deno 2.10.0 (stable)"\n';
const NPM = `#!/bin/sh
mkdir package && printf '#!/bin/sh\\necho deno 2.9.6\\n' >package/deno && tar czf deno.tgz package && rm -r package
`;
const PIP = `#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/bin" && printf '#!/bin/sh\\necho deno 2.9.6\\n' >"$2/bin/deno"
`;
const BROKEN = "#!/bin/sh\nexit 1\n";

/** A machine that has the usual tools and the given programs, and nothing else. */
class Machine implements AsyncDisposable {
  private constructor(readonly home: string) {}

  static async with(programs: Record<string, string>): Promise<Machine> {
    const home = await Deno.makeTempDir();
    await Deno.mkdir(`${home}/bin`);
    const path = (Deno.env.get("PATH") ?? "").split(":");
    for (const tool of TOOLS) {
      for (const folder of path) {
        const found = await Deno.stat(`${folder}/${tool}`).then((info) => info.isFile, () => false);
        if (found) {
          await Deno.symlink(`${folder}/${tool}`, `${home}/bin/${tool}`);
          break;
        }
      }
    }
    for (const [name, text] of Object.entries(programs)) {
      await Deno.writeTextFile(`${home}/bin/${name}`, text, { mode: 0o755 });
    }
    return new Machine(home);
  }

  /** Sources deno.sh and prints what it found. */
  async find(env: Record<string, string> = {}): Promise<{ code: number; deno: string; said: string[] }> {
    const { code, stdout, stderr } = await new Deno.Command(`${this.home}/bin/sh`, {
      args: ["-euc", '. "$1"; echo "$DENO"', "sh", LIBRARY],
      clearEnv: true,
      env: { HOME: this.home, PATH: `${this.home}/bin`, ...env },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return { code, deno: text(stdout), said: text(stderr).split("\n").filter((line) => line !== "") };
  }

  async cached(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(`${this.home}/.cache/rocketd`)) names.push(name);
    return names;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.home, { recursive: true });
  }
}

Deno.test("deno.sh takes $DENO before all else", async () => {
  await using machine = await Machine.with({ deno: NEW_DENO, npm: NPM });
  assertEquals(await machine.find({ DENO: "/opt/my/deno" }), { code: 0, deno: "/opt/my/deno", said: [] });
});

Deno.test("deno.sh takes a recent Deno on PATH", async () => {
  await using machine = await Machine.with({ deno: NEW_DENO, npm: NPM });
  assertEquals(await machine.find(), { code: 0, deno: `${machine.home}/bin/deno`, said: [] });
});

for (const [manager, program] of [["npm", NPM], ["pip", PIP], ["pip3", PIP]] as const) {
  Deno.test(`deno.sh fetches Deno once with ${manager} where Deno is too old, and says so in one line`, async () => {
    await using machine = await Machine.with({ deno: OLD_DENO, [manager]: program });
    const first = await machine.find();
    assertEquals(first.code, 0, first.said.join("\n"));
    assertMatch(first.deno, /\/\.cache\/rocketd\/deno-[\d.]+$/);
    assertEquals(first.said.length, 1);
    assertMatch(first.said[0]!, /fetching [\d.]+ with (npm|pip) into/);
    assertEquals(await machine.find(), { code: 0, deno: first.deno, said: [] });
  });
}

Deno.test("deno.sh goes on to pip when npm fails", async () => {
  await using machine = await Machine.with({ npm: BROKEN, pip: PIP });
  const { code, said } = await machine.find();
  assertEquals([code, said.length], [0, 2]);
});

Deno.test("deno.sh started many times at once ends with one whole Deno and nothing else in the cache", async () => {
  await using machine = await Machine.with({ npm: NPM });
  const found = await Promise.all(Array.from({ length: 8 }, () => machine.find()));
  for (const { code, said } of found) assertEquals(code, 0, said.join("\n"));
  assertEquals(new Set(found.map(({ deno }) => deno)).size, 1);
  assertEquals(await machine.cached(), [found[0]!.deno.split("/").at(-1)]);
});

Deno.test("deno.sh says what to install when there is nothing to fetch Deno with, and leaves nothing behind", async () => {
  await using machine = await Machine.with({ deno: OLD_DENO });
  const { code, said } = await machine.find();
  assertEquals([code, said.length], [1, 1]);
  assertMatch(said[0]!, /install Deno >= 2\.6/);
  assertEquals(await machine.cached(), []);
});

Deno.test("rocketd gets no permission to run programs, to load native code or to ask for more", async () => {
  const flags = /^ROCKETD_FLAGS="(.*)"$/m.exec(await Deno.readTextFile(LIBRARY))![1]!.split(" ");
  assert(flags.includes("--no-prompt"));
  assertEquals(flags.filter((flag) => /^(-A|--allow-(all|run|ffi).*)$/.test(flag)), []);
});
