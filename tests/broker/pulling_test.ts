/**
 * Pulls over real connections from a real store.
 *
 * @module
 */
import { ConsumerGroups } from "../../src/broker/consumers.ts";
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import { Intake } from "../../src/broker/intake.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { Pulling, type PullingContext } from "../../src/broker/pulling.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { subscriptionGroup, topicConfig } from "../../src/protocol/bodies/mod.ts";
import { PullFlag, ResponseCode } from "../../src/protocol/codes.ts";
import { LitePullMessage, PullMessage } from "../../src/protocol/requests.ts";
import type { MessageStore, StoreOptions } from "../../src/store/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { Bench, bodies, FILE_BYTES, HOST, names, put, putMany } from "../store/kit.ts";
import { Desk, HandClock, RecordingConnection, settingsIn, until } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, NO_PERMISSION, TOPIC_NOT_EXIST } = ResponseCode;
const { PULL_NOT_FOUND, PULL_RETRY_IMMEDIATELY, PULL_OFFSET_MOVED } = ResponseCode;
const HELD = PullFlag.SUBSCRIPTION | PullFlag.SUSPEND;

const pull = {
  consumerGroup: "CG",
  topic: "T",
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: PullFlag.SUBSCRIPTION as number,
  commitOffset: 0,
  suspendTimeoutMillis: 15_000,
  subscription: "*",
  subVersion: 0,
};
type Pull = Partial<typeof pull>;

/** A broker's part that serves pulls, with two queues of the topic T. */
class Broker {
  readonly clock = new HandClock();
  readonly settings;
  readonly topics;
  readonly groups;
  readonly offsets;
  readonly consumers;
  readonly pulling;
  /** Reads of the store, each as topic-queue@offset. */
  readonly reads: string[] = [];
  readonly #desk;
  readonly #ask;

  constructor(readonly bench: Bench, readonly store: MessageStore, given: Partial<PullingContext["settings"]>) {
    const { clock } = this;
    const { disk, dir } = bench;
    const settings = this.settings = {
      ...settingsIn(dir),
      brokerPermission: 6,
      brokerIP1: "127.0.0.1",
      longPollingEnable: true,
      shortPollingTimeMills: 1000,
      slaveReadEnable: false,
      offsetCheckInSlave: false,
      ...given,
    };
    const topics = this.topics = new TopicTable({ settings, disk, clock });
    const groups = this.groups = new SubscriptionGroupTable({ settings, disk, clock });
    this.offsets = new ConsumerOffsets({ settings, topics, disk, clock });
    this.consumers = new ConsumerGroups({ settings, groups, clock });
    topics.update(topicConfig("T", { readQueueNums: 2, writeQueueNums: 2 }));
    const { get } = store;
    store.get = (topic, queueId, offset, ...more) => {
      this.reads.push(`${topic}-${queueId}@${offset}`);
      return get.call(store, topic, queueId, offset, ...more);
    };
    const { offsets, consumers } = this;
    const intake = new Intake(store);
    this.pulling = new Pulling({ settings, store, storeHost: HOST, intake, topics, groups, offsets, consumers, clock });
    this.#desk = new Desk((table) => this.pulling.handlers(table));
    this.#ask = this.#desk.client().ask;
  }

  /** A client of its own. */
  client() {
    return this.#desk.client();
  }

  pull(given: Pull = {}, ask = this.#ask) {
    return ask(PullMessage, { ...pull, ...given });
  }

  /** Code, next offset and bodies of what a pull gives. */
  async pulled(given: Pull = {}): Promise<[code: number, next: number | undefined, bodies: string[]]> {
    const { code, header, body } = await this.pull(given);
    return [code, header.nextBeginOffset, bodies([...recordsIn(body)])];
  }

  /** Pulls that are held; they answer later. */
  async hold(...pulls: Pull[]) {
    const before = this.pulling.held.size;
    const answers = pulls.map((given) => this.pull({ sysFlag: HELD, ...given }));
    await until(() => this.pulling.held.size === before + pulls.length, "held pulls");
    return answers;
  }

  async close(): Promise<void> {
    this.pulling.close();
    await this.#desk.close();
    await this.store.close();
  }
}

function* recordsIn(body: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length; at += view.getInt32(at)) yield body.subarray(at, at + view.getInt32(at));
}

async function served(
  test: (broker: Broker) => Promise<void>,
  options: Partial<StoreOptions> = {},
  settings: Partial<PullingContext["settings"]> = {},
): Promise<void> {
  using bench = new Bench();
  const broker = new Broker(bench, await bench.open(options), settings);
  try {
    await test(broker);
  } finally {
    await broker.close();
  }
}

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

Deno.test("A pull that finds nothing is held if its bit says so, until a message comes or its time is over", async () => {
  await served(async (broker) => {
    assertEquals((await broker.pull({ suspendTimeoutMillis: 15_000 })).code, PULL_NOT_FOUND, "not to be held");
    assertEquals(broker.pulling.held.size, 0);
    const [woken, patient, other] = await broker.hold({}, { suspendTimeoutMillis: 20_000 }, { queueId: 1 });
    await put(broker.store);
    assertEquals([(await woken!).code, (await patient!).code, broker.pulling.held.size], [SUCCESS, SUCCESS, 1]);
    broker.clock.go(15_500);
    assertEquals((await other!).code, PULL_NOT_FOUND);
    const [impatient] = await broker.hold({ queueOffset: 1, suspendTimeoutMillis: 0 });
    broker.clock.go(500);
    assertEquals((await impatient!).code, PULL_NOT_FOUND);
    const [left] = await broker.hold({ queueOffset: 1 });
    broker.pulling.close();
    assertEquals((await left!).code, PULL_NOT_FOUND, "the broker stops");
  });
});

Deno.test("Without longPollingEnable a pull is held for shortPollingTimeMills", async () => {
  await served(
    async (broker) => {
      const [held] = await broker.hold({ suspendTimeoutMillis: 60_000 });
      broker.clock.go(1500);
      assertEquals((await held!).code, PULL_NOT_FOUND);
    },
    {},
    { longPollingEnable: false, shortPollingTimeMills: 1000 },
  );
});

Deno.test("A held pull whose queue gets unwanted messages only moves on after 5 seconds", async () => {
  await served(async (broker) => {
    const [held] = await broker.hold({ subscription: "TagB" });
    await putMany(broker.store, 3);
    broker.clock.go(4000);
    assertEquals(broker.pulling.held.size, 1);
    broker.clock.go(1500);
    const { code, header } = await held!;
    assertEquals([code, header.nextBeginOffset], [PULL_RETRY_IMMEDIATELY, 3]);
    const [wanted] = await broker.hold({ subscription: "TagB", queueOffset: 3 });
    await putMany(broker.store, 2);
    await put(broker.store, { properties: "TAGS\u0001TagB" });
    assertEquals([(await wanted!).code, (await wanted!).header.nextBeginOffset], [SUCCESS, 6]);
  });
});

const CHANGES: [string, (broker: Broker) => void, code: number][] = [
  ["its topic is deleted", ({ topics }) => void topics.delete("T"), TOPIC_NOT_EXIST],
  ["its topic may not be read any more", ({ topics }) => topics.update(topicConfig("T", { perm: 2 })), NO_PERMISSION],
  [
    "its queue is no more to be read",
    ({ topics }) => topics.update(topicConfig("T", { readQueueNums: 1, writeQueueNums: 2 })),
    SYSTEM_ERROR,
  ],
  [
    "its group may not consume any more",
    ({ groups }) => groups.update(subscriptionGroup("CG", { consumeEnable: false })),
    NO_PERMISSION,
  ],
  ["the broker may not be read any more", ({ settings }) => settings.brokerPermission = 2, NO_PERMISSION],
];

for (const [what, change, code] of CHANGES) {
  Deno.test(`A pull is refused with ${code} once ${what}, also one that was held before`, async () => {
    await served(async (broker) => {
      const [atMessage] = await broker.hold({ queueId: 1 });
      change(broker);
      await put(broker.store, { queueId: 1 });
      assertEquals((await atMessage!).code, code, "woken by a message");
      assertEquals((await broker.pull({ queueId: 1 })).code, code, "a new one");
    });
    await served(async (broker) => {
      const [atEnd] = await broker.hold({ queueId: 1 });
      change(broker);
      broker.clock.go(20_000);
      assertEquals((await atEnd!).code, code, "at the end of its time");
    });
  });
}

Deno.test("A held pull of a topic that was deleted and made again is sent back to the new messages", async () => {
  await served(async (broker) => {
    await putMany(broker.store, 5);
    const [held] = await broker.hold({ queueOffset: 5 });
    broker.store.deleteTopic("T");
    await put(broker.store);
    const { code, header } = await held!;
    assertEquals([code, header.nextBeginOffset, header.maxOffset], [PULL_OFFSET_MOVED, 1, 1]);
  });
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

Deno.test("Pulls of a client that has gone are held no more", async () => {
  await served(async (broker) => {
    const [stays] = await broker.hold({});
    const client = broker.client();
    const gone = [0, 1].map((queueId) => broker.pull({ queueId, sysFlag: HELD }, client.ask).catch(() => "gone"));
    await until(() => broker.pulling.held.size === 3, "three held pulls");
    client.close();
    await until(() => broker.pulling.held.size === 1, "the others to be let go");
    assertEquals(await Promise.all(gone), ["gone", "gone"]);
    await put(broker.store);
    assertEquals((await stays!).code, SUCCESS);
  });
});

Deno.test("A message makes the store be read for the held pulls of its own queue only, however many others wait", async () => {
  await served(async (broker) => {
    const others = 2000;
    broker.topics.update(topicConfig("Other", { readQueueNums: others, writeQueueNums: others }));
    const [own] = await broker.hold({});
    const rest = await broker.hold(...Array.from({ length: others }, (_, queueId) => ({ topic: "Other", queueId })));
    broker.reads.length = 0;
    await put(broker.store);
    assertEquals((await own!).code, SUCCESS);
    assertEquals(broker.reads, ["T-0@0", "T-0@0"], "one look, one read");
    assertEquals(broker.pulling.held.size, others);
    broker.pulling.close();
    await Promise.all(rest);
  });
});

Deno.test("LITE_PULL_MESSAGE is served like PULL_MESSAGE", async () => {
  await served(async (broker) => {
    await putMany(broker.store, 3);
    const { code, body } = await broker.client().ask(LitePullMessage, pull);
    assertEquals([code, bodies([...recordsIn(body)])], [SUCCESS, names(3)]);
  });
});
