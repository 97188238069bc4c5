/**
 * @module
 */
import { ConsumerGroups } from "../../src/broker/consumers.ts";
import { Memberships } from "../../src/broker/memberships.ts";
import { ProducerGroups } from "../../src/broker/producers.ts";
import { EVERYTHING, subscriptionTo } from "../../src/client/consumer/subscription.ts";
import { GROUPS_CLIENTS_MAX, SUBSCRIPTION_CHARACTERS_MAX } from "../../src/limits.ts";
import type { ConsumerData, SubscriptionData } from "../../src/protocol/bodies/heartbeat.ts";
import { subscriptionGroup } from "../../src/protocol/bodies/subscription_group.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { HandClock, RecordingConnection } from "./workshop.ts";

const NOTICE = "NOTIFY_CONSUMER_IDS_CHANGED";

function subscription(topic: string, given: Partial<SubscriptionData> = {}): SubscriptionData {
  return { ...subscriptionTo(topic, EVERYTHING, 1), ...given };
}

function data(groupName: string, ...subscriptions: (string | SubscriptionData)[]): ConsumerData {
  return {
    groupName,
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
    subscriptionDataSet: subscriptions.map((one) => typeof one === "string" ? subscription(one) : one),
    unitMode: false,
  };
}

const client = (clientId: string) => ({ clientId, language: "JAVA", version: 407 });

/** Groups without notices as their settings say, and two connections that write into one list. */
function setUp({ enabled = true, quietGroup = "" } = {}) {
  const notices: string[] = [];
  const clock = new HandClock();
  const quiet = subscriptionGroup(quietGroup, { notifyConsumerIdsChangedEnable: false });
  const groups = new ConsumerGroups({
    settings: { notifyConsumerIdsChangedEnable: enabled },
    groups: { get: (group) => group === quietGroup ? quiet : undefined },
    clock,
  });
  const [a, b] = [new RecordingConnection("a", notices), new RecordingConnection("b", notices)];
  const taken = () => notices.splice(0);
  return { groups, clock, a, b, taken };
}

Deno.test("ConsumerGroups tells all members, the new one too, when one joins", () => {
  const { groups, a, b, taken } = setUp();
  groups.register(data("CG", "T"), a, client("c1"));
  assertEquals(taken(), [`a ${NOTICE} CG`]);
  groups.register(data("CG", "T"), b, client("c2"));
  assertEquals(taken(), [`a ${NOTICE} CG`, `b ${NOTICE} CG`]);
  groups.register(data("CG", "T"), a, client("c1"));
  assertEquals(taken(), []);
  assertEquals(groups.find("CG")?.clientIds(), ["c1", "c2"]);
  assertEquals(groups.find("Other"), undefined);
});

Deno.test("ConsumerGroups tells all members when topics come or go, not when an expression changes", () => {
  const { groups, a, taken } = setUp();
  groups.register(data("CG", "T"), a, client("c1"));
  taken();
  groups.register(data("CG", "T", "U"), a, client("c1"));
  assertEquals(taken().length, 1);
  groups.register(data("CG", "U"), a, client("c1"));
  assertEquals(taken().length, 1);
  assertEquals([...groups.find("CG")!.subscriptions.keys()], ["U"]);
  groups.register(data("CG", subscription("U", { subString: "A", subVersion: 2 })), a, client("c1"));
  assertEquals(groups.find("CG")!.subscriptions.get("U")?.subString, "A");
  groups.register(data("CG", subscription("U", { subString: "old", subVersion: 1 })), a, client("c1"));
  assertEquals(groups.find("CG")!.subscriptions.get("U")?.subString, "A");
  assertEquals(taken(), []);
});

Deno.test("ConsumerGroups takes what the last heartbeat says of the group", () => {
  const { groups, a } = setUp();
  groups.register(data("CG", "T"), a, client("c1"));
  const changed: ConsumerData = {
    ...data("CG", "T"),
    consumeType: "CONSUME_ACTIVELY",
    messageModel: "BROADCASTING",
    consumeFromWhere: "CONSUME_FROM_TIMESTAMP",
  };
  groups.register(changed, a, client("c1"));
  const { consumeType, messageModel, consumeFromWhere } = groups.find("CG")!;
  assertEquals(
    [consumeType, messageModel, consumeFromWhere],
    ["CONSUME_ACTIVELY", "BROADCASTING", "CONSUME_FROM_TIMESTAMP"],
  );
});

Deno.test("ConsumerGroups tells those who stay when a member unregisters or its connection closes", () => {
  const { groups, a, b, taken } = setUp();
  for (const group of ["CG", "CG2"]) {
    groups.register(data(group, "T"), a, client("c1"));
    groups.register(data(group, "T"), b, client("c2"));
  }
  taken();
  groups.unregister("CG", a);
  assertEquals(taken(), [`b ${NOTICE} CG`]);
  groups.unregister("CG", a);
  assertEquals(taken(), []);
  a.close();
  assertEquals(taken(), [`b ${NOTICE} CG2`]);
  b.close();
  assertEquals(taken(), []);
  assertEquals(groups.names(), []);
});

Deno.test("ConsumerGroups tells nobody where the broker or the group has it so, but of closed connections", () => {
  const off = setUp({ enabled: false });
  off.groups.register(data("CG", "T"), off.a, client("c1"));
  off.groups.register(data("CG", "T"), off.b, client("c2"));
  off.a.close();
  assertEquals(off.taken(), []);
  const quiet = setUp({ quietGroup: "CG" });
  quiet.groups.register(data("CG", "T"), quiet.a, client("c1"));
  quiet.groups.register(data("CG", "T"), quiet.b, client("c2"));
  assertEquals(quiet.taken(), []);
  quiet.a.close();
  assertEquals(quiet.taken(), [`b ${NOTICE} CG`]);
});

Deno.test("ConsumerGroups closes connections without a heartbeat for 120 s and tells the others", () => {
  const { groups, clock, a, b, taken } = setUp();
  groups.start();
  groups.register(data("CG", "T"), a, client("c1"));
  clock.go(30_000);
  groups.register(data("CG", "T"), b, client("c2"));
  taken();
  clock.go(90_000);
  assert(!a.closed);
  clock.go(10_000);
  assertEquals([a.closed, b.closed], [true, false]);
  assertEquals(taken(), [`b ${NOTICE} CG`]);
  groups.close();
  assertEquals(clock.timers, 0);
});

Deno.test("ConsumerGroups bounds the subscriptions of all groups together, and counts those that go", () => {
  const { groups, a, b } = setUp();
  const half = "x".repeat(Math.ceil(SUBSCRIPTION_CHARACTERS_MAX / 2));
  const large = (group: string) => data(group, subscription("T", { subString: half }));
  assertEquals(groups.problem(large("CG"), a), undefined);
  groups.register(large("CG"), a, client("c1"));
  assertEquals(groups.problem(large("CG"), a), undefined, "the same group again takes the place of itself");
  assertStringIncludes(groups.problem(large("CG2"), b) ?? "", `allowed are ${SUBSCRIPTION_CHARACTERS_MAX}`);
  a.close();
  assertEquals(groups.problem(large("CG2"), b), undefined);
});

Deno.test("ConsumerGroups keeps nobody whose connection had closed before", () => {
  const { groups, a, taken } = setUp();
  a.close();
  groups.register(data("CG", "T"), a, client("c1"));
  assertEquals([groups.names(), taken()], [[], []]);
});

Deno.test("ConsumerGroups finds the groups that want a topic", () => {
  const { groups, a } = setUp();
  groups.register(data("CG", "T"), a, client("c1"));
  groups.register(data("CG2", "U"), a, client("c1"));
  assertEquals([groups.groupsOf("U"), groups.groupsOf("V")], [["CG2"], []]);
});

Deno.test("Memberships bounds the members of all groups together, and counts those that go", () => {
  const members = new Memberships(new HandClock(), () => {});
  const connections = Array.from({ length: GROUPS_CLIENTS_MAX / 100_000 }, (_, i) => new RecordingConnection(`${i}`));
  for (const connection of connections) {
    for (let group = 0; group < 100_000; group++) {
      assertEquals(members.problem(`G${group}`, connection, "consumer", 100_000), undefined);
      members.join(`G${group}`, connection, client("c"));
    }
  }
  const oneMore = new RecordingConnection("one more");
  const full = `all consumer groups have ${GROUPS_CLIENTS_MAX} members`;
  assertEquals(members.problem("G1", oneMore, "consumer", 100_000), full);
  assertEquals(members.problem("G1", connections[0]!, "consumer", 100_000), undefined, "it is in already");
  assertEquals(members.problem("New", oneMore, "consumer", 100_000), "100000 consumer groups are online");
  members.leave("G2", connections[0]!);
  assertEquals(members.problem("G1", oneMore, "consumer", 100_000), undefined);
  connections[1]!.close();
  assertEquals(members.get("G1")?.size, connections.length - 1);
});

Deno.test("ProducerGroups knows members until they unregister or close", () => {
  const groups = new ProducerGroups(new HandClock());
  const [a, b] = [new RecordingConnection("a"), new RecordingConnection("b")];
  groups.register("PG", a, client("p1"));
  groups.register("PG", b, client("p2"));
  groups.register("PG2", b, client("p2"));
  assertEquals([...groups.find("PG")!.keys()].map(({ peer }) => peer), ["a", "b"]);
  groups.unregister("PG", a);
  assertEquals([...groups.find("PG")!.keys()].map(({ peer }) => peer), ["b"]);
  b.close();
  assertEquals(groups.names(), []);
});

Deno.test("ProducerGroups keeps one member for a connection whose client id changes", () => {
  const groups = new ProducerGroups(new HandClock());
  const a = new RecordingConnection("a");
  for (const id of ["p1", "p2", "p3"]) groups.register("PG", a, client(id));
  assertEquals([...groups.find("PG")!.values()].map(({ clientId }) => clientId), ["p3"]);
  a.close();
  assertEquals([groups.names(), groups.find("PG")], [[], undefined]);
});
