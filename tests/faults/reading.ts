/**
 * Reading back everything that a broker has of a topic.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import { decodeRecords, type MessageRecord } from "../../src/protocol/message_record.ts";
import { GetMaxOffset, PullMessage } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assertEquals } from "../../src/std.ts";

const TIMEOUT_MS = 30_000;

/**
 * The records of a topic's queues, one queue after the other; offsets must be without gaps.
 *
 * @param from the offset to begin at, by queue; 0 where none is given
 */
export async function readTopic(
  address: string,
  topic: string,
  queues: number,
  from: ReadonlyMap<number, number> = new Map(),
): Promise<MessageRecord[]> {
  using client = new RemotingClient();
  const all: MessageRecord[] = [];
  for (let queueId = 0; queueId < queues; queueId++) {
    const max = (await client.invoke(address, GetMaxOffset, { topic, queueId }, undefined, TIMEOUT_MS)).header;
    let offset = from.get(queueId) ?? 0;
    while (offset < max.offset!) {
      const answer = await client.invoke(
        address,
        PullMessage,
        {
          consumerGroup: "TOOLS_CONSUMER",
          topic,
          queueId,
          queueOffset: offset,
          maxMsgNums: 32,
          sysFlag: 4,
          commitOffset: 0,
          suspendTimeoutMillis: 0,
          subscription: "*",
          subVersion: 0,
        },
        undefined,
        TIMEOUT_MS,
      );
      assertEquals(answer.code, ResponseCode.SUCCESS, answer.remark);
      for (const record of decodeRecords(answer.body)) {
        assertEquals(record.queueOffset, offset++);
        all.push(record);
      }
    }
  }
  return all;
}
