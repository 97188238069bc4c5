import { assert } from "../../src/std.ts";
import { cacheDir, hasTools, makeOnce, readSources, run } from "../cache.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";

/** Level 1 as main.go knows it; what a consumer refuses goes through levels 3 and 4. */
const SETTINGS = {
  messageDelayLevel: "1s 1s 1s 1s",
  enablePropertyFilter: true,
  transactionTimeOut: 500,
  transactionCheckInterval: 1000,
};

/** The program, built once for its sources and the versions that go.mod and go.sum name. */
async function program(): Promise<string> {
  const { sources, key } = await readSources(new URL("./go/", import.meta.url), () => true);
  const dir = await makeOnce(`${cacheDir("go")}/interop-${key}`, async (part) => {
    for (const [name, text] of sources) await Deno.writeTextFile(`${part}/${name}`, text);
    await run("go", ["build", "-C", part, "-buildvcs=false", "-o", "client", "."]);
  });
  return `${dir}/client`;
}

Deno.test({
  name: "the official Go client sends, filters, keeps order, delays, retries and ends transactions",
  ignore: !hasTools("go"),
  fn: async () => {
    const path = await program();
    await using nameserver = await startNameserver();
    await using broker = await startBroker({ namesrvAddr: nameserver.address, settings: SETTINGS });
    await withLogs([nameserver, broker], async () => {
      await using client = new Deno.Command(path, {
        args: [nameserver.address, broker.address],
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const { success, stdout, stderr } = await client.output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert(success && text.includes("\nOK\n"), text);
    });
  },
});
