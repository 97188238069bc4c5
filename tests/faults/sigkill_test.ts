/**
 * Promise 1: what was acknowledged is there after SIGKILL.
 *
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import { type Node, startRocketd } from "../launch.ts";
import { readTopic } from "./reading.ts";
import { sendUntilKilled } from "./sending.ts";

const TOPIC = "Sigkill";
/** Few queues, whose files are written all at once; and so many that a kill comes while some of them are written. */
const CASES = [
  { flushDiskType: "ASYNC_FLUSH", rounds: 20, queues: 4 },
  { flushDiskType: "SYNC_FLUSH", rounds: 20, queues: 4 },
  { flushDiskType: "ASYNC_FLUSH", rounds: 4, queues: 600, flushIntervalConsumeQueue: 20 },
] as const;
const decoder = new TextDecoder();

/** Sends until the broker dies, and remembers where each acknowledged body should be. */
async function sendUntilDeath(
  broker: Node,
  round: number,
  queues: number,
  acknowledged: Map<string, string>,
): Promise<void> {
  await sendUntilKilled(
    broker,
    100 + (round * 53) % 300,
    (sender, n) => ({
      topic: TOPIC,
      queues,
      queueId: n % queues,
      properties: `UNIQ_KEY\x01${round}-${sender}-${n}\x02TAGS\x01t`,
      body: `${round}-${sender}-${n}-${"x".repeat((n * 37) % 900)}`,
    }),
    ({ queueId, body }, queueOffset) => acknowledged.set(`${queueId}/${queueOffset}`, body),
  );
}

/** Every body of the topic by `queueId/queueOffset`. */
async function readAll(broker: Node, queues: number): Promise<Map<string, string>> {
  const records = await readTopic(broker.address, TOPIC, queues);
  return new Map(records.map(({ queueId, queueOffset, body }) => [`${queueId}/${queueOffset}`, decoder.decode(body)]));
}

for (const { rounds, queues, ...given } of CASES) {
  const how = `${given.flushDiskType}, ${queues} queues`;
  Deno.test(`a master loses no acknowledged message in ${rounds} rounds of SIGKILL under load, ${how}`, async () => {
    await using nameserver = await startRocketd({ role: "nameserver" });
    // Small files, so that rounds end in the middle of file changes too.
    const settings = {
      ...given,
      defaultTopicQueueNums: queues,
      mappedFileSizeCommitLog: 4 * 2 ** 20,
      mappedFileSizeConsumeQueue: 20_000,
      maxMessageSize: 65536,
    };
    await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
    const acknowledged = new Map<string, string>();
    for (let round = 0; round < rounds; round++) {
      const before = acknowledged.size;
      await sendUntilDeath(broker, round, queues, acknowledged);
      assert(acknowledged.size > before, "the round acknowledged nothing, so it proves nothing");
      await broker.start();
    }
    const found = await readAll(broker, queues);
    let missing = 0;
    for (const [place, body] of acknowledged) if (found.get(place) !== body) missing++;
    assertEquals(missing, 0, `${missing} of ${acknowledged.size} acknowledged messages are missing or changed`);
    assertEquals(await broker.stop(), 0);
  });
}
