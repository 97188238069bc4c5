/**
 * The settings of a broker, told and changed over the wire.
 *
 * @module
 */
import { settingsHandlers } from "../../src/broker/settings_handlers.ts";
import { storeOptionsOf } from "../../src/broker/store_options.ts";
import { type BrokerSettings, brokerSettings, checkSettings } from "../../src/config/mod.ts";
import { UpdateBrokerConfig } from "../../src/protocol/admin_requests.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetBrokerConfig } from "../../src/protocol/requests.ts";
import type { StoreOptions } from "../../src/store/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { type Ask, Desk, HandClock, START } from "./workshop.ts";

interface Scene {
  readonly ask: Ask;
  readonly settings: BrokerSettings;
  readonly options: StoreOptions;
  readonly clock: HandClock;
  /** How often the topics were published anew. */
  readonly published: () => number;
  /** Sends lines of settings; the code of the answer with its remark. */
  readonly change: (text: string) => Promise<[number, string | undefined]>;
}

async function scene(test: (scene: Scene) => Promise<void>, ...sets: string[]): Promise<void> {
  const given = ["brokerName=broker-a", "brokerIP1=10.0.0.1", "namesrvAddr=a:1;b:2", ...sets];
  const loaded = checkSettings("", { roles: ["master"], sets: given });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const settings = loaded.settings.broker!;
  const clock = new HandClock();
  const options = storeOptionsOf(settings);
  let published = 0;
  const topics = { settingsChanged: () => void published++, announced: () => Promise.resolve() };
  const desk = new Desk((table) => settingsHandlers(table, { settings, clock, store: { options }, topics }));
  try {
    const { ask } = desk.client();
    const change = async (text: string): Promise<[number, string | undefined]> => {
      const { code, remark } = await ask(UpdateBrokerConfig, {}, new TextEncoder().encode(text));
      return [code, remark];
    };
    await test({ ask, settings, options, clock, published: () => published, change });
  } finally {
    await desk.close();
  }
}

Deno.test("GET_BROKER_CONFIG gives every setting as a line, and what Java's tools ask for besides", () =>
  scene(async ({ ask }) => {
    const { code, header, body } = await ask(GetBrokerConfig, {});
    const lines = new TextDecoder().decode(body).trimEnd().split("\n");
    const expected = ["brokerName=broker-a", "namesrvAddr=a:1;b:2", "brokerRole=ASYNC_MASTER", "haMasterAddress="];
    for (const line of [...expected, "filterServerNums=0", "useTLS=false"]) {
      assertEquals(lines.includes(line), true, line);
    }
    const names = lines.map((line) => line.slice(0, line.indexOf("=")));
    assertEquals(names.length, new Set(names).size);
    const secret = Object.entries(brokerSettings).filter(([, setting]) => "secret" in setting && setting.secret);
    assertEquals(secret.filter(([name]) => names.includes(name)), []);
    assertEquals([code, header.version], [0, `{"counter":0,"timestamp":${START}}`]);
  }));

Deno.test("what is told is what Java reads: backslashes and letters of other scripts are escaped", () =>
  scene(async ({ ask }) => {
    const text = new TextDecoder().decode((await ask(GetBrokerConfig, {})).body);
    assertStringIncludes(text, "storePathRootDir=/a\\\\b/\\u00e9\\u4e2d\n");
  }, "storePathRootDir=/a\\b/é中"));

Deno.test("UPDATE_BROKER_CONFIG changes settings in place, those of the store too, and the version of all", () =>
  scene(async ({ ask, change, settings, options, clock, published }) => {
    clock.go(5);
    const text = "fileReservedTime=48\ndeleteWhen=05;17\nsendThreadPoolQueueCapacity = 7\nmaxMessageSize=2048\n" +
      "accessMessageInMemoryMaxRatio=0\ntraceOn=TRUE\n";
    assertEquals(await change(text), [0, undefined]);
    assertEquals(
      [settings.fileReservedTime, settings.sendThreadPoolQueueCapacity, settings.maxMessageSize, settings.deleteWhen],
      [48, 7, 2048, ["05", "17"]],
    );
    assertEquals(
      [options.fileReservedTime, options.maxMessageSize, options.deleteWhen, options.inMemoryBytes],
      [48, 2048, [5, 17], 0],
    );
    const { header, body } = await ask(GetBrokerConfig, {});
    assertStringIncludes(new TextDecoder().decode(body), "\nfileReservedTime=48\n");
    assertEquals([header.version, published()], [`{"counter":1,"timestamp":${START + 5}}`, 0]);
    assertEquals(await change("fileReservedTime=48\n"), [0, undefined]);
    assertEquals((await ask(GetBrokerConfig, {})).header.version, header.version, "nothing new");
  }));

Deno.test("what topics are published by is published at once", () =>
  scene(async ({ change, published }) => {
    assertEquals(await change("brokerPermission=4"), [0, undefined]);
    assertEquals(published(), 1);
    assertEquals(await change("autoCreateTopicEnable=false\nbrokerPermission=6"), [0, undefined]);
    assertEquals(published(), 2);
    assertEquals(await change("brokerPermission=6"), [0, undefined]);
    assertEquals(published(), 2, "it was 6 before");
  }));

const { NO_PERMISSION, SYSTEM_ERROR } = ResponseCode;

for (
  const [text, code, ...reasons] of [
    ["listenPort=1", NO_PERMISSION, "listenPort is read at the start only"],
    ["storePathRootDir=/etc", NO_PERMISSION, "storePathRootDir is read at the start only"],
    ["fileReservedTime=0", SYSTEM_ERROR, 'fileReservedTime "0": expected a whole number of at least 1'],
    ["fileReservedTim=1", SYSTEM_ERROR, "fileReservedTim is not a setting of a broker: did you mean fileReservedTime?"],
    ["orderMessageEnable=true", SYSTEM_ERROR, "orderMessageEnable is not a setting of a broker"],
    ["sendMessageThreadPoolNums=1", SYSTEM_ERROR, "sendMessageThreadPoolNums means nothing to rocketd"],
    ["filterServerNums=1", SYSTEM_ERROR, "filterServerNums is not possible here: there are no filter servers"],
    ["rocketmqHome=/tmp", SYSTEM_ERROR, "rocketmqHome means nothing"],
    ["traceOn", SYSTEM_ERROR, '"traceOn": expected key=value'],
    ["traceOn=true\ntraceOn=false", SYSTEM_ERROR, 'traceOn "false": expected each key only once'],
    ["__proto__=1", SYSTEM_ERROR, "__proto__ is not a setting"],
    ["slaveTimeout=1", NO_PERMISSION, "slaveTimeout is in configBlackList"],
    ["configBlackList=", NO_PERMISSION, "configBlackList is read at the start only"],
    ["mapedFileSizeCommitLog=1\nx=y", NO_PERMISSION, "mappedFileSizeCommitLog is read", "x is not a setting"],
  ] as const
) {
  Deno.test(`UPDATE_BROKER_CONFIG with ${JSON.stringify(text)} changes nothing and says why`, () =>
    scene(async ({ change, settings, options, published }) => {
      const before = [{ ...settings }, { ...options }];
      const [found, remark = ""] = await change(`brokerPermission=4\nmaxMessageSize=2048\n${text}\n`);
      assertEquals([found, [{ ...settings }, { ...options }], published()], [code, before, 0], remark);
      assertStringIncludes(remark, "no setting was changed: ");
      for (const reason of reasons) assertStringIncludes(remark, reason);
    }, "configBlackList=slaveTimeout"));
}

Deno.test("a request with thousands of wrong keys is refused with the first few, one that is too long as a whole", () =>
  scene(async ({ change }) => {
    const [code, remark] = await change(Array.from({ length: 1000 }, (_, i) => `wrong${i}=1`).join("\n"));
    assertEquals([code, remark?.split("; ").length], [SYSTEM_ERROR, 10]);
    const [tooLong, why] = await change(`traceOn=${" ".repeat(1 << 20)}true`);
    assertEquals(tooLong, SYSTEM_ERROR);
    assertStringIncludes(why!, "too many");
  }));

Deno.test("a request without a body changes nothing, as RocketMQ has it", () =>
  scene(async ({ change }) => assertEquals(await change(""), [0, undefined])));

Deno.test("no setting that names a path, an address, a program, a port or a secret may change while a broker runs", () => {
  const hot = Object.entries(brokerSettings).filter(([, setting]) => "hot" in setting && setting.hot === true);
  assert(hot.length > 40);
  const words =
    /\b(path|paths|dir|addr|address|hosts?|ip|port|listen|program|command|secret|password|token|acl|tls|admin)\b/;
  const unfit = hot.filter(([name, { type }]) => {
    const plain = ["int", "long", "bool", "enum"].includes(type) || name === "deleteWhen";
    return !plain || words.test(name.replace(/[A-Z0-9]/g, (letter) => ` ${letter.toLowerCase()}`));
  });
  assertEquals(unfit.map(([name]) => name), []);
});
