/**
 * @module
 */
import { pullAnswer } from "../../src/broker/pull_answer.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import type { GetStatus, ReadResult } from "../../src/store/types.ts";
import { assertEquals } from "../../src/std.ts";

const { SUCCESS, PULL_NOT_FOUND, PULL_RETRY_IMMEDIATELY, PULL_OFFSET_MOVED } = ResponseCode;
const group = { brokerId: 3, whichBrokerWhenConsumeSlowly: 7 };
const FAR = 100, NEAR = 200;

/** What the store gave: `next` for an offset of 5, looked at up to `lastLogOffset` (-1: nothing). */
function result(status: GetStatus, next: number, lastLogOffset = -1): ReadResult {
  return { status, pieces: [], count: 0, bytes: 0, nextBeginOffset: next, minOffset: 2, maxOffset: 9, lastLogOffset };
}

type Role = "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";

function answered(given: ReadResult, role: Role, slaveReadEnable = false, offsetCheckInSlave = false, from = 5) {
  const settings = { brokerRole: role, slaveReadEnable, offsetCheckInSlave };
  const store = { isFarBack: (logOffset: number) => logOffset <= FAR };
  const { code, remark, header } = pullAnswer(from, given, group, { settings, store });
  assertEquals([remark, header?.minOffset, header?.maxOffset], [given.status, 2, 9]);
  return [code, header?.nextBeginOffset, header?.suggestWhichBrokerId];
}

const MASTER: [GetStatus, next: number, code: number][] = [
  ["FOUND", 6, SUCCESS],
  ["OFFSET_OVERFLOW_ONE", 5, PULL_NOT_FOUND],
  ["OFFSET_FOUND_NULL", 100, PULL_NOT_FOUND],
  ["NO_MATCHED_MESSAGE", 9, PULL_RETRY_IMMEDIATELY],
  ["MESSAGE_WAS_REMOVING", 9, PULL_RETRY_IMMEDIATELY],
  ["OFFSET_TOO_SMALL", 2, PULL_OFFSET_MOVED],
  ["OFFSET_OVERFLOW_BADLY", 9, PULL_OFFSET_MOVED],
  ["NO_MESSAGE_IN_QUEUE", 0, PULL_OFFSET_MOVED],
];

for (const [status, next, code] of MASTER) {
  Deno.test(`A master answers ${code} with the store's next offset to ${status}`, () => {
    assertEquals(answered(result(status, next), "ASYNC_MASTER"), [code, next, 0]);
    assertEquals(answered(result(status, next), "SYNC_MASTER"), [code, next, 0]);
  });
}

Deno.test("An empty queue has nothing at offset 0, and no other offset", () => {
  assertEquals(answered(result("NO_MESSAGE_IN_QUEUE", 0), "ASYNC_MASTER", false, false, 0), [PULL_NOT_FOUND, 0, 0]);
});

Deno.test("With slaveReadEnable a pull from far back is sent to the group's broker for slow consumers", () => {
  assertEquals(answered(result("FOUND", 6, FAR), "ASYNC_MASTER", true)[2], 7);
  assertEquals(answered(result("NO_MATCHED_MESSAGE", 6, FAR), "ASYNC_MASTER", true)[2], 7);
  assertEquals(answered(result("FOUND", 6, NEAR), "ASYNC_MASTER", true)[2], 3, "not far back");
  assertEquals(answered(result("OFFSET_OVERFLOW_ONE", 5), "ASYNC_MASTER", true)[2], 3, "nothing was read");
  assertEquals(answered(result("FOUND", 6, FAR), "ASYNC_MASTER", false)[2], 0, "slaveReadEnable is off");
  assertEquals(answered(result("FOUND", 6, FAR), "SLAVE", true)[2], 7);
});

Deno.test("A slave moves no offset, and sends who is off the ends to the group's broker", () => {
  for (const status of ["OFFSET_TOO_SMALL", "OFFSET_OVERFLOW_BADLY", "NO_MESSAGE_IN_QUEUE"] as const) {
    assertEquals(answered(result(status, 2), "SLAVE"), [PULL_RETRY_IMMEDIATELY, 5, 3]);
  }
  assertEquals(answered(result("OFFSET_FOUND_NULL", 100), "SLAVE"), [PULL_NOT_FOUND, 5, 0]);
  assertEquals(answered(result("FOUND", 6, NEAR), "SLAVE"), [SUCCESS, 6, 0], "it serves, slaveReadEnable or not");
  assertEquals(answered(result("NO_MATCHED_MESSAGE", 8, NEAR), "SLAVE"), [PULL_RETRY_IMMEDIATELY, 8, 0]);
});

Deno.test("A slave with offsetCheckInSlave answers as a master", () => {
  for (const [status, next, code] of MASTER) {
    assertEquals(answered(result(status, next), "SLAVE", false, true), [code, next, 0]);
  }
});
