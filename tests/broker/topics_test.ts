/**
 * @module
 */
import { TopicTable } from "../../src/broker/topics.ts";
import { TOPIC_QUEUES_MAX, TOPICS_MAX } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { decodeTopicConfigTable, type TopicConfig, topicConfig } from "../../src/protocol/bodies/topic_config.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { HandClock, inFolder, readConfig, settingsIn, START, writeConfig } from "./workshop.ts";

type Settings = ReturnType<typeof settingsIn>;

function open(folder: string, settings: Partial<Settings> = {}): TopicTable {
  return new TopicTable({
    settings: { ...settingsIn(folder), ...settings },
    disk: denoDisk,
    clock: new HandClock(),
  });
}

/** As a 4.9.7 broker wrote it. */
const JAVA_FILE = `{
	"dataVersion":{
		"counter":2,
		"timestamp":1795390186730
	},
	"topicConfigTable":{
		"Orders":{
			"order":true,
			"perm":6,
			"readQueueNums":4,
			"topicFilterType":"SINGLE_TAG",
			"topicName":"Orders",
			"topicSysFlag":0,
			"writeQueueNums":4
		},
		"TBW102":{
			"order":false,
			"perm":7,
			"readQueueNums":3,
			"topicFilterType":"SINGLE_TAG",
			"topicName":"TBW102",
			"topicSysFlag":0,
			"writeQueueNums":3
		}
	}
}`;

const BUILTIN: [string, number, number][] = [
  ["SELF_TEST_TOPIC", 1, 6],
  ["TBW102", 8, 7],
  ["BenchmarkTest", 1024, 6],
  ["DefaultCluster", 16, 7],
  ["broker-a", 1, 7],
  ["OFFSET_MOVED_EVENT", 1, 6],
  ["SCHEDULE_TOPIC_XXXX", 18, 6],
  ["DefaultCluster_REPLY_TOPIC", 1, 6],
];

Deno.test("TopicTable has RocketMQ's own topics from the start, and writes none of them before a change", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    assertEquals([...table.all()].map((t) => [t.topicName, t.writeQueueNums, t.perm]), BUILTIN);
    assertEquals([...table.all()].map((t) => t.readQueueNums), BUILTIN.map(([, queues]) => queues));
    assertEquals([...Deno.readDirSync(folder)].length, 0);
  });
});

Deno.test("TopicTable has topics by settings: templates without permission, none to inherit from, one for traces", async () => {
  await inFolder((folder) => {
    const table = open(folder, {
      autoCreateTopicEnable: false,
      clusterTopicEnable: false,
      brokerTopicEnable: false,
      traceTopicEnable: true,
      msgTraceTopicName: "Traces",
    });
    assertEquals(table.get("TBW102"), undefined);
    assertEquals(table.get("DefaultCluster")?.perm, 1);
    assertEquals(table.get("broker-a")?.perm, 1);
    assertEquals(table.get("Traces")?.writeQueueNums, 1);
  });
});

interface Case {
  name: string;
  settings?: Partial<Settings>;
  saved?: string;
  topic?: string;
  template?: string;
  queues?: number;
  unit?: boolean;
  made: Partial<TopicConfig> | undefined;
}

const CASES: Case[] = [
  { name: "takes the client's number of queues", queues: 4, made: { readQueueNums: 4, writeQueueNums: 4, perm: 6 } },
  { name: "takes no more queues than the template has", queues: 100, made: { readQueueNums: 8, writeQueueNums: 8 } },
  { name: "makes no negative number of queues", queues: -3, made: { readQueueNums: 0, writeQueueNums: 0 } },
  { name: "marks a topic of a unit", unit: true, made: { topicSysFlag: 1 } },
  { name: "marks a retry topic of a unit", topic: "%RETRY%CG", unit: true, made: { topicSysFlag: 2 } },
  {
    name: "takes the cluster's topic as template",
    template: "DefaultCluster",
    queues: 99,
    made: { writeQueueNums: 16 },
  },
  { name: "takes the broker's topic as template", template: "broker-a", made: { writeQueueNums: 1, perm: 6 } },
  {
    name: "gives the template's permission without INHERIT",
    template: "DefaultCluster",
    settings: { clusterTopicEnable: false },
    made: { perm: 0 },
  },
  { name: "refuses a template that does not exist", template: "Nowhere", made: undefined },
  { name: "refuses a template without INHERIT", template: "BenchmarkTest", made: undefined },
  { name: "refuses where nothing may be made", settings: { autoCreateTopicEnable: false }, made: undefined },
  {
    name: "refuses TBW102 of a file from times when topics could be made",
    settings: { autoCreateTopicEnable: false },
    saved: JAVA_FILE,
    made: undefined,
  },
  { name: "takes TBW102 of the file", saved: JAVA_FILE, queues: 8, made: { writeQueueNums: 3 } },
  { name: "gives a topic that exists as it is", saved: JAVA_FILE, topic: "Orders", queues: 1, made: { order: true } },
  { name: "refuses names with path parts", topic: "../../etc", made: undefined },
  { name: "refuses names that are too long", topic: "t".repeat(128), made: undefined },
];

for (const { name, settings, saved, topic = "T", template = "TBW102", queues = 4, unit = false, made } of CASES) {
  Deno.test(`TopicTable.createOnSend() ${name}`, async () => {
    await inFolder((folder) => {
      if (saved !== undefined) writeConfig(folder, "topics.json", saved);
      const result = open(folder, settings).createOnSend(topic, template, queues, unit);
      if (made === undefined) assertEquals(result, undefined);
      else assertEquals(result, { ...result!, ...made, topicName: topic });
    });
  });
}

Deno.test("TopicTable reads Java's file and lays it over its own topics", async () => {
  await inFolder((folder) => {
    writeConfig(folder, "topics.json", JAVA_FILE);
    const table = open(folder);
    assertEquals(table.version(), { counter: 2, timestamp: 1795390186730 });
    assertEquals(
      table.get("Orders"),
      topicConfig("Orders", { order: true, readQueueNums: 4, writeQueueNums: 4 }),
    );
    assertEquals(table.get("TBW102")?.writeQueueNums, 3);
    assertEquals(table.get("SELF_TEST_TOPIC")?.writeQueueNums, 1);
  });
});

Deno.test("TopicTable writes Java's form, each change with the next version", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    table.update(topicConfig("T", { readQueueNums: 4, writeQueueNums: 4 }));
    const text = readConfig(folder, "topics.json");
    assertStringIncludes(
      text,
      `{\n\t"dataVersion":{\n\t\t"counter":1,\n\t\t"timestamp":${START}\n\t},\n\t"topicConfigTable":{`,
    );
    assertStringIncludes(
      text,
      `\t\t"T":{\n\t\t\t"order":false,\n\t\t\t"perm":6,\n\t\t\t"readQueueNums":4,\n\t\t\t"topicFilterType":"SINGLE_TAG",\n` +
        `\t\t\t"topicName":"T",\n\t\t\t"topicSysFlag":0,\n\t\t\t"writeQueueNums":4\n\t\t}`,
    );
    assertEquals([...open(folder).all()], [...table.all()]);
    assert(table.delete("T"));
    assertEquals(table.version().counter, 2);
    assertEquals(open(folder).get("T"), undefined);
    assert(!table.delete("T"));
    assertEquals(table.version().counter, 2);
  });
});

Deno.test("TopicTable goes back to the .bak file, and without one starts anew", async () => {
  await inFolder((folder) => {
    for (const broken of ["", "{", "garbage", `{"topicConfigTable":[]}`]) {
      writeConfig(folder, "topics.json", broken);
      writeConfig(folder, "topics.json.bak", JAVA_FILE);
      assertEquals(open(folder).get("Orders")?.readQueueNums, 4, broken);
      writeConfig(folder, "topics.json.bak", broken);
      assertEquals([...open(folder).names()], BUILTIN.map(([name]) => name), broken);
    }
  });
});

Deno.test("TopicTable leaves names with path parts out of what it loads", async () => {
  await inFolder((folder) => {
    writeConfig(folder, "topics.json", JAVA_FILE.replaceAll("Orders", "../Orders"));
    assertEquals(open(folder).get("../Orders"), undefined);
  });
});

Deno.test("TopicTable saves the topics of one turn together, before the next turn", async () => {
  await inFolder(async (folder) => {
    const table = open(folder);
    let writes = 0;
    const disk = {
      ...denoDisk,
      writeStateFileSync: (path: string, bytes: Uint8Array) => {
        writes++;
        denoDisk.writeStateFileSync(path, bytes);
      },
    };
    const counted = new TopicTable({ settings: settingsIn(folder), disk, clock: new HandClock() });
    for (let i = 0; i < 50; i++) counted.createOnSend(`T${i}`, "TBW102", 4, false);
    assertEquals(writes, 0);
    await Promise.resolve();
    assertEquals(writes, 1);
    assertEquals(decodeTopicConfigTable(Deno.readFileSync(`${folder}/config/topics.json`)).dataVersion.counter, 50);
    assertEquals(table.get("T0"), undefined);
  });
});

Deno.test("TopicTable goes on when the disk refuses a write, and writes with the next chance", async () => {
  await inFolder((folder) => {
    let full = true;
    const disk = {
      ...denoDisk,
      writeStateFileSync: (path: string, bytes: Uint8Array) => {
        if (full) throw new Error("no space left");
        denoDisk.writeStateFileSync(path, bytes);
      },
    };
    const table = new TopicTable({ settings: settingsIn(folder), disk, clock: new HandClock() });
    table.update(topicConfig("T"));
    assertEquals(table.get("T")?.perm, 6);
    full = false;
    table.close();
    assertEquals(open(folder).get("T")?.perm, 6);
  });
});

Deno.test("TopicTable tells its listeners of changes, and waits for them", async () => {
  await inFolder(async (folder) => {
    const table = open(folder);
    let told = 0;
    let finish = () => {};
    table.onChange(() => {
      told++;
      return new Promise<void>((resolve) => finish = resolve);
    });
    table.createOnSendBack("%RETRY%CG", 1, false);
    table.createOnSendBack("%RETRY%CG", 1, false);
    table.createOnSend("T", "TBW102", 1, false);
    table.createOnSend("T", "TBW102", 1, false);
    table.setOrder(new Set(["T"]));
    assertEquals(told, 2);
    let announced = false;
    const waiting = table.announced().then(() => announced = true);
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert(!announced);
    finish();
    await waiting;
  });
});

Deno.test("TopicTable.createOnSendBack() makes as many queues as a topic may have, whatever its group says", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    assertEquals(table.createOnSendBack("%RETRY%Few", -1, false)?.writeQueueNums, 0);
    assertEquals(table.createOnSendBack("%RETRY%Many", 0x7fff_ffff, false)?.readQueueNums, TOPIC_QUEUES_MAX);
    table.close();
    assertEquals(open(folder).get("%RETRY%Many")?.writeQueueNums, TOPIC_QUEUES_MAX);
  });
});

Deno.test("TopicTable.createOnSendBack() makes retry topics as long as their groups, and no others", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    assertEquals(
      table.createOnSendBack("%RETRY%CG", 2, true),
      topicConfig("%RETRY%CG", {
        readQueueNums: 2,
        writeQueueNums: 2,
        topicSysFlag: 2,
      }),
    );
    assert(table.createOnSendBack("%RETRY%" + "g".repeat(255), 1, false));
    assertEquals(table.createOnSendBack("%RETRY%" + "g".repeat(256), 1, false), undefined);
    assertEquals(table.createOnSendBack("%RETRY%a/b", 1, false), undefined);
    assertEquals(table.createOnSendBack("%DLQ%..", 1, false), undefined);
  });
});

Deno.test("TopicTable.setOrder() marks exactly the ordered topics, with one new version, or none", async () => {
  await inFolder((folder) => {
    writeConfig(folder, "topics.json", JAVA_FILE);
    const table = open(folder);
    table.setOrder(new Set(["Orders", "Nowhere"]));
    assertEquals(table.version().counter, 2);
    table.update(topicConfig("T"));
    const before = table.get("T");
    table.setOrder(new Set(["T"]));
    assertEquals([table.get("Orders")?.order, table.get("T")?.order], [false, true]);
    assertEquals(before?.order, false);
    assertEquals(table.version().counter, 4);
    assertEquals(open(folder).get("T")?.order, true);
  });
});

Deno.test("TopicTable knows which topics are not for operators", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    for (const name of ["TBW102", "broker-a", "DefaultCluster", "rmq_sys_x", "RMQ_SYS_TRANS_HALF_TOPIC"]) {
      assert(table.isSystem(name), name);
    }
    assert(!table.isSystem("T"));
  });
});

Deno.test("TopicTable takes no more topics than it may have", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    for (let i = table.size; i < TOPICS_MAX; i++) table.createOnSend(`T${i}`, "TBW102", 1, false);
    assertEquals(table.size, TOPICS_MAX);
    assertEquals(table.createOnSend("OneMore", "TBW102", 1, false), undefined);
    assertEquals(table.createOnSendBack("%RETRY%OneMore", 1, false), undefined);
    assertThrows(() => table.update(topicConfig("OneMore")), Error, `${TOPICS_MAX} topics already`);
    table.update(topicConfig("TBW102", { writeQueueNums: 2 }));
    assertEquals(open(folder).size, TOPICS_MAX);
  });
});
