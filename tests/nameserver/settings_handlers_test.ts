/**
 * The settings of a nameserver, told and changed over the wire.
 *
 * @module
 */
import { nameserverSettings } from "../../src/config/mod.ts";
import { loadSettings } from "../../src/config/mod.ts";
import { startNameserver } from "../../src/nameserver/mod.ts";
import { GetNamesrvConfig, UpdateNamesrvConfig } from "../../src/protocol/admin_requests.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";

type Exchange = (text?: string) => Promise<{ code: number; remark: string; lines: string[] }>;

/** Gives a test a running nameserver: to ask for its settings, or to change them. */
async function told(test: (exchange: Exchange) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const sets = ["listenPort=0", "bindAddress=127.0.0.1", "httpListen=0", `storePathRootDir=${folder}`];
  const loaded = await loadSettings({ roles: ["nameserver"], sets });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const nameserver = await startNameserver(loaded.settings.nameserver!);
  const client = new RemotingClient();
  const address = `127.0.0.1:${nameserver.port}`;
  try {
    await test(async (text) => {
      const { code, remark = "", body } = text === undefined
        ? await client.invoke(address, GetNamesrvConfig, {}, undefined, 30_000)
        : await client.invoke(address, UpdateNamesrvConfig, {}, new TextEncoder().encode(text), 30_000);
      return { code, remark, lines: new TextDecoder().decode(body).trimEnd().split("\n") };
    });
  } finally {
    client.close();
    await nameserver.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("GET_NAMESRV_CONFIG tells every setting but secrets, UPDATE_NAMESRV_CONFIG changes what may change", () =>
  told(async (exchange) => {
    const { code, lines } = await exchange();
    const names = lines.map((line) => line.slice(0, line.indexOf("=")));
    const open = Object.entries(nameserverSettings).filter(([, setting]) => !("secret" in setting && setting.secret));
    assertEquals([code, names], [0, open.map(([name]) => name)]);
    assertEquals((await exchange("orderMessageEnable=true\n")).code, 0);
    assertEquals((await exchange()).lines.includes("orderMessageEnable=true"), true);
  }));

Deno.test("no path of a nameserver can be changed, nor what stands beside it (CVE-2023-37582)", () =>
  told(async (exchange) => {
    for (
      const [key, reason] of [
        ["kvConfigPath", "kvConfigPath is read at the start only"],
        ["storePathRootDir", "storePathRootDir is read at the start only"],
      ] as const
    ) {
      const { code, remark } = await exchange(`orderMessageEnable=true\n${key}=/tmp/pwned\n`);
      assertEquals(code, ResponseCode.NO_PERMISSION);
      assertStringIncludes(remark, reason);
    }
    const { code, remark } = await exchange("configStorePath=/tmp/pwned\nproductEnvName=* * * * * root id\n");
    assertEquals(code, ResponseCode.SYSTEM_ERROR);
    assertStringIncludes(remark, "configStorePath means nothing to rocketd");
    assertEquals((await exchange()).lines.includes("orderMessageEnable=false"), true);
  }));

Deno.test("only plain switches and numbers of a nameserver may change while it runs", () => {
  const hot = Object.entries(nameserverSettings).filter(([, setting]) => "hot" in setting && setting.hot === true);
  assertEquals(hot.map(([name]) => name).sort(), ["logLevel", "orderMessageEnable"]);
});
