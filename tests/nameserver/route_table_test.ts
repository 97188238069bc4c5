/**
 * The route table, step by step as RouteInfoManager of RocketMQ 4.9.7.
 *
 * @module
 */
import { BROKER_EXPIRY_MS, type Registration, RouteTable } from "../../src/nameserver/route_table.ts";
import { RocketdError } from "../../src/errors.ts";
import { BROKER_NAMES_MAX, BROKERS_MAX, CLUSTERS_MAX, ROUTE_ENTRIES_MAX, TOPICS_MAX } from "../../src/limits.ts";
import { topicConfig } from "../../src/protocol/bodies/mod.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";

const link = () => ({
  closed: 0,
  close() {
    this.closed++;
  },
});

function topics(counter: number, ...given: (string | ReturnType<typeof topicConfig>)[]): Registration["topics"] {
  const configs = given.map((topic) => typeof topic === "string" ? topicConfig(topic) : topic);
  return {
    dataVersion: { counter, timestamp: 1 },
    topicConfigTable: new Map(configs.map((topic) => [topic.topicName, topic])),
  };
}

function broker(given: Partial<Registration> = {}): Registration {
  return {
    clusterName: "C",
    brokerName: "a",
    brokerId: 0,
    brokerAddr: "a0:1",
    haServerAddr: "a0:2",
    topics: topics(1, "T"),
    filterServers: [],
    link: link(),
    ...given,
  };
}

const slave = (given: Partial<Registration> = {}) =>
  broker({ brokerId: 1, brokerAddr: "a1:1", haServerAddr: "a1:2", ...given });

Deno.test("a registered master is routed", () => {
  const table = new RouteTable();
  assertEquals(table.register(broker(), 0), {});
  assertEquals(table.route("T"), {
    queueDatas: [{ brokerName: "a", readQueueNums: 16, writeQueueNums: 16, perm: 6, topicSysFlag: 0 }],
    brokerDatas: [{ cluster: "C", brokerName: "a", brokerAddrs: new Map([[0, "a0:1"]]) }],
    filterServerTable: new Map(),
  });
  assertEquals(table.route("U"), undefined);
  assertEquals(table.topics(), ["T"]);
});

Deno.test("a slave brings no topics, and is told its master and the master's HA address", () => {
  const table = new RouteTable();
  assertEquals(table.register(slave({ topics: topics(5, "OfSlave") }), 0), {});
  table.register(broker(), 0);
  assertEquals<unknown>(table.register(slave(), 0), { masterAddr: "a0:1", haServerAddr: "a0:2" });
  assertEquals(table.topics(), ["T"]);
  assertEquals(table.route("T")?.brokerDatas[0]?.brokerAddrs, new Map([[1, "a1:1"], [0, "a0:1"]]));
});

Deno.test("topics are taken again only when their version changed, and none is removed by that", () => {
  const table = new RouteTable();
  table.register(broker(), 0);
  table.register(broker({ topics: topics(1, "U") }), 0);
  assertEquals(table.topics(), ["T"]);
  table.register(broker({ topics: topics(2, "U") }), 0);
  assertEquals(table.topics(), ["T", "U"]);
});

Deno.test("isChanged() compares with what was registered last, touch() keeps a broker alive", () => {
  const table = new RouteTable();
  const version = { counter: 1, timestamp: 1 };
  assertEquals(table.isChanged("a0:1", version), true);
  table.register(broker(), 0);
  assertEquals(table.isChanged("a0:1", version), false);
  assertEquals(table.isChanged("a0:1", { counter: 1, timestamp: 2 }), true);
  assertEquals(table.dataVersion("a0:1"), version);
  table.touch("a0:1", 1000);
  table.expire(BROKER_EXPIRY_MS + 1000);
  assertEquals(table.topics(), ["T"]);
});

Deno.test("a silent broker expires, and its connection is closed", () => {
  const table = new RouteTable();
  const silent = link();
  table.register(broker({ link: silent }), 0);
  table.register(broker({ brokerName: "b", brokerAddr: "b0:1" }), 1);
  table.expire(BROKER_EXPIRY_MS);
  assertEquals(silent.closed, 0);
  table.expire(BROKER_EXPIRY_MS + 1);
  assertEquals(silent.closed, 1);
  assertEquals(table.route("T")?.queueDatas.map(({ brokerName }) => brokerName), ["b"]);
  assertEquals([...table.clusterInfo().brokerAddrTable.keys()], ["b"]);
});

Deno.test("a broker goes when its connection closes, with its topics, name and cluster", () => {
  const table = new RouteTable();
  const gone = link();
  table.register(broker({ link: gone, filterServers: ["f:1"] }), 0);
  table.linkClosed(link());
  assertEquals(table.topics(), ["T"]);
  table.linkClosed(gone);
  assertEquals([table.topics(), table.route("T")], [[], undefined]);
  assertEquals(table.clusterInfo(), { brokerAddrTable: new Map(), clusterAddrTable: new Map() });
  assertEquals(table.isChanged("a0:1", { counter: 1, timestamp: 1 }), true);
});

Deno.test("a broker that registered again over a new connection survives the end of the old one", () => {
  const table = new RouteTable();
  const old = link();
  table.register(broker({ link: old }), 0);
  table.register(broker(), 0);
  table.linkClosed(old);
  assertEquals(table.topics(), ["T"]);
});

Deno.test("of two brokers on one connection only the first goes when it closes", () => {
  const table = new RouteTable();
  const shared = link();
  table.register(broker({ link: shared }), 0);
  table.register(broker({ brokerName: "b", brokerAddr: "b0:1", link: shared }), 0);
  table.linkClosed(shared);
  assertEquals(table.route("T")?.brokerDatas.map(({ brokerName }) => brokerName), ["b"]);
});

Deno.test("a slave that leaves takes only its address with it", () => {
  const table = new RouteTable();
  table.register(broker(), 0);
  table.register(slave(), 0);
  table.unregister("a", 1, "a1:1");
  assertEquals(table.route("T")?.brokerDatas[0]?.brokerAddrs, new Map([[0, "a0:1"]]));
  table.register(slave(), 0);
  table.unregister("a", 0, "a0:1");
  assertEquals(table.route("T")?.brokerDatas[0]?.brokerAddrs, new Map([[1, "a1:1"]]));
  table.unregister("a", 1, "a1:1");
  assertEquals([table.topics(), table.systemTopics()], [[], { topicList: [], brokerAddr: undefined }]);
});

Deno.test("a late goodbye of an address does not remove the broker that took its id", () => {
  const table = new RouteTable();
  table.register(broker(), 0);
  table.register(broker({ brokerAddr: "new:1" }), 0);
  table.unregister("a", 0, "a0:1");
  assertEquals(table.route("T")?.brokerDatas[0]?.brokerAddrs, new Map([[0, "new:1"]]));
});

Deno.test("a slave that becomes master leaves its old id", () => {
  const table = new RouteTable();
  table.register(broker(), 0);
  table.register(slave(), 0);
  table.register(broker({ brokerAddr: "a1:1", topics: topics(1, "U") }), 0);
  assertEquals(table.route("T")?.brokerDatas[0]?.brokerAddrs, new Map([[0, "a1:1"]]));
});

Deno.test("filter servers are in the route until a register comes without them", () => {
  const table = new RouteTable();
  table.register(broker({ filterServers: ["f:1"] }), 0);
  assertEquals(table.route("T")?.filterServerTable, new Map([["a0:1", ["f:1"]]]));
  table.register(broker(), 0);
  assertEquals(table.route("T")?.filterServerTable, new Map());
});

Deno.test("write permission is wiped and added for every topic of a broker, until its topics change", () => {
  const table = new RouteTable();
  table.register(broker({ topics: topics(1, "T", topicConfig("U", { perm: 7 })) }), 0);
  table.register(broker({ brokerName: "b", brokerAddr: "b0:1" }), 0);
  const perms = (topic: string) => table.route(topic)?.queueDatas.map(({ perm }) => perm);
  assertEquals(table.wipeWritePermission("a"), 2);
  assertEquals([perms("T"), perms("U")], [[4, 6], [5]]);
  table.register(broker({ topics: topics(1, "T", "U") }), 0);
  assertEquals(perms("T"), [4, 6]);
  assertEquals(table.addWritePermission("a"), 2);
  assertEquals([perms("T"), perms("U")], [[6, 6], [6]]);
  table.wipeWritePermission("a");
  table.register(broker({ topics: topics(2, "T") }), 0);
  assertEquals([perms("T"), perms("U")], [[6, 6], [4]]);
  assertEquals(table.wipeWritePermission("unknown"), 0);
});

Deno.test("a topic is deleted everywhere or in one cluster", () => {
  const table = new RouteTable();
  table.register(broker({ topics: topics(1, "T", "U") }), 0);
  table.register(broker({ clusterName: "D", brokerName: "b", brokerAddr: "b0:1", topics: topics(1, "T", "U") }), 0);
  table.deleteTopic("T", "D");
  assertEquals(table.route("T")?.queueDatas.map(({ brokerName }) => brokerName), ["a"]);
  table.deleteTopic("T", "unknown");
  assertEquals([table.topicsOf("C"), table.topicsOf("D"), table.topicsOf("unknown")], [["T", "U"], ["U"], []]);
  table.deleteTopic("U");
  assertEquals(table.topics(), ["T"]);
});

Deno.test("topics are listed by the bits of their flag", () => {
  const table = new RouteTable();
  const flagged = [0, 1, 2, 3].map((topicSysFlag) => topicConfig(`T${topicSysFlag}`, { topicSysFlag }));
  table.register(broker({ topics: topics(1, ...flagged) }), 0);
  assertEquals([table.topicsWithFlag(1), table.topicsWithFlag(2), table.topicsWithFlag(2, 1)], [
    ["T1", "T3"],
    ["T2", "T3"],
    ["T2"],
  ]);
  assertEquals(table.systemTopics(), { topicList: ["C", "a"], brokerAddr: "a0:1" });
});

Deno.test("brokers and topics beyond the bounds are refused, and known brokers go on", () => {
  const brokers = new RouteTable();
  for (let i = 0; i < BROKERS_MAX; i++) brokers.register(broker({ brokerName: `b${i}`, brokerAddr: `b${i}:1` }), 0);
  const error = assertThrows(() => brokers.register(broker(), 0), RocketdError, "no room for the broker a0:1");
  assertEquals(error.code, "invalidArgument");
  brokers.register(broker({ brokerName: "b7", brokerAddr: "b7:1" }), 0);

  const entries = new RouteTable();
  const many = topics(1, ...Array.from({ length: TOPICS_MAX }, (_, i) => `T${i}`));
  for (let i = 0; i < ROUTE_ENTRIES_MAX / TOPICS_MAX; i++) {
    entries.register(broker({ brokerName: `b${i}`, brokerAddr: `b${i}:1`, topics: many }), 0);
  }
  assertThrows(() => entries.register(broker(), 0), RocketdError, "no room for the topics of a0:1");
});

Deno.test("an address that registers under other names is found under the newest only, and goes when it closes", () => {
  const table = new RouteTable();
  const moving = link();
  table.register(broker({ link: moving }), 0);
  table.register(broker({ clusterName: "D", link: moving }), 0);
  table.register(broker({ clusterName: "D", brokerName: "b", link: moving }), 0);
  assertEquals(table.clusterInfo().clusterAddrTable, new Map([["D", ["b"]]]));
  assertEquals([...table.clusterInfo().brokerAddrTable.keys()], ["b"]);
  assertEquals(table.route("T")?.queueDatas.map(({ brokerName }) => brokerName), ["b"]);
  table.linkClosed(moving);
  assertEquals(table.clusterInfo(), { brokerAddrTable: new Map(), clusterAddrTable: new Map() });
  assertEquals(table.topics(), []);
});

Deno.test("broker names and clusters beyond the bounds are refused", () => {
  const names = new RouteTable();
  for (let i = 0; i < BROKER_NAMES_MAX; i++) {
    names.register(broker({ brokerName: `b${i}` }), 0);
    // A goodbye under a wrong name leaves the right one known.
    names.unregister("another", 0, "a0:1");
  }
  const error = assertThrows(() => names.register(broker(), 0), RocketdError, "no room for the broker name a");
  assertEquals(error.code, "invalidArgument");

  const clusters = new RouteTable();
  clusters.register(slave({ clusterName: "c0" }), 0);
  for (let i = 0; i < CLUSTERS_MAX; i++) clusters.register(broker({ clusterName: `c${i}` }), 0);
  assertThrows(() => clusters.register(broker(), 0), RocketdError, "no room for the cluster C");
});
