/**
 * @module
 */
import { Cleaning, type CleaningContext } from "../../src/broker/cleaning.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { HandlerTable, type Incoming } from "../../src/remoting/handlers.ts";
import {
  CleanExpiredConsumequeue,
  CleanUnusedTopic,
  DeleteExpiredCommitlog,
} from "../../src/protocol/admin_requests.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { SystemTopic } from "../../src/protocol/names.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { bodies, message, put, putMany, readAll } from "../store/kit.ts";
import { until } from "../until.ts";
import { AdminDesk, consumerData } from "./admin_desk.ts";

const { SUCCESS } = ResponseCode;
const text = (body: string) => new TextEncoder().encode(body);

/** Fills log files until the first one is gone. */
async function ageOut({ store, bench }: AdminDesk, topic: string): Promise<void> {
  const end = store.maxLogOffset;
  while (store.minLogOffset < end) {
    await putMany(store, 5, "x", 15_000).then(() => put(store, { topic, body: text("filler") }));
    await store.sync();
    bench.disk.modifiedSync = () => 0;
    store.removeOldFiles();
  }
}

function folders({ bench }: AdminDesk): string[] {
  return [...Deno.readDirSync(bench.path("consumequeue"))].map(({ name }) => name).sort();
}

Deno.test("CLEAN_UNUSED_TOPIC removes the queues of topics that are gone, and nothing that the broker lives on", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const { store } = desk;
    const kept = ["T", SystemTopic.SCHEDULE, SystemTopic.TRANS_HALF, SystemTopic.TRANS_OP_HALF, "%LMQ%x", "rmq_sys_x"];
    await desk.topic("T", 1, 2);
    for (const topic of [...kept.slice(1), "gone", "%RETRY%gone"]) await put(store, { topic });
    store.queues.flush();
    assertEquals(folders(desk).length, kept.length + 2);
    assertEquals((await ask(CleanUnusedTopic, {})).code, SUCCESS);
    assertEquals(folders(desk), [...kept].sort());
    assertEquals(store.queues.topics().sort(), [...kept].sort());
    assertEquals([store.maxOffset("gone", 0), store.maxOffset("T", 0)], [0, 2]);
    // A topic that comes again begins at 0, and what it had is not in it.
    await put(store, { topic: "gone", body: text("new") });
    assertEquals(await readAll(store, "gone"), ["new"]);
    assertEquals((await ask(CleanUnusedTopic, {})).code, SUCCESS);
  });
});

/** Has a broker of some role clean, which stands on the same tables. */
async function cleanAs(
  desk: AdminDesk,
  brokerRole: "SLAVE" | "ASYNC_MASTER",
  type: typeof CleanUnusedTopic,
  given: object = {},
): Promise<void> {
  const store = { ...pick(desk.store), ...given };
  const { topics, offsets, consumers } = desk;
  const table = new HandlerTable();
  new Cleaning({ settings: { brokerRole }, clock: systemClock, topics, offsets, consumers, store }).handlers(table);
  const answer = await table.get(type.code)!.handler({} as Incoming);
  assertEquals(answer?.code, SUCCESS);
}

function pick(store: MessageStore): CleaningContext["store"] {
  return {
    queues: store.queues,
    minLogOffset: store.minLogOffset,
    deleteTopic: (...given) => store.deleteTopic(...given),
    removeOldFiles: (soon) => store.removeOldFiles(soon),
    storeTimeAt: (...given) => store.storeTimeAt(...given),
  };
}

Deno.test("a slave passes over a topic whose messages are young: its master's table may not be there yet", async () => {
  await AdminDesk.with(async (desk) => {
    const young = await put(desk.store, { topic: "young" });
    await put(desk.store, { topic: "old" });
    const deleted: string[] = [];
    const given = {
      deleteTopic: (topic: string) => void deleted.push(topic),
      storeTimeAt: (logOffset: number) => Date.now() - (logOffset === young.logOffset ? 50_000 : 61_000),
    };
    await cleanAs(desk, "SLAVE", CleanUnusedTopic, given);
    assertEquals(deleted.splice(0), ["old"]);
    await cleanAs(desk, "ASYNC_MASTER", CleanUnusedTopic, given);
    assertEquals(deleted, ["young", "old"]);
  });
});

Deno.test("CLEAN_EXPIRED_CONSUMEQUEUE removes queues whose messages are gone, but none that somebody reads", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const { store } = desk;
    for (const topic of ["Mixed", "Unread", "Committed", "Online", "Shrunk", "Gone"]) await desk.topic(topic, 2, 3);
    await desk.topic("Empty", 1);
    await put(store, { topic: SystemTopic.TRANS_HALF });
    for (const topic of ["Committed", "Shrunk"]) desk.commit("CG", topic, 3, 3);
    desk.commit("CG", "Unread", 0);
    desk.member("c1", consumerData("DG", "Online"));
    await desk.topic("Shrunk", 1);
    desk.topics.delete("Gone");
    await ageOut(desk, "Filler");
    await put(store, { topic: "Mixed", queueId: 1, body: text("newest") });
    store.queues.flush();
    assertEquals((await ask(CleanExpiredConsumequeue, {})).code, SUCCESS);
    const left = store.queues.topics().flatMap((topic) => store.queues.of(topic).map(({ queueId }) => topic + queueId));
    assertEquals(left.sort(), [
      "Committed0",
      "Committed1",
      "Filler0",
      "Mixed1",
      "Online0",
      "Online1",
      `${SystemTopic.TRANS_HALF}0`,
      "Shrunk0",
      "T0",
    ]);
    assertEquals(folders(desk), ["Committed", "Filler", "Mixed", "Online", SystemTopic.TRANS_HALF, "Shrunk", "T"]);
    // Those that stay go on counting; the others begin at 0, and so do groups that come to them.
    assertEquals((await put(store, { topic: "Committed" })).queueOffset, 3);
    assertEquals((await put(store, { topic: "Unread", body: text("again") })).queueOffset, 0);
    assertEquals(await readAll(store, "Unread"), ["again"]);
    assertEquals(desk.offsetsOf("CG", "Shrunk"), [3, 0]);
    const found = await store.get("Mixed", 1, 3, 1);
    assertEquals(bodies(found.records), ["newest"]);
    // All is found again at the next start.
    await store.close();
    const reopened = await desk.bench.open();
    assertEquals([reopened.maxOffset("Unread", 0), reopened.maxOffset("Mixed", 1)], [1, 4]);
    await reopened.close();
  });
});

Deno.test("a slave removes queues whose messages are gone, but the offsets are its master's", async () => {
  await AdminDesk.with(async (desk) => {
    await desk.topic("Shrunk", 2, 2);
    desk.commit("CG", "Shrunk", 2, 2);
    await desk.topic("Shrunk", 1);
    await ageOut(desk, "Filler");
    await cleanAs(desk, "SLAVE", CleanExpiredConsumequeue);
    assertEquals(desk.store.queues.of("Shrunk").map(({ queueId }) => queueId), [0]);
    assertEquals(desk.offsetsOf("CG", "Shrunk"), [2, 2]);
  });
});

Deno.test("DELETE_EXPIRED_COMMITLOG lets the next twenty rounds remove old files whatever the hour", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const { store, bench } = desk;
    const hour = new Date(bench.clock.now()).getHours();
    (store.options as { deleteWhen: readonly number[] }).deleteWhen = [(hour + 12) % 24];
    await putMany(store, 30, "m", 15_000);
    await store.sync();
    bench.disk.modifiedSync = () => 0;
    const round = () => bench.clock.advance(store.options.cleanResourceInterval);
    round();
    assertEquals(store.minLogOffset, 0);
    assertEquals((await ask(DeleteExpiredCommitlog, {})).code, SUCCESS);
    assertEquals(store.minLogOffset, 0);
    round();
    const min = store.minLogOffset;
    assert(min > 0);
    for (let n = 1; n < 20; n++) round();
    await fill(store);
    round();
    assertEquals(store.minLogOffset, min, "a round more than twenty");
  });
});

async function fill(store: MessageStore): Promise<void> {
  await Promise.all(Array.from({ length: 30 }, () => {
    return new Promise((resolve) => store.put(message({ body: new Uint8Array(15_000) }), resolve));
  }));
  await store.sync();
}

Deno.test("a broker that stops ends a cleaning that is going on", async () => {
  await AdminDesk.with(async (desk, ask) => {
    for (let n = 0; n < 50; n++) await put(desk.store, { topic: `gone${n}` });
    const slow = desk.store.deleteTopic.bind(desk.store);
    desk.store.deleteTopic = (...given) => {
      const end = Date.now() + 6;
      while (Date.now() < end);
      slow(...given);
    };
    const asked = ask(CleanUnusedTopic, {});
    await until(() => desk.store.queues.topics().length < 50);
    await desk.cleaning.close();
    const left = desk.store.queues.topics().length;
    assert(left > 0, "all were removed");
    assertEquals((await asked).remark, "CLEAN_UNUSED_TOPIC: this node is stopping");
    assertEquals(desk.store.queues.topics().length, left);
  });
});
