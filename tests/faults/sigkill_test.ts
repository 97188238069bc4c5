/**
 * Promise 1: what was acknowledged is there after SIGKILL.
 *
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import { type Node, startRocketd } from "../launch.ts";
import { readTopic } from "./reading.ts";
import { sendUntilKilled } from "./sending.ts";

const ROUNDS = 20;
const TOPIC = "Sigkill", QUEUES = 4;
const decoder = new TextDecoder();

/** Sends until the broker dies, and remembers where each acknowledged body should be. */
async function sendUntilDeath(broker: Node, round: number, acknowledged: Map<string, string>): Promise<void> {
  await sendUntilKilled(
    broker,
    100 + (round * 53) % 300,
    (sender, n) => ({
      topic: TOPIC,
      queues: QUEUES,
      queueId: n % QUEUES,
      properties: `UNIQ_KEY\x01${round}-${sender}-${n}\x02TAGS\x01t`,
      body: `${round}-${sender}-${n}-${"x".repeat((n * 37) % 900)}`,
    }),
    ({ queueId, body }, queueOffset) => acknowledged.set(`${queueId}/${queueOffset}`, body),
  );
}

/** Every body of the topic by `queueId/queueOffset`. */
async function readAll(broker: Node): Promise<Map<string, string>> {
  const records = await readTopic(broker.address, TOPIC, QUEUES);
  return new Map(records.map(({ queueId, queueOffset, body }) => [`${queueId}/${queueOffset}`, decoder.decode(body)]));
}

for (const flushDiskType of ["ASYNC_FLUSH", "SYNC_FLUSH"]) {
  Deno.test(`a master loses no acknowledged message in ${ROUNDS} rounds of SIGKILL under load, ${flushDiskType}`, async () => {
    await using nameserver = await startRocketd({ role: "nameserver" });
    // Small files, so that rounds end in the middle of file changes too.
    const settings = {
      flushDiskType,
      mappedFileSizeCommitLog: 4 * 2 ** 20,
      mappedFileSizeConsumeQueue: 20_000,
      maxMessageSize: 65536,
    };
    await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
    const acknowledged = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round++) {
      const before = acknowledged.size;
      await sendUntilDeath(broker, round, acknowledged);
      assert(acknowledged.size > before, "the round acknowledged nothing, so it proves nothing");
      await broker.start();
    }
    const found = await readAll(broker);
    let missing = 0;
    for (const [place, body] of acknowledged) if (found.get(place) !== body) missing++;
    assertEquals(missing, 0, `${missing} of ${acknowledged.size} acknowledged messages are missing or changed`);
    assertEquals(await broker.stop(), 0);
  });
}
