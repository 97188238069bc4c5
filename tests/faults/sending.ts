/**
 * Sending with many senders at once until the broker is killed in the middle of it.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { HeaderEncoding, ResponseCode } from "../../src/protocol/codes.ts";
import { SendMessageV2 } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assertEquals } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { delay, type Node } from "../launch.ts";

const SENDERS = 32;
const encoder = new TextEncoder();

/** One message as a sender makes it. */
export interface Shot {
  readonly topic: string;
  readonly queues: number;
  readonly queueId: number;
  readonly properties: string;
  readonly body: string;
}

/**
 * Sends until the broker is killed, `ms` after it has taken the first message.
 *
 * @param make the message `n` of a sender
 * @param acknowledged is told of each message that the broker took, and its offset in the queue
 */
export async function sendUntilKilled(
  broker: Node,
  ms: number,
  make: (sender: number, n: number) => Shot,
  acknowledged: (shot: Shot, queueOffset: number) => void,
): Promise<void> {
  using client = new RemotingClient({ encoding: HeaderEncoding.ROCKETMQ });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const send = async (sender: number) => {
    for (let n = 0;; n++) {
      const shot = make(sender, n);
      const { topic, queues, queueId, properties, body } = shot;
      const answer = await client.invoke(
        broker.address,
        SendMessageV2,
        sendHeader({ topic, defaultTopicQueueNums: queues, queueId, properties }),
        encoder.encode(body),
        30_000,
      );
      assertEquals(answer.code, ResponseCode.SUCCESS, answer.remark);
      acknowledged(shot, answer.header.queueOffset!);
      begin();
    }
  };
  const sending = Promise.all(Array.from({ length: SENDERS }, async (_, sender) => {
    try {
      await send(sender);
    } catch (error) {
      if (!(error instanceof RocketdError) || !error.retriable) throw error;
    }
  }));
  await Promise.race([begun, sending]);
  await delay(ms);
  await broker.kill();
  await sending;
}
