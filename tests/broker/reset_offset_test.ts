/**
 * @module
 */
import { resetHandlers } from "../../src/broker/reset_offset.ts";
import { RESET_BYTES_MAX } from "../../src/limits.ts";
import { InvokeBrokerToResetOffset, ResetConsumerClientOffset } from "../../src/protocol/admin_requests.ts";
import { decodeResetOffset, topicConfig } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { type Answer, HandlerTable, type Incoming } from "../../src/remoting/handlers.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { put } from "../store/kit.ts";
import { AdminDesk, consumerData, type ToldMember } from "./admin_desk.ts";
import { until } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, CONSUMER_NOT_ONLINE } = ResponseCode;
const GROUP = consumerData("CG", "T");
const TO_END = { topic: "T", group: "CG", timestamp: -1, isForce: true };

/** Offsets by queue id. */
function byQueue(body: Uint8Array): number[] {
  const offsets: number[] = [];
  for (const [{ topic, brokerName, queueId }, offset] of decodeResetOffset(body)) {
    assertEquals([topic, brokerName], ["T", "broker-a"]);
    offsets[queueId] = offset;
  }
  return offsets;
}

/** Asks in the language of an administrator, which no real client of ours says. */
async function askIn(desk: AdminDesk, language: string, header = TO_END): Promise<Answer> {
  const table = new HandlerTable();
  resetHandlers(table, { ...desk, settings: { brokerName: "broker-a" }, clock: { now: Date.now } as never });
  const request = { header, language } as unknown as Incoming<typeof InvokeBrokerToResetOffset>;
  return await table.get(InvokeBrokerToResetOffset.code)!.handler(request) as Answer;
}

Deno.test("a reset works out an offset for each queue, and tells all members, who commit it themselves", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const { store, bench } = desk;
    await desk.topic("T", 2, 3);
    bench.clock.advance(1000);
    const between = bench.clock.now();
    bench.clock.advance(1000);
    for (const queueId of [0, 1]) for (let n = 0; n < 2; n++) await put(store, { queueId });
    desk.commit("CG", "T", 5, 1);
    const members = [desk.member("c1", GROUP), desk.member("c2", GROUP)];
    const reset = async (timestamp: number, isForce: boolean) => {
      const { code, body } = await ask(InvokeBrokerToResetOffset, { ...TO_END, timestamp, isForce });
      assertEquals(code, SUCCESS);
      for (const { told } of members) {
        const [one, ...more] = told.splice(0);
        assertEquals([one?.name, more], [ResetConsumerClientOffset.name, []]);
        assertEquals(one?.header, { topic: "T", group: "CG", timestamp, isForce: false });
        assertEquals(byQueue(one!.body), byQueue(body));
      }
      return byQueue(body);
    };
    assertEquals(await reset(-1, true), [5, 5]);
    assertEquals(await reset(-1, false), [5, 1]);
    assertEquals(await reset(0, true), [0, 0]);
    assertEquals(await reset(between + 999, true), [3, 3]);
    // Not forced, offsets only go back.
    assertEquals(await reset(between + 999, false), [3, 1]);
    assertEquals(desk.offsetsOf("CG", "T"), [5, 1]);
  });
});

Deno.test("a reset is refused for a topic, a group or a client that cannot be reset", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const refused = async (given: Partial<typeof TO_END>, code: number, remark: string) => {
      const answer = await ask(InvokeBrokerToResetOffset, { ...TO_END, ...given });
      assertEquals(answer.code, code);
      assertStringIncludes(answer.remark ?? "", remark);
    };
    await refused({}, SYSTEM_ERROR, "[reset-offset] reset offset failed, no topic in this broker. topic=T");
    await desk.topic("T", 2, 1);
    await refused({}, SYSTEM_ERROR, "THe consumer group <CG> not exist");
    desk.commit("CG", "T", 0);
    // The second queue has none yet.
    await refused({}, SYSTEM_ERROR, "THe consumer group <CG> not exist");
    desk.commit("CG", "T", 0, 0);
    const offline = "Consumer not online, so can not reset offset, Group: CG Topic: T Timestamp: -1";
    await refused({}, CONSUMER_NOT_ONLINE, offline);
    const young = desk.member("young", GROUP);
    const old = desk.member("old", GROUP, { version: 27 });
    await refused({}, SYSTEM_ERROR, "the client does not support this feature. version=27");
    // Nobody was told a half of it.
    assertEquals([young.told, old.told], [[], []]);
  });
});

Deno.test("consumers in C++ are told in a list, and others too where the administrator says that they are in C++", async () => {
  await AdminDesk.with(async (desk) => {
    await desk.topic("T", 1, 2);
    desk.commit("CG", "T", 0);
    const of = (language: string) => desk.member(language, GROUP, { language });
    const members = [of("JAVA"), of("CPP"), of("GO")] as const;
    const forms = () =>
      members.map((member: ToldMember) => {
        const [{ body } = { body: new Uint8Array(0) }] = member.told.splice(0);
        assertEquals(byQueue(body), [2]);
        return new TextDecoder().decode(body).startsWith(`{"offsetTable":[`) ? "list" : "object";
      });
    assertEquals(byQueue((await askIn(desk, "JAVA")).body as Uint8Array), [2]);
    assertEquals(forms(), ["object", "list", "object"]);
    const answer = await askIn(desk, "CPP");
    assert(new TextDecoder().decode(answer.body as Uint8Array).startsWith(`{"offsetTable":{{`));
    assertEquals(forms(), ["object", "list", "list"]);
  });
});

Deno.test("a member that does not read is not told, and the answer says so", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.topic("T", 1, 1);
    desk.commit("CG", "T", 0);
    const full = desk.member("full", GROUP), free = desk.member("free", GROUP);
    full.congested = true;
    const { code, remark } = await ask(InvokeBrokerToResetOffset, TO_END);
    assertEquals([code, remark], [SUCCESS, "1 consumers were not told: they do not read what they are sent"]);
    assertEquals([full.told.length, free.told.length], [0, 1]);
  });
});

Deno.test("a reset of many queues lets others have their turn", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const queues = 200;
    await desk.topic("T", queues);
    desk.commit("CG", "T", ...new Array(queues).fill(0));
    desk.member("c1", GROUP);
    let calls = 0, most = 0;
    const timer = setInterval(() => calls = 0, 0);
    desk.store.offsetByTime = () => {
      const end = Date.now() + 1;
      while (Date.now() < end);
      most = Math.max(most, ++calls);
      return 0;
    };
    assertEquals((await ask(InvokeBrokerToResetOffset, { ...TO_END, timestamp: 1 })).code, SUCCESS);
    clearInterval(timer);
    assert(most < queues / 2, `${most} queues in one turn`);
  });
});

Deno.test("a reset that would fill the memory is refused", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const queues = 65_536;
    desk.topics.update(topicConfig("T", { readQueueNums: queues, writeQueueNums: queues }));
    for (let queueId = 0; queueId < queues; queueId++) desk.offsets.commit("CG", "T", queueId, 0);
    const member = desk.member("c0", GROUP);
    const { code, body } = await ask(InvokeBrokerToResetOffset, { ...TO_END, timestamp: 1 });
    assertEquals([code, member.told.length, decodeResetOffset(body).size], [SUCCESS, 1, queues]);
    for (let n = 1; n * body.length <= RESET_BYTES_MAX; n++) desk.member(`c${n}`, GROUP);
    const refused = await ask(InvokeBrokerToResetOffset, TO_END);
    assertEquals(refused.code, SYSTEM_ERROR);
    assertStringIncludes(refused.remark ?? "", `allowed are ${RESET_BYTES_MAX}`);
    assertEquals(member.told.length, 1);
  });
});

Deno.test("a consumer that is connected gets the reset", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.topic("T", 1, 4);
    desk.commit("CG", "T", 1);
    const got: number[][] = [];
    const handlers = new HandlerTable().on(ResetConsumerClientOffset, ({ body, oneWay, header: { group } }) => {
      assertEquals([oneWay, group], [true, "CG"]);
      got.push(byQueue(body));
      return undefined;
    });
    await desk.consumer("c1", [GROUP], handlers);
    assertEquals((await ask(InvokeBrokerToResetOffset, TO_END)).code, SUCCESS);
    await until(() => got.length > 0, "the reset");
    assertEquals(got, [[4]]);
  });
});

Deno.test("the retry topic of a group is reset like any other", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const retry = "%RETRY%CG";
    await desk.topic("T", 1, 1);
    await desk.topic(retry, 1, 3);
    desk.commit("CG", "T", 0);
    desk.commit("CG", retry, 1);
    const member = desk.member("c1", consumerData("CG", "T", retry));
    assertEquals((await ask(InvokeBrokerToResetOffset, { ...TO_END, topic: retry })).code, SUCCESS);
    const offsets = [...decodeResetOffset(member.told[0]!.body)];
    assertEquals(offsets, [[{ brokerName: "broker-a", topic: retry, queueId: 0 }, 3]]);
  });
});
