/**
 * Pulls that are answered at once.
 *
 * @module
 */
import { subscriptionGroup, topicConfig } from "../../src/protocol/bodies/mod.ts";
import { PullFlag, ResponseCode } from "../../src/protocol/codes.ts";
import { LitePullMessage } from "../../src/protocol/requests.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { bodies, FILE_BYTES, names, put, putMany } from "../store/kit.ts";
import { type Broker, HELD, pull, recordsIn, served } from "./pull_broker.ts";
import { RecordingConnection } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, NO_PERMISSION } = ResponseCode;
const { PULL_NOT_FOUND, PULL_RETRY_IMMEDIATELY, PULL_OFFSET_MOVED } = ResponseCode;

Deno.test("A pull gives what is there, and off the ends the offset to go on from", async () => {
  await served(async (broker) => {
    await putMany(broker.store, 5);
    const { code, remark, header } = await broker.pull({ queueOffset: 3 });
    assertEquals([code, remark, header.minOffset, header.maxOffset], [SUCCESS, "FOUND", 0, 5]);
    assertEquals(await broker.pulled({ queueOffset: 3 }), [SUCCESS, 5, ["m3", "m4"]]);
    assertEquals(await broker.pulled({ queueOffset: 5 }), [PULL_NOT_FOUND, 5, []]);
    assertEquals(await broker.pulled({ queueOffset: 6 }), [PULL_OFFSET_MOVED, 5, []]);
    assertEquals(await broker.pulled({ queueOffset: -1 }), [PULL_OFFSET_MOVED, 0, []]);
    assertEquals(await broker.pulled({ queueId: 1 }), [PULL_NOT_FOUND, 0, []], "empty");
    assertEquals(await broker.pulled({ queueId: 1, queueOffset: 5 }), [PULL_OFFSET_MOVED, 0, []], "empty, from 5");
    assertEquals((await broker.pull({ queueId: 1, queueOffset: 5 })).remark, "NO_MESSAGE_IN_QUEUE");
  });
});

Deno.test("A pull that is sent to another offset is told of in OFFSET_MOVED_EVENT, by masters", async () => {
  for (const [brokerRole, events] of [["ASYNC_MASTER", 2], ["SLAVE", 0]] as const) {
    await served(
      async (broker) => {
        await putMany(broker.store, 1);
        for (const queueOffset of [0, 1, 2, -1]) await broker.pull({ queueOffset });
        assertEquals(broker.store.maxOffset("OFFSET_MOVED_EVENT", 0), events, brokerRole);
      },
      {},
      { brokerRole },
    );
  }
});

Deno.test("A pull below what retention left is sent to the first offset that is there", async () => {
  await served(async (broker) => {
    const { bench, store } = broker;
    await putMany(store, 100, "m", 2000);
    await bench.synced(bench.logFile(3 * FILE_BYTES), () => bench.clock.advance(1000));
    bench.clock.time = Date.now() + 3_600_000;
    store.removeOldFiles();
    const min = store.minOffset("T", 0);
    assert(min > 0 && min < 100);
    const { code, remark, header } = await broker.pull({ sysFlag: HELD });
    assertEquals([code, remark, header.nextBeginOffset], [PULL_OFFSET_MOVED, "OFFSET_TOO_SMALL", min]);
    assertEquals((await broker.pulled({ queueOffset: min, maxMsgNums: 1 }))[2], [`m${min}`]);
  }, { fileReservedTime: 1, deleteWhen: [] });
});

Deno.test("A pull takes maxMsgNums messages, at least one, and at most what memory and disk allow", async () => {
  const count = async (broker: Broker, maxMsgNums: number) => (await broker.pulled({ maxMsgNums }))[2].length;
  await served(async (broker) => {
    await putMany(broker.store, 50);
    assertEquals([await count(broker, 0), await count(broker, 7), await count(broker, 0x7fff_ffff)], [1, 7, 32]);
    const refused = await broker.pull({ maxMsgNums: -1 });
    assertEquals([refused.code, refused.remark], [SYSTEM_ERROR, "the field maxMsgNums is -1, allowed is 0 and above"]);
  });
  await served(async (broker) => {
    await putMany(broker.store, 50, "m", 4000);
    assertEquals(await count(broker, 32), 15, "records of a little more than 4,000 bytes");
  }, { maxTransferBytesOnMessageInMemory: 16 * 4000 });
  await served(async (broker) => {
    await putMany(broker.store, 50);
    assertEquals(await count(broker, 32), 8);
  }, { inMemoryBytes: 0 });
  await served(async (broker) => {
    await putMany(broker.store, 50, "m", 4000);
    assertEquals(await count(broker, 32), 3);
  }, { inMemoryBytes: 0, maxTransferBytesOnMessageInDisk: 4 * 4000 });
});

Deno.test("A pull looks into one file of the queue", async () => {
  await served(async (broker) => {
    await putMany(broker.store, 12);
    assertEquals(await broker.pulled({ queueOffset: 8 }), [SUCCESS, 10, ["m8", "m9"]]);
    assertEquals(await broker.pulled({ queueOffset: 10 }), [SUCCESS, 12, ["m10", "m11"]]);
    assertEquals(await broker.pulled({ subscription: "TagB" }), [PULL_RETRY_IMMEDIATELY, 10, []]);
  }, { mappedFileSizeConsumeQueue: 20 * 10 });
});

Deno.test("A pull is sent to a slave when its consumer is far behind and slaveReadEnable is on", async () => {
  const suggested = async (broker: Broker, queueOffset: number) =>
    (await broker.pull({ queueOffset, maxMsgNums: 1 })).header.suggestWhichBrokerId;
  const EXPECTED: [slaveReadEnable: boolean, suggested: (number | undefined)[]][] = [
    [true, [4, 2, 2]],
    [false, [0, 0, 0]],
  ];
  for (const [slaveReadEnable, expected] of EXPECTED) {
    await served(
      async (broker) => {
        broker.groups.update(subscriptionGroup("CG", { brokerId: 2, whichBrokerWhenConsumeSlowly: 4 }));
        await putMany(broker.store, 10, "m", 1000);
        assertEquals([await suggested(broker, 0), await suggested(broker, 9), await suggested(broker, 10)], expected);
      },
      { inMemoryBytes: 5000 },
      { slaveReadEnable },
    );
  }
});

Deno.test("A pull commits an offset when its bit says so, it is not refused, and the broker is a master", async () => {
  const COMMIT = PullFlag.SUBSCRIPTION | PullFlag.COMMIT_OFFSET;
  await served(async (broker) => {
    const committed = () => broker.offsets.get("CG", "T", 0);
    await broker.pull({ commitOffset: 3 });
    assertEquals(committed(), -1, "without the bit");
    await broker.pull({ sysFlag: COMMIT, commitOffset: 3, queueOffset: 100 });
    assertEquals(committed(), 3, "also off the ends");
    broker.topics.update(topicConfig("T", { perm: 2 }));
    await broker.pull({ sysFlag: COMMIT, commitOffset: 4 });
    assertEquals(committed(), 3, "refused");
    broker.topics.update(topicConfig("T", { perm: 6 }));
    const [held] = await broker.hold({ sysFlag: COMMIT | PullFlag.SUSPEND, commitOffset: 5 });
    assertEquals(committed(), 5, "at once");
    broker.offsets.commit("CG", "T", 0, 2);
    await put(broker.store);
    assertEquals((await held!).code, SUCCESS);
    assertEquals(committed(), 2, "not once more on the wake-up");
  });
  await served(
    async (broker) => {
      await broker.pull({ sysFlag: COMMIT, commitOffset: 3 });
      assertEquals(broker.offsets.get("CG", "T", 0), -1);
      assertEquals(await broker.pulled({ queueOffset: 7 }), [PULL_RETRY_IMMEDIATELY, 7, []], "a slave moves nobody");
    },
    {},
    { brokerRole: "SLAVE" },
  );
});

Deno.test("A group with consumeBroadcastEnable off is refused if it broadcasts, unless the pull brings its subscription along", async () => {
  await served(async (broker) => {
    broker.groups.update(subscriptionGroup("CG", { consumeBroadcastEnable: false }));
    const offline = await broker.pull({ sysFlag: 0 });
    assertEquals(offline.code, ResponseCode.SUBSCRIPTION_NOT_EXIST);
    const peer = new RecordingConnection("p");
    const group = {
      groupName: "CG",
      consumeType: "CONSUME_PASSIVELY" as const,
      consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET" as const,
      unitMode: false,
      subscriptionDataSet: [],
    };
    const client = { clientId: "c", language: "JAVA", version: 407 };
    broker.consumers.register({ ...group, messageModel: "BROADCASTING" }, peer, client);
    assertEquals((await broker.pull({ sysFlag: 0 })).code, NO_PERMISSION);
    assertEquals((await broker.pull()).code, PULL_NOT_FOUND, "RocketMQ does not look at the group then");
    broker.consumers.register({ ...group, messageModel: "CLUSTERING" }, peer, client);
    assertStringIncludes((await broker.pull({ sysFlag: 0 })).remark ?? "", "subscription not exist");
  });
});

Deno.test("A pull with the bit of class filters is refused, and the refusal says why", async () => {
  await served(async (broker) => {
    const { code, remark } = await broker.pull({ sysFlag: PullFlag.SUBSCRIPTION | PullFlag.CLASS_FILTER });
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "class filters are not supported");
  });
});

Deno.test("LITE_PULL_MESSAGE is served like PULL_MESSAGE", async () => {
  await served(async (broker) => {
    await putMany(broker.store, 3);
    const { code, body } = await broker.client().ask(LitePullMessage, pull);
    assertEquals([code, bodies([...recordsIn(body)])], [SUCCESS, names(3)]);
  });
});

Deno.test("What a pull brings counts for its group, also when it was held; what brings nothing counts as a miss", async () => {
  await served(async (broker) => {
    const { stats } = broker;
    await put(broker.store, { queueId: 1 });
    const [held] = await broker.hold({});
    await put(broker.store);
    await held;
    await broker.pull({ queueOffset: 1 });
    await broker.pull({ queueId: 1, consumerGroup: "CG2" });
    const counted = [...stats.groupsGot()].map((
      { topic, group, counter },
    ) => [topic, group, counter.nums, counter.times]);
    assertEquals(counted, [["T", "CG", 1, 1], ["T", "CG2", 1, 1]]);
    const size = broker.store.logOffsetOf("T", 0, 0)!;
    assertEquals([stats.got.nums, stats.got.bytes], [2, broker.store.maxLogOffset]);
    assertEquals([...stats.groupsGot()][1]?.counter.bytes, size);
    const { found, missed, transferred } = stats.throughput;
    assertEquals([found, missed, transferred], [2, 2, 2]);
  });
});
