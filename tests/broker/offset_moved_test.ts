/**
 * @module
 */
import { Intake } from "../../src/broker/intake.ts";
import { offsetMoved } from "../../src/broker/offset_moved.ts";
import { decodeOffsetMoved } from "../../src/protocol/bodies/message_queue.ts";
import { decodeRecord } from "../../src/protocol/message_record.ts";
import { parseProperties } from "../../src/protocol/properties.ts";
import { assert, assertEquals } from "../../src/std.ts";
import type { GetResult } from "../../src/store/mod.ts";
import { Bench, HOST, put } from "../store/kit.ts";
import { HandClock, START } from "./workshop.ts";

const EVENTS = "OFFSET_MOVED_EVENT";
const pull = { consumerGroup: "CG", topic: "T", queueId: 3, queueOffset: 100 };

Deno.test("the event of a moved offset is a message with Java's body, and its group as tag and key", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const broker = {
    intake: new Intake(store),
    clock: new HandClock(),
    storeHost: HOST,
    settings: { brokerName: "broker-a" },
  };
  offsetMoved(broker, pull, 5);
  await put(store);
  const { records } = store.get(EVENTS, 0, 0, 32) as GetResult;
  assertEquals(records.length, 1);
  const { body, properties, bornHost, bornTimestamp } = decodeRecord(records[0]!.slice());
  assertEquals(
    new TextDecoder().decode(body),
    `{"consumerGroup":"CG","messageQueue":{"brokerName":"broker-a","queueId":3,"topic":"T"},` +
      `"offsetNew":5,"offsetRequest":100}`,
  );
  assertEquals(decodeOffsetMoved(body).messageQueue, { topic: "T", brokerName: "broker-a", queueId: 3 });
  assertEquals([...parseProperties(properties)], [["KEYS", "CG"], ["TAGS", "CG"]]);
  assertEquals([bornHost, bornTimestamp], [HOST, START]);
  assert(store.queues.get(EVENTS, 0)!.read(0, 1).tagsCode(0) === 2148, "the tag's code is Java's hash of CG");
  await store.close();
});
