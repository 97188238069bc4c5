/**
 * Roles wired together in one process.
 *
 * @module
 */
import { type LoadOptions, loadSettings, type NodeSettings } from "../../src/config/mod.ts";
import { startNode } from "../../src/cli/node.ts";
import { RocketdError } from "../../src/errors.ts";
import { assert, assertEquals, assertRejects } from "../../src/std.ts";
import { freePort } from "../ports.ts";

async function settingsFor(roles: LoadOptions["roles"], dir: string, ...sets: string[]): Promise<NodeSettings> {
  const common = [`storePathRootDir=${dir}`, "bindAddress=127.0.0.1", "brokerIP1=127.0.0.1"];
  const loaded = await loadSettings({ roles, sets: [...common, ...sets] });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  return loaded.settings;
}

async function withDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

const BOTH = ["nameserver", "master"] as const;

Deno.test("a nameserver and a master start in one process and leave their ports and store when they stop", () =>
  withDir(async (dir) => {
    const ports = [freePort(), freePort()] as const;
    const sets = [`nameserver.listenPort=${ports[0]}`, `broker.listenPort=${ports[1]}`];
    const settings = await settingsFor(BOTH, dir, ...sets);
    // The second round needs what the first one held.
    for (let round = 0; round < 2; round++) {
      const node = await startNode(settings);
      assertEquals(node.listening, [
        { role: "nameserver", port: ports[0], address: `127.0.0.1:${ports[0]}` },
        { role: "master", port: ports[1], address: `127.0.0.1:${ports[1]}` },
      ]);
      assertEquals([...ports, ports[1] - 2].map(isFree), [false, false, false]);
      await node.close();
      assertEquals([...ports, ports[1] - 2].map(isFree), [true, true, true]);
    }
  }));

Deno.test("when one role cannot start, those before it are stopped again", () =>
  withDir(async (dir) => {
    const ports = [freePort(), freePort()] as const;
    using taken = Deno.listen({ hostname: "127.0.0.1", port: ports[1] });
    assert(taken.addr.port === ports[1]);
    const sets = [`nameserver.listenPort=${ports[0]}`, `broker.listenPort=${ports[1]}`];
    const error = await assertRejects(async () => await startNode(await settingsFor(BOTH, dir, ...sets)), RocketdError);
    assertEquals((error as RocketdError).code, "inUse");
    assertEquals(isFree(ports[0]), true);
  }));

Deno.test("two masters cannot share a store", () =>
  withDir(async (dir) => {
    await using _first = await startNode(await settingsFor(["master"], dir, `listenPort=${freePort()}`));
    const settings = await settingsFor(["master"], dir, `listenPort=${freePort()}`);
    const error = await assertRejects(() => startNode(settings), RocketdError, `${dir}/lock`);
    assertEquals((error as RocketdError).code, "inUse");
  }));
