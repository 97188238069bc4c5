/**
 * @module
 */
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { OFFSET_ENTRIES_MAX } from "../../src/limits.ts";
import { topicConfig } from "../../src/protocol/bodies/topic_config.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { HandClock, inFolder, readConfig, settingsIn, until, writeConfig } from "./workshop.ts";

const topics = new Map([
  ["T", topicConfig("T", { readQueueNums: 4, writeQueueNums: 2 })],
  ["U", topicConfig("U", { readQueueNums: 1, writeQueueNums: 1 })],
]);

function open(folder: string, clock = new HandClock()): ConsumerOffsets {
  return new ConsumerOffsets({ settings: settingsIn(folder), topics, disk: denoDisk, clock });
}

/** As a 4.9.7 broker wrote it: queue ids without quotes. */
const JAVA_FILE = `{
	"offsetTable":{
		"T@CG":{0:3,1:8
		},
		"%RETRY%CG@CG":{0:17
		},
		"RMQ_SYS_TRANS_HALF_TOPIC@CID_RMQ_SYS_TRANS":{0:9007199254740991
		}
	}
}`;

Deno.test("ConsumerOffsets reads Java's file with its bare queue ids", async () => {
  await inFolder((folder) => {
    writeConfig(folder, "consumerOffset.json", JAVA_FILE);
    const offsets = open(folder);
    assertEquals([offsets.get("CG", "T", 0), offsets.get("CG", "T", 1), offsets.get("CG", "T", 2)], [3, 8, -1]);
    assertEquals(offsets.get("CG", "%RETRY%CG", 0), 17);
    assertEquals(offsets.get("CID_RMQ_SYS_TRANS", "RMQ_SYS_TRANS_HALF_TOPIC", 0), 9007199254740991);
    assertEquals(offsets.topicsOf("CG"), ["T", "%RETRY%CG"]);
    assertEquals(offsets.groupsOf("T"), ["CG"]);
  });
});

Deno.test("ConsumerOffsets reads strict JSON too, and leaves out keys and offsets that cannot be", async () => {
  await inFolder(async (folder) => {
    const table = {
      "T@CG": { "0": 3, "1": -1, "2": 2 ** 63 },
      "T": { "0": 1 },
      "T@CG@X": { "0": 1 },
      "@CG": { "0": 1 },
    };
    writeConfig(folder, "consumerOffset.json", JSON.stringify({ offsetTable: table }));
    assertEquals(new TextDecoder().decode(await open(folder).toBody()), `{"offsetTable":{"T@CG":{0:3}}}`);
  });
});

Deno.test("ConsumerOffsets goes back to the .bak file, and without one starts with nothing", async () => {
  await inFolder((folder) => {
    for (const broken of ["", "{", "garbage", `{"offsetTable":{"T@CG":{0:"x"}}}`]) {
      writeConfig(folder, "consumerOffset.json", broken);
      writeConfig(folder, "consumerOffset.json.bak", JAVA_FILE);
      assertEquals(open(folder).get("CG", "T", 1), 8, broken);
      writeConfig(folder, "consumerOffset.json.bak", broken);
      assertEquals(open(folder).get("CG", "T", 1), -1, broken);
    }
  });
});

Deno.test("ConsumerOffsets keeps what is committed, forwards and back", async () => {
  await inFolder((folder) => {
    const offsets = open(folder);
    assertEquals(offsets.get("CG", "T", 0), -1);
    for (const offset of [0, 5, 5, 3, 2 ** 40]) {
      assertEquals(offsets.commit("CG", "T", 0, offset), undefined);
      assertEquals(offsets.get("CG", "T", 0), offset);
    }
    assertEquals(offsets.get("Other", "T", 0), -1);
    assertEquals(offsets.get("CG", "U", 0), -1);
    assertEquals(offsets.get("CG", "T", 1), -1);
    // Read queues count as well as write queues: T has been shrunk for writing.
    assertEquals(offsets.commit("CG", "T", 3, 1), undefined);
  });
});

Deno.test("ConsumerOffsets says why it does not keep an offset", async () => {
  await inFolder(async (folder) => {
    const offsets = open(folder);
    const refused: [Parameters<ConsumerOffsets["commit"]>, string][] = [
      [["CG", "Nowhere", 0, 1], "the topic[Nowhere] does not exist"],
      [["CG", "T", 4, 1], "the field queueId is 4, allowed for the topic[T] is 0 to 3"],
      [["CG", "T", -1, 1], "the field queueId is -1"],
      [["CG", "T", 0, -1], "the field commitOffset is -1, allowed is 0 to 9007199254740991"],
      [["CG", "T", 0, 2 ** 62], "allowed is 0 to 9007199254740991"],
      [["../CG", "T", 0, 1], "illegal characters"],
      [["g".repeat(256), "T", 0, 1], "longer than group max length 255"],
    ];
    for (const [[group, topic, queueId, offset], reason] of refused) {
      assertStringIncludes(offsets.commit(group, topic, queueId, offset) ?? "", reason);
      assertEquals(offsets.get(group, topic, queueId), -1);
    }
    assertEquals(new TextDecoder().decode(await offsets.toBody()), `{"offsetTable":{}}`);
    offsets.close();
    assert(!denoDisk.existsSync(`${folder}/config/consumerOffset.json`));
  });
});

Deno.test("ConsumerOffsets reads back the greatest offset that it takes", async () => {
  await inFolder((folder) => {
    const offsets = open(folder);
    assertEquals(offsets.commit("CG", "T", 0, Number.MAX_SAFE_INTEGER), undefined);
    offsets.close();
    assertEquals(open(folder).get("CG", "T", 0), Number.MAX_SAFE_INTEGER);
  });
});

Deno.test("ConsumerOffsets takes no more pairs of topic and group than it would read back", async () => {
  await inFolder((folder) => {
    const offsets = open(folder);
    for (let i = 0; i < OFFSET_ENTRIES_MAX; i++) offsets.commit(`g${i}`, "T", 0, 1);
    for (const [group, topic] of [["one-more", "T"], ["g0", "U"]] as const) {
      assertStringIncludes(offsets.commit(group, topic, 0, 1) ?? "", "1000000 pairs of topic and group");
    }
    assertEquals(offsets.commit("g0", "T", 1, 1), undefined, "a queue more");
    offsets.deleteGroup("g1");
    assertEquals(offsets.commit("one-more", "T", 0, 1), undefined, "in the place of another");
  });
});

Deno.test("ConsumerOffsets saves every interval what has changed, and at its end", async () => {
  await inFolder((folder) => {
    const clock = new HandClock();
    const offsets = open(folder, clock);
    const path = `${folder}/config/consumerOffset.json`;
    offsets.start();
    clock.go(5000);
    assert(!denoDisk.existsSync(path));
    offsets.commit("CG", "T", 0, 3);
    clock.go(4999);
    assert(!denoDisk.existsSync(path));
    clock.go(1);
    assertEquals(open(folder).get("CG", "T", 0), 3);
    assertStringIncludes(readConfig(folder, "consumerOffset.json"), `"T@CG":{0:3`);
    Deno.removeSync(path);
    offsets.commit("CG", "T", 0, 3);
    clock.go(5000);
    assert(!denoDisk.existsSync(path), "an offset that stayed the same is no change");
    offsets.commit("CG", "T", 1, 4);
    offsets.close();
    assertEquals(open(folder).get("CG", "T", 1), 4);
    assertEquals(clock.timers, 0);
  });
});

Deno.test("ConsumerOffsets writes the text that Java writes", async () => {
  await inFolder((folder) => {
    writeConfig(folder, "consumerOffset.json", JAVA_FILE.replace("{0:3,", "{0:2,"));
    const offsets = open(folder);
    offsets.commit("CG", "T", 0, 3);
    offsets.close();
    assertEquals(readConfig(folder, "consumerOffset.json"), JAVA_FILE);
  });
});

Deno.test("ConsumerOffsets saves tens of thousands of offsets over several turns", async () => {
  await inFolder(async (folder) => {
    const clock = new HandClock();
    const offsets = open(folder, clock);
    offsets.start();
    for (let i = 0; i < 20_000; i++) offsets.commit(`CG-${i}`, "T", 0, i);
    clock.go(5000);
    const path = `${folder}/config/consumerOffset.json`;
    assert(!denoDisk.existsSync(path), "one turn would be long");
    await until(() => {
      clock.go(1);
      return denoDisk.existsSync(path);
    }, "the file");
    const again = open(folder);
    for (let i = 0; i < 20_000; i++) assertEquals(again.get(`CG-${i}`, "T", 0), i);
    offsets.close();
  });
});

Deno.test("ConsumerOffsets saved over several turns never have newer op messages than half messages", async () => {
  await inFolder(async (folder) => {
    const [group, half, op] = ["CID_RMQ_SYS_TRANS", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC"];
    const many = { readQueueNums: 20_000, writeQueueNums: 20_000 };
    const table = new Map([half, op].map((topic) => [topic, topicConfig(topic, many)]));
    const clock = new HandClock();
    const offsets = new ConsumerOffsets({ settings: settingsIn(folder), topics: table, disk: denoDisk, clock });
    offsets.start();
    // With this many queues either topic fills more than a turn.
    for (const topic of [half, op]) for (let i = 0; i < 20_000; i++) offsets.commit(group, topic, i, 1);
    const path = `${folder}/config/consumerOffset.json`;
    clock.go(5000);
    for (let offset = 2; !denoDisk.existsSync(path); offset++) {
      for (const topic of [half, op]) offsets.commit(group, topic, 0, offset);
      clock.go(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const saved = open(folder);
    assertEquals(saved.get(group, op, 0), 1, "it was read in the first turn");
    assert(saved.get(group, half, 0) > 1, "all was read in one turn");
    offsets.close();
  });
});

Deno.test("ConsumerOffsets forgets a group", async () => {
  await inFolder((folder) => {
    const offsets = open(folder);
    offsets.commit("CG", "T", 0, 3);
    offsets.commit("Other", "T", 0, 4);
    offsets.deleteGroup("CG");
    assertEquals([offsets.get("CG", "T", 0), offsets.get("Other", "T", 0)], [-1, 4]);
    offsets.close();
    assertEquals(open(folder).groupsOf("T"), ["Other"]);
  });
});
