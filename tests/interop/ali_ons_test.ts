import { assert, assertEquals } from "../../src/std.ts";
import { cacheDir, hasTools, makeOnce, run } from "../cache.ts";
import { ask } from "../probe.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";

const VERSION = "3.12.0";
const UPDATE_AND_CREATE_TOPIC = 17;

/** The directory that holds the package and what it needs. */
async function modules(): Promise<string> {
  const dir = await makeOnce(`${cacheDir("node")}/ali-ons-${VERSION}`, async (part) => {
    await run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", part, `ali-ons@${VERSION}`]);
  });
  return `${dir}/node_modules`;
}

Deno.test({
  name: "the Node.js client ali-ons sends, and receives in a group what its tag filter lets through",
  ignore: !hasTools("node", "npm"),
  fn: async () => {
    const moduleDir = await modules();
    await using nameserver = await startNameserver();
    await using broker = await startBroker({ namesrvAddr: nameserver.address });
    const script = new URL("./node/ali_ons.mjs", import.meta.url).pathname;
    await withLogs([nameserver, broker], async () => {
      // This client cannot make topics, not even by sending to them.
      const made = await ask(broker.port, UPDATE_AND_CREATE_TOPIC, {
        topic: "Interop-ali-ons",
        defaultTopic: "TBW102",
        readQueueNums: "4",
        writeQueueNums: "4",
        perm: "6",
        topicFilterType: "SINGLE_TAG",
        topicSysFlag: "0",
        order: "false",
      });
      assertEquals(made.code, 0, made.remark);
      const { stdout, stderr } = await new Deno.Command("node", {
        args: [script, moduleDir, nameserver.address, "Interop-ali-ons", "ali-ons-group"],
      }).output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert(text.includes("\nOK\n"), text);
    });
  },
});
