/**
 * @module
 */
import { BloomFilter } from "../../src/broker/bloom_filter.ts";
import { ConsumerFilters } from "../../src/broker/consumer_filters.ts";
import { SqlFilters } from "../../src/broker/sql_filters.ts";
import { CONSUMER_FILTERS_CHARACTERS_MAX } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { decodeConsumerFilters } from "../../src/protocol/bodies/consumer_filters.ts";
import type { SubscriptionData } from "../../src/protocol/bodies/heartbeat.ts";
import { stringifyFastJson } from "../../src/protocol/fastjson.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { HandClock, inFolder, readConfig, settingsIn, START, until, writeConfig } from "./workshop.ts";

const FILE = "consumerFilter.json";
const DAY_MS = 24 * 3600 * 1000;

function sub(topic: string, subString: string, subVersion: number, expressionType = "SQL92"): SubscriptionData {
  return { topic, subString, subVersion, expressionType, tagsSet: [], codeSet: [], classFilterMode: false };
}

function setUp(folder: string, clock = new HandClock(), given: Partial<ReturnType<typeof settingsIn>> = {}) {
  const online = new Set<string>();
  const settings = { ...settingsIn(folder), ...given };
  const filters = new ConsumerFilters({
    settings,
    // What it asks of the group is only whether it is there.
    consumers: { find: (group) => online.has(group) ? {} as never : undefined },
    sql: new SqlFilters(),
    disk: denoDisk,
    clock,
  });
  const heartbeat = (group: string, ...subscriptions: SubscriptionData[]) => {
    online.add(group);
    filters.register(group, subscriptions);
  };
  return { filters, clock, online, heartbeat };
}

Deno.test("ConsumerFilters writes consumerFilter.json as RocketMQ does", async () => {
  await inFolder((folder) => {
    const { filters, heartbeat } = setUp(folder);
    heartbeat("CG", sub("T", "n > 5", 1795440961587));
    filters.close();
    // Made by RocketMQ 4.9.7, but for the time and the spaces.
    const written = `{"filterDataByTopic":{"T":{"groupFilterData":{"CG":{"bloomFilterData":{"bitNum":112,` +
      `"bitPos":[0,73,34]},"bornTime":${START},"clientVersion":1795440961587,"consumerGroup":"CG","dead":false,` +
      `"deadTime":0,"expression":"n > 5","expressionType":"SQL92","topic":"T"}},"topic":"T"}}}`;
    assertEquals(readConfig(folder, FILE).replaceAll(/[\n\t]/g, ""), written);
  });
});

Deno.test("ConsumerFilters saves many filters over several turns, and looks for the places of each in bit maps once", async () => {
  await inFolder(async (folder) => {
    const { bitsOf } = BloomFilter.prototype;
    let looked = 0;
    BloomFilter.prototype.bitsOf = function (text) {
      looked++;
      return bitsOf.call(this, text);
    };
    try {
      const { filters, clock, heartbeat } = setUp(folder);
      filters.start();
      const count = 1000;
      heartbeat("CG", sub("T0", "n > 5", 1), sub("T1", "n > 5", 1));
      for (let i = 0; i < count; i++) heartbeat(`CG${1000 + i}`, sub("T0", `n > ${i}`, 1), sub("T1", "n = '\n'", 1));
      assertEquals(looked, 0, "heartbeats do not wait for that");
      clock.go(10_000);
      assert(looked > 0 && looked < count, `${looked} were made in the first turn`);
      const path = `${folder}/config/${FILE}`;
      const saved = (holds: () => boolean) =>
        until(() => {
          clock.go(1);
          return holds();
        }, "the file");
      await saved(() => denoDisk.existsSync(path));
      assertEquals(looked, 2 * count + 2);
      const inTurns = readConfig(folder, FILE);
      // Names come in the order of the alphabet here, as this writes them.
      assert(inTurns === stringifyFastJson(JSON.parse(inTurns), { pretty: true }), "the form of Java's files");
      assertEquals(decodeConsumerFilters(new TextEncoder().encode(inTurns)).length, 2 * count + 2);
      heartbeat("CG", sub("T0", "n > 5", 2), sub("T1", "n > 5", 1));
      heartbeat("Last", sub("T0", "n > 5", 1));
      filters.close();
      assert(readConfig(folder, FILE).includes("Last"), "the last save is one at once");
      assertEquals(looked, 2 * count + 3);
    } finally {
      BloomFilter.prototype.bitsOf = bitsOf;
    }
  });
});

Deno.test("ConsumerFilters takes expressions from heartbeats, and newer ones in their place", async () => {
  await inFolder((folder) => {
    const { filters, clock, heartbeat } = setUp(folder);
    heartbeat("CG", sub("T", "n > 5", 10), sub("U", "TagA", 10, "TAG"), sub("V", "", 10));
    assertEquals(filters.get("T", "CG")?.expression, "n > 5");
    assertEquals(
      [filters.get("U", "CG"), filters.get("V", "CG"), filters.get("T", "Other")],
      new Array(3).fill(undefined),
    );
    clock.go(1000);
    heartbeat("CG", sub("T", "n > 6", 10));
    heartbeat("CG", sub("T", "n > 6", 9));
    assertEquals(filters.get("T", "CG")?.expression, "n > 5", "an older or equal version changes nothing");
    heartbeat("CG", sub("T", "n > 5", 11));
    const same = filters.get("T", "CG");
    assertEquals([same?.bornTime, same?.clientVersion], [START, 11], "the same expression is not born again");
    heartbeat("CG", sub("T", "n > 6", 12));
    const newer = filters.get("T", "CG");
    assertEquals([newer?.expression, newer?.bornTime, newer?.clientVersion], ["n > 6", START + 1000, 12]);
  });
});

Deno.test("ConsumerFilters takes no bad expression, and forgets the one that it was to replace", async () => {
  await inFolder((folder) => {
    const { filters, heartbeat } = setUp(folder);
    heartbeat("CG", sub("T", "n >", 10), sub("U", "n", 10, "FOO"));
    assertEquals([filters.get("T", "CG"), filters.get("U", "CG")], [undefined, undefined]);
    heartbeat("CG", sub("T", "n > 5", 11));
    assert(filters.get("T", "CG"));
    heartbeat("CG", sub("T", "n >", 12));
    assertEquals(filters.get("T", "CG"), undefined);
  });
});

Deno.test("ConsumerFilters keeps the filters of what is gone for a day, and revives them", async () => {
  await inFolder((folder) => {
    const { filters, clock, online, heartbeat } = setUp(folder);
    filters.start();
    heartbeat("CG", sub("T", "n > 5", 10), sub("U", "n > 5", 10));
    heartbeat("CG", sub("T", "n > 5", 10));
    assertEquals(filters.get("U", "CG")?.deadTime, START, "a topic that the group no longer wants");
    heartbeat("CG", sub("T", "n > 5", 10), sub("U", "n > 5", 10));
    assertEquals(filters.get("U", "CG")?.deadTime, 0);
    online.clear();
    clock.go(10_000);
    assertEquals(filters.get("T", "CG")?.deadTime, START + 10_000, "a group that is gone");
    clock.go(DAY_MS - 10_000);
    assert(filters.get("T", "CG"));
    heartbeat("CG", sub("T", "n > 5", 10));
    assertEquals([filters.get("T", "CG")?.deadTime, filters.get("T", "CG")?.bornTime], [0, START]);
    clock.go(DAY_MS);
    assertEquals(filters.get("T", "CG")?.deadTime, 0);
    assertEquals(filters.get("U", "CG"), undefined);
    online.clear();
    clock.go(DAY_MS + 10_000);
    assertEquals(filters.get("T", "CG"), undefined);
    assertEquals(readConfig(folder, FILE).replaceAll(/[\n\t]/g, ""), `{"filterDataByTopic":{}}`);
    filters.close();
  });
});

Deno.test("ConsumerFilters takes back what it wrote, as of groups that are gone, and goes on without bad parts", async () => {
  await inFolder((folder) => {
    const { filters, clock, online, heartbeat } = setUp(folder);
    heartbeat("CG", sub("T", "n > 5", 10));
    clock.go(100_000);
    heartbeat("Late", sub("T", "n > 5", 10));
    heartbeat("Gone", sub("T", "n > 5", 10));
    online.delete("Gone");
    filters.close();
    const again = setUp(folder, clock).filters;
    assertEquals(again.get("T", "CG")?.deadTime, START + 70_000, "gone for 30 s");
    assertEquals(again.get("T", "Late")?.deadTime, START + 100_000, "but not before it came");
    assertEquals(again.get("T", "Gone")?.deadTime, START + 100_000);

    writeConfig(
      folder,
      FILE,
      readConfig(folder, FILE).replace("n > 5", "n >").replaceAll(`"bitNum":112`, `"bitNum":8`),
    );
    const third = setUp(folder, clock).filters;
    assertEquals(["CG", "Late", "Gone"].filter((group) => third.get("T", group)).length, 2);
    writeConfig(folder, FILE, "{]");
    assertEquals(setUp(folder, clock).filters.get("T", "Late"), undefined);
  });
});

Deno.test("ConsumerFilters holds a bounded number of characters", async () => {
  await inFolder((folder) => {
    const { filters, heartbeat } = setUp(folder);
    const long = `n = '${"x".repeat(60_000)}'`;
    const count = Math.ceil(CONSUMER_FILTERS_CHARACTERS_MAX / long.length) + 5;
    for (let i = 0; i < count; i++) heartbeat(`CG${i}`, sub("T", long, 1));
    const kept = Array.from({ length: count }, (_, i) => filters.get("T", `CG${i}`)).filter((filter) => filter);
    assert(kept.length < count - 3 && kept.length > count - 12, `${kept.length} of ${count}`);
    heartbeat("CG0");
    heartbeat("CG1", sub("T", "n = 2", 2));
    heartbeat("Last", sub("T", long, 1));
    assert(filters.get("T", "Last"), "what a shorter expression left can be used");
  });
});
