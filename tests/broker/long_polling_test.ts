/**
 * Pulls that wait for a message.
 *
 * @module
 */
import { subscriptionGroup, topicConfig } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { assertEquals } from "../../src/std.ts";
import { put, putMany } from "../store/kit.ts";
import { type Broker, HELD, served } from "./pull_broker.ts";
import { until } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, NO_PERMISSION, TOPIC_NOT_EXIST, SERVICE_NOT_AVAILABLE } = ResponseCode;
const { PULL_NOT_FOUND, PULL_RETRY_IMMEDIATELY, PULL_OFFSET_MOVED } = ResponseCode;

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
    assertEquals((await left!).code, SERVICE_NOT_AVAILABLE, "the broker stops");
  });
});

/** Lets reads of the store fall between two files of a queue. */
function fallIntoGap({ store }: Broker): void {
  const found = { pieces: [], count: 0, bytes: 0, minOffset: 0, maxOffset: 200, lastLogOffset: -1 };
  store.reader.read = (...wanted) => void wanted[5]({ status: "OFFSET_FOUND_NULL", nextBeginOffset: 100, ...found });
}

Deno.test("A pull that falls into a gap of the queue's files is not held: behind it there may be messages", async () => {
  await served(async (broker) => {
    fallIntoGap(broker);
    assertEquals(await broker.pulled({ sysFlag: HELD, queueOffset: 7 }), [PULL_NOT_FOUND, 100, []]);
  });
});

Deno.test("A pull that falls into such a gap on a slave, which moves no offset, is held all the same", async () => {
  await served(
    async (broker) => {
      fallIntoGap(broker);
      const [held] = await broker.hold({ queueOffset: 7 });
      broker.clock.go(15_500);
      const { code, header } = await held!;
      assertEquals([code, header.nextBeginOffset], [PULL_NOT_FOUND, 7]);
    },
    {},
    { brokerRole: "SLAVE" },
  );
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

Deno.test("A held pull moves on at once when more unwanted messages come together than one read looks through", async () => {
  await served(async (broker) => {
    const [held] = await broker.hold({ subscription: "TagB" });
    // Ten entries a queue file, and a read looks into one.
    await Promise.all([putMany(broker.store, 12), put(broker.store, { properties: "TAGS\u0001TagB" })]);
    const { code, header } = await held!;
    assertEquals([code, header.nextBeginOffset, header.maxOffset], [PULL_RETRY_IMMEDIATELY, 10, 13]);
    assertEquals((await broker.pulled({ subscription: "TagB", queueOffset: 10 }))[1], 13);
  }, { mappedFileSizeConsumeQueue: 20 * 10 });
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
