/**
 * Queries one after the other, for clients that read and clients that do not.
 *
 * @module
 */
import { findingHandlers } from "../../src/broker/finding.ts";
import {
  LARGE_ANSWERS_MS_PER_TURN,
  PROPERTIES_BYTES_MAX,
  TOPIC_LENGTH_MAX,
  UNSENT_BYTES_MAX,
} from "../../src/limits.ts";
import { Flag, ResponseCode } from "../../src/protocol/codes.ts";
import { QueryMessage, ViewMessageById } from "../../src/protocol/requests.ts";
import { assert, assertEquals } from "../../src/std.ts";
import type { QueryResult } from "../../src/store/types.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { frameBytes, RawPeer } from "../remoting/raw_peer.ts";
import { Desk, HandClock, until } from "./workshop.ts";

const RECORD_BYTES = 1 << 20;
const settings = { defaultQueryMaxNum: 32, maxMsgsNumBatch: 64 };

/** Says what it was asked, and answers when it is told to. */
class SlowStore {
  readonly asked: unknown[] = [];
  atOnce = 0;
  atOnceMax = 0;
  found: Partial<QueryResult> = {};

  async #busy<T>(value: T): Promise<T> {
    this.atOnceMax = Math.max(this.atOnceMax, ++this.atOnce);
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.atOnce--;
    return value;
  }

  queryByKey(...query: [string, string, number, number, number]): Promise<QueryResult> {
    this.asked.push(query);
    return this.#busy({ records: [], indexLastUpdateTimestamp: 5, indexLastUpdatePhyoffset: 6, ...this.found });
  }

  fetchRecord(offset: number): Promise<Uint8Array | undefined> {
    this.asked.push(offset);
    return this.#busy(offset < 0 ? undefined : new Uint8Array(RECORD_BYTES));
  }

  logOffsetOf = neverAsked;
}

/** Where a record is in its queue matters to accounts only. */
function neverAsked(): never {
  throw new Error("nobody asks where records are");
}

const query = { topic: "T", key: "k", maxNum: 100, beginTimestamp: 1, endTimestamp: 2 };

Deno.test("QUERY_MESSAGE asks for as many as it may, and for the default of a unique key", async () => {
  const store = new SlowStore();
  const desk = new Desk((table) => findingHandlers(table, { settings, store, clock: systemClock }));
  const { ask } = desk.client();
  const none = await ask(QueryMessage, query);
  assertEquals([none.code, none.header.indexLastUpdateTimestamp], [ResponseCode.QUERY_NOT_FOUND, 5]);
  await ask(QueryMessage, { ...query, maxNum: 7 });
  await ask(QueryMessage, { ...query, maxNum: 7, uniqueKeyQuery: true });
  assertEquals(store.asked, [64, 7, 32].map((most) => ["T", "k", most, 1, 2]));
  store.found = { records: [Uint8Array.of(1, 2), Uint8Array.of(3)] };
  const some = await ask(QueryMessage, query);
  assertEquals([some.code, [...some.body], some.header.indexLastUpdatePhyoffset], [ResponseCode.SUCCESS, [1, 2, 3], 6]);
  await desk.close();
});

Deno.test("a key or topic that no message can have is not searched for", async () => {
  const store = new SlowStore();
  const desk = new Desk((table) => findingHandlers(table, { settings, store, clock: systemClock }));
  const { ask } = desk.client();
  const given = { key: "k".repeat(PROPERTIES_BYTES_MAX + 1), topic: "t".repeat(TOPIC_LENGTH_MAX + 1) };
  for (const [name, value] of Object.entries(given)) {
    assertEquals((await ask(QueryMessage, { ...query, [name]: value })).code, ResponseCode.QUERY_NOT_FOUND);
  }
  assertEquals(store.asked, []);
  await desk.close();
});

Deno.test("searches go one after the other, and a failed one is an answer that stops no other", async () => {
  const store = new SlowStore();
  const desk = new Desk((table) => findingHandlers(table, { settings, store, clock: systemClock }));
  const { ask } = desk.client();
  const fetch = store.fetchRecord.bind(store);
  store.fetchRecord = (offset) => offset === 3 ? Promise.reject(new Error("the disk is gone")) : fetch(offset);
  const answers = await Promise.all([1, 2, 3, -4, 5].map((offset) => ask(ViewMessageById, { offset })));
  const { SUCCESS, SYSTEM_ERROR } = ResponseCode;
  assertEquals(answers.map(({ code }) => code), [SUCCESS, SUCCESS, SYSTEM_ERROR, SYSTEM_ERROR, SUCCESS]);
  assertEquals(answers[2]!.remark, "cannot read the store: the disk is gone");
  assertEquals(answers[3]!.remark, "can not find message by the offset, -4");
  assertEquals([store.asked, store.atOnceMax], [[1, 2, -4, 5], 1]);
  await desk.close();
});

Deno.test("what is found in memory lets others have their turn after some milliseconds", async () => {
  const clock = new HandClock();
  let found = 0;
  const fetchRecord = () => {
    found++;
    clock.go(LARGE_ANSWERS_MS_PER_TURN / 2);
    return Uint8Array.of(found);
  };
  const queryByKey = () => Promise.reject(new Error("nobody asks for keys"));
  const store = { fetchRecord, queryByKey, logOffsetOf: neverAsked };
  const desk = new Desk((table) => findingHandlers(table, { settings, store, clock }));
  const { ask } = desk.client();
  const answers = [1, 2, 3].map((offset) => ask(ViewMessageById, { offset }));
  await Promise.all(answers.slice(0, 2));
  assertEquals([found, clock.timers], [2, 1]);
  clock.go(0);
  assertEquals([...(await answers[2]!).body], [3]);
  await desk.close();
});

Deno.test("nothing is searched for a one-way request, whose answer nobody gets", async () => {
  const store = new SlowStore();
  const handlers = new HandlerTable();
  findingHandlers(handlers, { settings, store, clock: systemClock });
  const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 });
  using peer = await RawPeer.connect(server.port);
  const { code, request: table } = ViewMessageById;
  await peer.write(frameBytes({ code, opaque: 1, flag: Flag.ONE_WAY, table, values: { offset: 1 } }));
  assertEquals((await peer.ask({ code, opaque: 2, table, values: { offset: 2 } })).header.opaque, 2);
  assertEquals(store.asked, [2]);
  await server.close();
});

Deno.test("a peer that does not read what it asked for is read no more for, holds nobody up, and gets all in the end", async () => {
  const store = new SlowStore();
  const handlers = new HandlerTable();
  findingHandlers(handlers, { settings, store, clock: systemClock });
  const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 });
  const { code, request: table } = ViewMessageById;
  const view = (opaque: number) => frameBytes({ code, opaque, table, values: { offset: opaque } });
  using lazy = await RawPeer.connect(server.port);
  using eager = await RawPeer.connect(server.port);
  const count = 2 * UNSENT_BYTES_MAX / RECORD_BYTES;
  for (let opaque = 1; opaque <= count; opaque++) await lazy.write(view(opaque));
  await until(() => [...server.connections].some(({ congested }) => congested), "unsent answers");
  for (let opaque = 1; opaque <= 20; opaque++) {
    await eager.write(view(count + opaque));
    assertEquals((await eager.read())?.header.opaque, count + opaque);
  }
  const before = store.asked.length - 20;
  assert(before * RECORD_BYTES < UNSENT_BYTES_MAX / 2, `${before} records were read for a peer that reads none`);
  const got = new Set<number>();
  for (let i = 0; i < count; i++) got.add((await lazy.read())!.header.opaque);
  assertEquals(got.size, count);
  await server.close();
});
