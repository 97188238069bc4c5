/**
 * @module
 */
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import { GROUPS_MAX, TOPIC_QUEUES_MAX } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { subscriptionGroup } from "../../src/protocol/bodies/subscription_group.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { HandClock, inFolder, readConfig, settingsIn, START, writeConfig } from "./workshop.ts";

function open(folder: string, autoCreateSubscriptionGroup = true): SubscriptionGroupTable {
  const settings = { ...settingsIn(folder), autoCreateSubscriptionGroup };
  return new SubscriptionGroupTable({ settings, disk: denoDisk, clock: new HandClock() });
}

/** As a 4.9.7 broker wrote it, shortened to one group of its own and one that is there from the start. */
const JAVA_FILE = `{
	"dataVersion":{
		"counter":5,
		"timestamp":1795390186730
	},
	"subscriptionGroupTable":{
		"CG":{
			"brokerId":0,
			"consumeBroadcastEnable":true,
			"consumeEnable":false,
			"consumeFromMinEnable":true,
			"groupName":"CG",
			"notifyConsumerIdsChangedEnable":true,
			"retryMaxTimes":3,
			"retryQueueNums":2,
			"whichBrokerWhenConsumeSlowly":1
		},
		"TOOLS_CONSUMER":{
			"brokerId":0,
			"consumeBroadcastEnable":false,
			"consumeEnable":true,
			"consumeFromMinEnable":true,
			"groupName":"TOOLS_CONSUMER",
			"notifyConsumerIdsChangedEnable":true,
			"retryMaxTimes":16,
			"retryQueueNums":1,
			"whichBrokerWhenConsumeSlowly":1
		}
	}
}`;

Deno.test("SubscriptionGroupTable has RocketMQ's own groups from the start", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    const own = ["TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY"];
    for (const name of [...own, "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER"]) {
      assertEquals(table.get(name), subscriptionGroup(name));
    }
    assertEquals(table.size, 7);
    assertEquals([...Deno.readDirSync(folder)].length, 0);
  });
});

Deno.test("SubscriptionGroupTable.find() makes a group and keeps it", async () => {
  await inFolder(async (folder) => {
    const table = open(folder);
    assertEquals(table.get("CG"), undefined);
    assertEquals(table.find("CG"), subscriptionGroup("CG"));
    assertEquals(table.find("CG"), table.get("CG"));
    assertEquals(table.version(), { counter: 1, timestamp: START });
    await Promise.resolve();
    assertEquals(open(folder, false).find("CG"), subscriptionGroup("CG"));
    assertStringIncludes(readConfig(folder, "subscriptionGroup.json"), `\n\t\t"CG":{\n\t\t\t"brokerId":0,\n`);
  });
});

Deno.test("SubscriptionGroupTable.find() makes only the system's groups where it may make no others", async () => {
  await inFolder((folder) => {
    const table = open(folder, false);
    assertEquals(table.find("CG"), undefined);
    assert(table.find("CID_RMQ_SYS_TRANS"));
  });
});

Deno.test("SubscriptionGroupTable refuses illegal names and path parts", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    for (const name of ["", " ", "a/b", "..", "a b", "a@b", "g".repeat(256)]) {
      assertEquals(table.find(name), undefined, name);
      assertThrows(() => table.update(subscriptionGroup(name)), Error, "Cannot keep the consumer group");
    }
    assertEquals(table.size, 7);
  });
});

Deno.test("SubscriptionGroupTable refuses more queues for retries than a topic may have", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    const group = (retryQueueNums: number) => subscriptionGroup("CG", { retryQueueNums });
    const allowed = `retryQueueNums is ${TOPIC_QUEUES_MAX + 1}, allowed are at most ${TOPIC_QUEUES_MAX}`;
    assertThrows(() => table.update(group(TOPIC_QUEUES_MAX + 1)), Error, allowed);
    assertEquals(table.get("CG"), undefined);
    table.update(group(TOPIC_QUEUES_MAX));
    table.update(group(-1));
    assertEquals(table.get("CG")?.retryQueueNums, -1);
  });
});

Deno.test("SubscriptionGroupTable reads Java's file and lays it over its own groups", async () => {
  await inFolder((folder) => {
    writeConfig(folder, "subscriptionGroup.json", JAVA_FILE);
    const table = open(folder);
    assertEquals(
      table.get("CG"),
      subscriptionGroup("CG", { consumeEnable: false, retryMaxTimes: 3, retryQueueNums: 2 }),
    );
    assertEquals(table.get("TOOLS_CONSUMER")?.consumeBroadcastEnable, false);
    assertEquals(table.version(), { counter: 5, timestamp: 1795390186730 });
    table.update(subscriptionGroup("CG"));
    assertEquals(table.version().counter, 6);
    assertEquals(readConfig(folder, "subscriptionGroup.json.bak"), JAVA_FILE);
    assert(table.delete("CG"));
    assert(!table.delete("CG"));
    assertEquals(open(folder).get("CG"), undefined);
  });
});

Deno.test("SubscriptionGroupTable takes no more groups than it may have", async () => {
  await inFolder((folder) => {
    const table = open(folder);
    for (let i = table.size; i < GROUPS_MAX; i++) table.find(`G${i}`);
    assertEquals(table.size, GROUPS_MAX);
    assertEquals(table.find("OneMore"), undefined);
    assertThrows(() => table.update(subscriptionGroup("OneMore")), Error, `${GROUPS_MAX} groups already`);
  });
});
