/**
 * @module
 */
import { Intake, restored, storedAgain, targetOf } from "../../src/broker/intake.ts";
import { SysFlag } from "../../src/protocol/codes.ts";
import { decodeRecord, encodeRecord, type MessageRecord } from "../../src/protocol/message_record.ts";
import type { NewMessage, PutResult } from "../../src/store/types.ts";
import { storeOptions } from "../../src/store/options.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { HOST, message } from "../store/kit.ts";

/** Puts a message with these properties; gives what the store was given, else how it was refused. */
function put(given: Partial<NewMessage>, delayLevels = [1000, 2000, 3000]): NewMessage | PutResult {
  let came: NewMessage | PutResult | undefined;
  const options = storeOptions({ rootDir: "/nowhere", delayLevels });
  const intake = new Intake({ options, put: (message) => came = message });
  intake.put(message({ topic: "T", queueId: 3, ...given }), (result) => came = result);
  assert(came !== undefined);
  return came;
}

function placeOf(given: Partial<NewMessage>): [string, number, string] {
  const came = put(given);
  assert("properties" in came);
  return [came.topic, came.queueId, came.properties];
}

Deno.test("Intake sends a delayed message to the queue of its level, and remembers where it belongs", () => {
  assertEquals(placeOf({ properties: "A\x011\x02DELAY\x012\x02" }), [
    "SCHEDULE_TOPIC_XXXX",
    1,
    "A\x011\x02DELAY\x012\x02REAL_TOPIC\x01T\x02REAL_QID\x013",
  ]);
});

Deno.test("Intake overwrites what a sender says of the detour itself", () => {
  const properties = "REAL_TOPIC\x01TBW102\x02REAL_QID\x017\x02DELAY\x011";
  assertEquals(placeOf({ properties })[2], "DELAY\x011\x02REAL_TOPIC\x01T\x02REAL_QID\x013");
});

Deno.test("Intake takes the highest level there is for a higher one", () => {
  for (const level of ["4", "18", "999999999", "+4"]) {
    const [topic, queueId, properties] = placeOf({ properties: `DELAY\x01${level}` });
    assertEquals([topic, queueId], ["SCHEDULE_TOPIC_XXXX", 2], level);
    assertEquals(properties, "DELAY\x013\x02REAL_TOPIC\x01T\x02REAL_QID\x013", level);
  }
});

Deno.test("Intake leaves a message alone that has no level, or none above 0", () => {
  for (const properties of ["", "A\x011", "DELAY\x010", "DELAY\x01-1", "XDELAY\x011", "DELAY\x01"]) {
    assertEquals(placeOf({ properties }), ["T", 3, properties]);
  }
});

Deno.test("Intake refuses a level that is no number", () => {
  for (const level of ["x", "1.5", "1e1", " 1", "0x1", "99999999999", "١"]) {
    const came = put({ properties: `DELAY\x01${level}` });
    assert("status" in came, level);
    assertEquals([came.status, came.logOffset], ["MESSAGE_ILLEGAL", -1]);
    assertEquals(came.reason, `the property DELAY is ${level}, allowed is a whole number`);
  }
});

Deno.test("Intake delays only messages that may be consumed as they are", () => {
  for (const sysFlag of [SysFlag.TRANSACTION_PREPARED, SysFlag.TRANSACTION_ROLLBACK]) {
    assertEquals(placeOf({ sysFlag, properties: "DELAY\x011" })[0], "T");
  }
  for (const sysFlag of [0, SysFlag.TRANSACTION_COMMIT, SysFlag.COMPRESSED]) {
    assertEquals(placeOf({ sysFlag, properties: "DELAY\x011" })[0], "SCHEDULE_TOPIC_XXXX");
  }
});

Deno.test("Intake.deliver leaves the delay level alone", () => {
  const given: NewMessage[] = [];
  const options = storeOptions({ rootDir: "/nowhere", delayLevels: [1000] });
  const intake = new Intake({ options, put: (message) => given.push(message) });
  const due = message({ topic: "T", properties: "DELAY\x011" });
  intake.deliver(due, () => {});
  assertEquals(given, [due]);
});

function record(given: Partial<MessageRecord>): Uint8Array {
  return encodeRecord({
    queueId: 0,
    flag: 5,
    queueOffset: 9,
    physicalOffset: 100,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: HOST,
    storeTimestamp: 2,
    storeHost: HOST,
    reconsumeTimes: 3,
    preparedTransactionOffset: 4,
    body: new Uint8Array([1, 2, 3]),
    topic: "SCHEDULE_TOPIC_XXXX",
    properties: "",
    ...given,
  });
}

Deno.test("storedAgain does not share memory with the record", () => {
  const bytes = record({});
  const again = storedAgain(decodeRecord(bytes));
  bytes.fill(0);
  assertEquals([again.body, again.bornHost], [new Uint8Array([1, 2, 3]), HOST]);
});

Deno.test("restored gives the message that a record of the schedule topic keeps, or says why it cannot", () => {
  const of = (properties: string) => restored(decodeRecord(record({ properties })));
  const properties = "DELAY\x011\x02REAL_TOPIC\x01%RETRY%g\x02REAL_QID\x0112";
  const message = of(properties);
  assert(typeof message !== "string");
  assertEquals([message.topic, message.queueId, message.properties], ["%RETRY%g", 12, properties]);
  assertEquals([message.preparedTransactionOffset, message.waitForSync], [0, false]);
  for (const topic of ["", "REAL_TOPIC\x01T", "REAL_QID\x011", "REAL_TOPIC\x01T\x02REAL_QID\x01-1"]) {
    assertEquals(typeof of(`DELAY\x011\x02${topic}`), "string", topic);
  }
  assertEquals(
    of("REAL_TOPIC\x01RMQ_SYS_TRANS_HALF_TOPIC\x02REAL_QID\x010"),
    "its property REAL_TOPIC is RMQ_SYS_TRANS_HALF_TOPIC, REAL_QID is 0",
  );
});

Deno.test("A message that was put aside goes where it says, if that can be", () => {
  const of = (queueId: string) =>
    targetOf(decodeRecord(record({ properties: `REAL_TOPIC\x01T\x02REAL_QID\x01${queueId}` })));
  for (const queueId of ["0", "7", "2147483647"]) assertEquals(of(queueId), { topic: "T", queueId: Number(queueId) });
  for (const queueId of ["-1", "2147483648", "1e3", "1.5", "x", " 1"]) assertEquals(of(queueId), undefined, queueId);
});
