/**
 * The systemd units: what they start is accepted, what they lock away is the same for all, and systemd has nothing
 * against them.
 *
 * @module
 */
import { loadSettings, type Role, ROLES } from "../../src/config/mod.ts";
import { assert, assertEquals } from "../../src/std.ts";

const ROOT = new URL("../../", import.meta.url);
/** As `systemd-analyze security` counts, times ten: below 20 it says OK. */
const EXPOSURE_MAX = 15;

function pathOf(role: Role): string {
  return new URL(`config/systemd/rocketd-${role}.service`, ROOT).pathname;
}

/** The settings of a unit by section, in their order; one that comes twice is there twice. */
async function unitOf(role: Role): Promise<Map<string, (readonly [string, string])[]>> {
  const sections = new Map<string, (readonly [string, string])[]>();
  let section: (readonly [string, string])[] = [];
  for (const line of (await Deno.readTextFile(pathOf(role))).split("\n")) {
    const name = /^\[(\w+)\]$/.exec(line)?.[1];
    if (name !== undefined) sections.set(name, section = []);
    else if (line !== "" && !line.startsWith("#")) {
      const at = line.indexOf("=");
      section.push([line.slice(0, at), line.slice(at + 1)]);
    }
  }
  return sections;
}

async function serviceOf(role: Role, key: string): Promise<string> {
  const found = (await unitOf(role)).get("Service")?.find(([name]) => name === key);
  if (found === undefined) throw new Error(`the unit of the ${role} has no ${key}`);
  return found[1];
}

for (const role of ROLES) {
  Deno.test(`the unit of a ${role} starts rocketd with settings that are accepted, and keeps data where it may`, async () => {
    const [program, ...args] = (await serviceOf(role, "ExecStart")).split(" ");
    assertEquals(program, "/usr/local/bin/rocketd");
    assertEquals(args, ["--role", role, "--config", `/etc/rocketd/${role}.yaml`]);
    const environment = (await serviceOf(role, "Environment")).split(" ").map((one) =>
      one.split("=") as [string, string]
    );
    const file = new URL(`config/${role}.yaml`, ROOT).pathname;
    const loaded = await loadSettings({ roles: [role], file, env: Object.fromEntries(environment) });
    if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
    const { storePathRootDir } = (loaded.settings.broker ?? loaded.settings.nameserver)!;
    const folders = (await serviceOf(role, "StateDirectory")).split(" ").map((name) => `/var/lib/${name}`);
    assert(folders.some((folder) => `${storePathRootDir}/`.startsWith(`${folder}/`)), storePathRootDir);
    assert(folders.includes(await serviceOf(role, "WorkingDirectory")));
  });

  Deno.test(`the unit of a ${role} differs from the others in its name, its order and its memory only`, async () => {
    const service = async (one: Role) =>
      (await unitOf(one)).get("Service")!
        .filter(([name]) => name !== "MemoryMax")
        .map(([name, value]) => `${name}=${value.replaceAll(one, "ROLE")}`);
    assertEquals(await service(role), await service("nameserver"));
  });
}

/** Runs systemd-analyze; undefined where there is none. */
async function analyze(...args: string[]): Promise<{ code: number; text: string } | undefined> {
  try {
    const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", { args }).output();
    return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const version = Number(/systemd (\d+)/.exec((await analyze("--version"))?.text ?? "")?.[1] ?? 0);

/** The units as they are, but for the program, which is not installed where tests run. */
async function withUnits(test: (paths: string[]) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const paths: string[] = [];
    for (const role of ROLES) {
      const path = `${dir}/rocketd-${role}.service`;
      const text = await Deno.readTextFile(pathOf(role));
      await Deno.writeTextFile(path, text.replace("/usr/local/bin/rocketd", "/bin/sh"));
      paths.push(path);
    }
    await test(paths);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test({
  name: "systemd-analyze verify has nothing against the units",
  ignore: version === 0,
  fn: () =>
    withUnits(async (paths) => {
      const { code, text } = (await analyze("verify", ...paths))!;
      // What other units of the machine have is none of ours.
      assertEquals([code, text.split("\n").filter((line) => line.includes("rocketd"))], [0, []]);
    }),
});

Deno.test({
  // Offline since version 250.
  name: "systemd-analyze security finds the units locked away",
  ignore: version < 250,
  fn: () =>
    withUnits(async (paths) => {
      for (const path of paths) {
        const { code, text } = (await analyze("security", "--offline=true", `--threshold=${EXPOSURE_MAX}`, path))!;
        assertEquals(code, 0, text);
      }
    }),
});
