/**
 * Offsets over real connections, with a store that gives what a test says.
 *
 * @module
 */
import { offsetHandlers } from "../../src/broker/offset_handlers.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { queueHandlers } from "../../src/broker/queue_handlers.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { topicConfig } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import * as requests from "../../src/protocol/requests.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { type Ask, Desk, HandClock, inFolder, settingsIn } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, QUERY_NOT_FOUND } = ResponseCode;

/** A queue: its first offset, where that one's entry lies in the log (undefined: it has none), and from where on is far. */
interface Queue {
  min: number;
  firstLogOffset: number | undefined;
  farBelow: number;
}

function storeOf({ min, firstLogOffset, farBelow }: Queue) {
  return {
    minOffset: () => min,
    maxOffset: () => 9,
    logOffsetOf: (_topic: string, _queueId: number, offset: number) => offset === 0 ? firstLogOffset : undefined,
    isFarBack: (logOffset: number) => logOffset < farBelow,
    offsetByTime: (_topic: string, _queueId: number, ms: number) => ms === 1_700_000_000_000 ? 4 : 0,
    earliestStoreTime: () => -1,
  };
}

async function served(queue: Partial<Queue>, test: (ask: Ask, offsets: ConsumerOffsets) => Promise<void>) {
  await inFolder(async (folder) => {
    const settings = settingsIn(folder);
    const topics = new Map([["T", topicConfig("T", { readQueueNums: 4, writeQueueNums: 4 })]]);
    const clock = new HandClock();
    const offsets = new ConsumerOffsets({ settings, topics, disk: denoDisk, clock });
    const store = storeOf({ min: 0, firstLogOffset: 700, farBelow: 700, ...queue });
    const desk = new Desk((table) => {
      offsetHandlers(table, { offsets, store, clock });
      queueHandlers(table, { store });
    });
    try {
      await test(desk.client().ask, offsets);
    } finally {
      await desk.close();
    }
  });
}

const queue = { consumerGroup: "CG", topic: "T", queueId: 0 };

Deno.test("UPDATE_CONSUMER_OFFSET keeps what QUERY_CONSUMER_OFFSET and GET_ALL_CONSUMER_OFFSET then give", async () => {
  await served({}, async (ask) => {
    assertEquals((await ask(requests.UpdateConsumerOffset, { ...queue, commitOffset: 7 })).code, SUCCESS);
    const { code, header } = await ask(requests.QueryConsumerOffset, queue);
    assertEquals([code, header.offset], [SUCCESS, 7]);
    const { body } = await ask(requests.GetAllConsumerOffset, {});
    assertEquals(new TextDecoder().decode(body), `{"offsetTable":{"T@CG":{0:7}}}`);
  });
});

Deno.test("GET_ALL_CONSUMER_OFFSET has one answer in the making at a time, however many ask", async () => {
  await served({}, async (ask, offsets) => {
    const body = new TextEncoder().encode("{}");
    let atOnce = 0, atOnceMax = 0;
    offsets.toBody = async () => {
      atOnceMax = Math.max(atOnceMax, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 0));
      atOnce--;
      return body;
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(requests.GetAllConsumerOffset, {})));
    assertEquals(answers.map((answer) => answer.body), answers.map(() => body));
    assertEquals(atOnceMax, 1);
  });
});

Deno.test("UPDATE_CONSUMER_OFFSET names what cannot be", async () => {
  await served({}, async (ask, offsets) => {
    const { code, remark } = await ask(requests.UpdateConsumerOffset, { ...queue, queueId: 4, commitOffset: 7 });
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "queueId is 4, allowed for the topic[T] is 0 to 3");
    assertEquals(offsets.get("CG", "T", 4), -1);
  });
});

const UNKNOWN: [string, Partial<Queue>, number | undefined][] = [
  ["0 for a queue without messages", { firstLogOffset: undefined }, 0],
  ["0 for a queue whose first message is young", {}, 0],
  ["nothing for a queue whose first message is far back in the log", { farBelow: 701 }, undefined],
  ["nothing for a queue that has lost its first message", { min: 5 }, undefined],
];

for (const [what, given, expected] of UNKNOWN) {
  Deno.test(`QUERY_CONSUMER_OFFSET of an unknown group gives ${what}`, async () => {
    await served(given, async (ask) => {
      const { code, header, remark } = await ask(requests.QueryConsumerOffset, queue);
      assertEquals([code, header.offset], [expected === undefined ? QUERY_NOT_FOUND : SUCCESS, expected]);
      if (expected === undefined) assertStringIncludes(remark ?? "", "Not found");
    });
  });
}

Deno.test("Questions about a queue are answered from the store", async () => {
  await served({ min: 3 }, async (ask) => {
    const place = { topic: "T", queueId: 0 };
    const byTime = await ask(requests.SearchOffsetByTimestamp, { ...place, timestamp: 1_700_000_000_000 });
    assertEquals(byTime.header.offset, 4);
    assertEquals((await ask(requests.GetMaxOffset, place)).header.offset, 9);
    assertEquals((await ask(requests.GetMinOffset, place)).header.offset, 3);
    assertEquals((await ask(requests.GetEarliestMsgStoretime, place)).header.timestamp, -1);
  });
});
