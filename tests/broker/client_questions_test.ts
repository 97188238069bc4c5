/**
 * @module
 */
import {
  ConsumeMessageDirectly,
  GetConsumerRunningInfo,
  GetConsumerStatusFromClient,
  InvokeBrokerToGetConsumerStatus,
} from "../../src/protocol/admin_requests.ts";
import {
  CLIENT_QUESTIONS_OF_ONE_MAX,
  MEMBER_STATUS_BYTES_MAX,
  PASSED_ON_BYTES_MAX,
  PASSED_ON_FIELDS_LENGTH_MAX,
} from "../../src/limits.ts";
import { decodeConsumerStatus, encodeClientStatus } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { FieldTable, maybe } from "../../src/protocol/fields.ts";
import { formatMessageId } from "../../src/protocol/message_id.ts";
import { decodeRecord } from "../../src/protocol/message_record.ts";
import { type Answer, HandlerTable } from "../../src/remoting/handlers.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { HOST, message, put } from "../store/kit.ts";
import { AdminDesk, consumerData } from "./admin_desk.ts";
import { until } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, SYSTEM_BUSY, CONSUME_MSG_TIMEOUT } = ResponseCode;
const encoder = new TextEncoder(), decoder = new TextDecoder();
const GROUP = consumerData("CG", "T");
const SHORT = { passedOn: 50, status: 50, group: 120 };

const moreFields = { later: maybe.str, AccessKey: maybe.str, Signature: maybe.str, SecurityToken: maybe.str };
/** The question with fields that no declaration names. */
const WithMore = {
  ...GetConsumerRunningInfo,
  request: new FieldTable({ ...GetConsumerRunningInfo.request.fields, ...moreFields }),
};

Deno.test("GET_CONSUMER_RUNNING_INFO is passed on with all its fields but the signature, and the answer back", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const seen: [string, string][][] = [];
    const answers: Answer[] = [
      { code: SUCCESS, body: encoder.encode(`{"jstack":"x"}`) },
      { code: SYSTEM_ERROR, remark: "The Consumer Group <CG> not exist in this consumer" },
    ];
    const handlers = new HandlerTable().on(GetConsumerRunningInfo, (request) => {
      seen.push([...request.extFields()]);
      return answers[seen.length - 1];
    });
    await desk.consumer("c1", [GROUP], handlers);
    const fields = { consumerGroup: "CG", clientId: "c1", jstackEnable: true, later: "ä" };
    const signed = { ...fields, AccessKey: "a", Signature: "s", SecurityToken: "t" };
    const first = await ask(WithMore, signed);
    assertEquals([first.code, decoder.decode(first.body)], [SUCCESS, `{"jstack":"x"}`]);
    const second = await ask(WithMore, signed);
    assertEquals([second.code, second.remark], [SYSTEM_ERROR, "The Consumer Group <CG> not exist in this consumer"]);
    const passed: [string, string][] = Object.entries({ ...fields, jstackEnable: "true" });
    assertEquals(seen, [passed, passed]);
  });
});

Deno.test("a consumer that is not there, or too old, is not asked", async () => {
  await AdminDesk.with(async (desk, ask) => {
    desk.member("old", GROUP, { version: 61 });
    for (
      const [clientId, remark] of [
        ["nobody", "The Consumer <CG> <nobody> not online"],
        ["old", "The Consumer <old> Version <61> too low to finish, please upgrade it to V3_1_8_SNAPSHOT"],
      ] as const
    ) {
      const answer = await ask(GetConsumerRunningInfo, { consumerGroup: "CG", clientId });
      assertEquals([answer.code, answer.remark], [SYSTEM_ERROR, remark]);
    }
  });
});

Deno.test("a consumer that does not answer, or leaves, costs who asked its time and nobody else", async () => {
  await AdminDesk.with(
    async (desk, ask) => {
      let asked = 0;
      const deaf = new HandlerTable().on(GetConsumerRunningInfo, (request) => (asked++, request.hold(), undefined));
      const leaver = await desk.consumer("leaver", [GROUP], deaf);
      await desk.consumer("deaf", [GROUP], deaf);
      const about = (clientId: string) => ({ consumerGroup: "CG", clientId });
      const late = await ask(GetConsumerRunningInfo, about("deaf"));
      assertEquals(late.code, CONSUME_MSG_TIMEOUT);
      assertStringIncludes(late.remark ?? "", "consumer <CG> <deaf> Timeout");
      // Its place is free again: no question waits for it.
      for (let n = 0; n < 2; n++) {
        const many = Array.from(
          { length: CLIENT_QUESTIONS_OF_ONE_MAX + 1 },
          () => ask(GetConsumerRunningInfo, about("deaf")),
        );
        const codes = (await Promise.all(many)).map(({ code }) => code);
        assertEquals(codes.filter((code) => code === CONSUME_MSG_TIMEOUT).length, CLIENT_QUESTIONS_OF_ONE_MAX);
        assertEquals(codes.filter((code) => code === SYSTEM_BUSY).length, 1);
      }
      const before = asked;
      const gone = ask(GetConsumerRunningInfo, about("leaver"));
      await until(() => asked > before, "the question");
      leaver.close();
      const left = await gone;
      assertEquals(left.code, SYSTEM_ERROR);
      assertStringIncludes(left.remark ?? "", "invoke consumer <CG> <leaver> Exception");
      const quick = new HandlerTable().on(GetConsumerRunningInfo, () => ({ code: SUCCESS }));
      await desk.consumer("quick", [GROUP], quick);
      assertEquals((await ask(GetConsumerRunningInfo, about("quick"))).code, SUCCESS);
    },
    {},
    SHORT,
  );
});

Deno.test("a consumer that does not read is not sent more", async () => {
  await AdminDesk.with(async (desk, ask) => {
    desk.member("full", GROUP).congested = true;
    const { code, remark } = await ask(GetConsumerRunningInfo, { consumerGroup: "CG", clientId: "full" });
    assertEquals([code, remark], [SYSTEM_BUSY, "consumer <CG> <full>: it does not read what it is sent"]);
  });
});

Deno.test("a request with too many characters in its fields is not passed on", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.consumer("c1", [GROUP], new HandlerTable().on(GetConsumerRunningInfo, () => ({ code: SUCCESS })));
    const later = "x".repeat(PASSED_ON_FIELDS_LENGTH_MAX);
    const { code, remark } = await ask(WithMore, { consumerGroup: "CG", clientId: "c1", later });
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", `allowed for a client are ${PASSED_ON_FIELDS_LENGTH_MAX}`);
  });
});

Deno.test("of two consumers that say they have one client id the newer is asked", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const says = (remark: string) => new HandlerTable().on(GetConsumerRunningInfo, () => ({ code: SUCCESS, remark }));
    await desk.consumer("c1", [GROUP], says("old"));
    await desk.consumer("c1", [GROUP], says("new"));
    assertEquals((await ask(GetConsumerRunningInfo, { consumerGroup: "CG", clientId: "c1" })).remark, "new");
  });
});

Deno.test("CONSUME_MESSAGE_DIRECTLY hands a consumer the record, and the broker's name", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.topic("T", 1);
    const seen: unknown[] = [];
    const handlers = new HandlerTable().on(ConsumeMessageDirectly, ({ header, body }) => {
      const record = decodeRecord(body);
      seen.push([header.brokerName, header.topic, record.topic, decoder.decode(record.body)]);
      return { code: SUCCESS, body: encoder.encode(`{"consumeResult":"CR_SUCCESS"}`) };
    });
    await desk.consumer("c1", [GROUP], handlers);
    const { logOffset } = await put(desk.store, { body: encoder.encode("directly") });
    const about = { consumerGroup: "CG", clientId: "c1", brokerName: "another", topic: "T" };
    const msgId = formatMessageId(HOST, logOffset);
    const { code, body } = await ask(ConsumeMessageDirectly, { ...about, msgId });
    assertEquals([code, decoder.decode(body)], [SUCCESS, `{"consumeResult":"CR_SUCCESS"}`]);
    assertEquals(seen, [["broker-a", "T", "T", "directly"]]);
    const problems: [string | undefined, string][] = [
      [formatMessageId(HOST, logOffset + 1), "can not find message by the id"],
      ["0A0B0C0D000018B4AAC2", "Cannot read message id"],
      [undefined, "the field msgId is missing"],
    ];
    for (const [bad, remark] of problems) {
      const answer = await ask(ConsumeMessageDirectly, { ...about, msgId: bad });
      assertEquals(answer.code, SYSTEM_ERROR);
      assertStringIncludes(answer.remark ?? "", remark);
    }
    assertEquals(seen.length, 1);
  });
});

const queue = { topic: "T", brokerName: "broker-a", queueId: 0 };

Deno.test("INVOKE_BROKER_TO_GET_CONSUMER_STATUS asks all members, or one, where they are", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const at = (offset: number) => {
      const body = encodeClientStatus(new Map([[queue, offset]]));
      return new HandlerTable().on(GetConsumerStatusFromClient, ({ header: { topic, group } }) => {
        return { code: topic === "T" && group === "CG" ? SUCCESS : SYSTEM_ERROR, body };
      });
    };
    const status = (clientAddr?: string, group = "CG") =>
      ask(InvokeBrokerToGetConsumerStatus, { topic: "T", group, clientAddr });
    const none = await status();
    assertEquals([none.code, none.remark], [SYSTEM_ERROR, "No Any Consumer online in the consumer group: [CG]"]);
    for (let n = 0; n < 40; n++) await desk.consumer(`c${n}`, [GROUP], at(n));
    const all = await status();
    const offsets = decodeConsumerStatus(all.body);
    assertEquals([all.code, all.remark, offsets.size], [SUCCESS, undefined, 40]);
    assertEquals([...offsets.get("c39")!], [[queue, 39]]);
    assertEquals([...decodeConsumerStatus((await status("c7")).body)], [["c7", new Map([[queue, 7]])]]);
    assertEquals(decodeConsumerStatus((await status("c77")).body).size, 0);
    desk.member("old", GROUP, { version: 27 });
    const old = await status();
    assertEquals([old.code, old.remark], [SYSTEM_ERROR, "the client does not support this feature. version=27"]);
    assertEquals((await status("c7")).code, SUCCESS);
  });
});

Deno.test("members that do not say where they are, or in no way that can be read, are left out in bounded time", async () => {
  await AdminDesk.with(
    async (desk, ask) => {
      let asked = 0;
      const answering = (answer: Answer | undefined) =>
        new HandlerTable().on(GetConsumerStatusFromClient, (request) => {
          if (answer === undefined) {
            asked++;
            request.hold();
          }
          return answer;
        });
      const good = encodeClientStatus(new Map([[queue, 1]]));
      const asNumbers = encoder.encode(`{"messageQueueTable":{"T":1}}`);
      const great = new Uint8Array(MEMBER_STATUS_BYTES_MAX + 1).fill(0x20);
      great.set(good);
      await desk.consumer("good", [GROUP], answering({ code: SUCCESS, body: good }));
      await desk.consumer("garbled", [GROUP], answering({ code: SUCCESS, body: asNumbers }));
      await desk.consumer("great", [GROUP], answering({ code: SUCCESS, body: great }));
      await desk.consumer("refusing", [GROUP], answering({ code: SYSTEM_ERROR, body: good }));
      desk.member("full", GROUP).congested = true;
      // More than are asked at once: their times do not add up to more than all may take.
      for (let n = 0; n < 80; n++) await desk.consumer(`deaf${n}`, [GROUP], answering(undefined));
      const { code, remark, body } = await ask(InvokeBrokerToGetConsumerStatus, { topic: "T", group: "CG" });
      assertEquals(code, SUCCESS);
      assertEquals([...decodeConsumerStatus(body).keys()], ["good"]);
      assertEquals(remark, "84 of 85 consumers did not say where they are");
      assert(asked < 80, `${asked} were asked`);
    },
    {},
    { passedOn: 1000, status: 300, group: 450 },
  );
});

Deno.test("a message that no client's frame can take is not handed to one", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.consumer("c1", [GROUP], new HandlerTable().on(ConsumeMessageDirectly, () => ({ code: SUCCESS })));
    const msgId = formatMessageId(HOST, 0);
    const consume = async (bytes: number) => {
      desk.store.fetchRecord = () => new Uint8Array(bytes);
      return await ask(ConsumeMessageDirectly, { consumerGroup: "CG", clientId: "c1", msgId });
    };
    assertEquals((await consume(PASSED_ON_BYTES_MAX)).code, SUCCESS);
    const { code, remark } = await consume(PASSED_ON_BYTES_MAX + 1);
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", `allowed for a client are ${PASSED_ON_BYTES_MAX}`);
  });
});

Deno.test("the record handed to a consumer may come from a file", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.topic("T", 1);
    let got = "";
    const handlers = new HandlerTable().on(ConsumeMessageDirectly, ({ body }) => {
      got = decoder.decode(decodeRecord(body).body);
      return { code: SUCCESS };
    });
    await desk.consumer("c1", [GROUP], handlers);
    const { logOffset } = await put(desk.store, { body: encoder.encode("first") });
    const more = message({ body: new Uint8Array(15_000) });
    while (desk.store.fetchRecord(logOffset) instanceof Uint8Array) {
      await new Promise((resolve) => desk.store.put(more, resolve));
    }
    assert(desk.store.fetchRecord(logOffset) instanceof Promise);
    const msgId = formatMessageId(HOST, logOffset);
    assertEquals((await ask(ConsumeMessageDirectly, { consumerGroup: "CG", clientId: "c1", msgId })).code, SUCCESS);
    assertEquals(got, "first");
  });
});
