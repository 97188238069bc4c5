/**
 * Promise 1 for delayed messages: what was acknowledged is delivered, whenever the broker is killed.
 *
 * @module
 */
import { SystemTopic } from "../../src/protocol/names.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { delay, startRocketd } from "../launch.ts";
import { readTopic } from "./reading.ts";
import { sendUntilKilled } from "./sending.ts";

const ROUNDS = 8;
const SECONDS = [1, 2, 3];
const TOPIC = "DelaySigkill", QUEUES = 4;
const DEADLINE_MS = 120_000;
const decoder = new TextDecoder();

Deno.test(`a master delivers every acknowledged delayed message through ${ROUNDS} rounds of SIGKILL under load`, async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const settings = {
    messageDelayLevel: SECONDS.map((seconds) => `${seconds}s`).join(" "),
    // Often, so that a kill falls between deliveries, the file and the checkpoint in every order.
    flushDelayOffsetInterval: 100,
    mappedFileSizeCommitLog: 4 * 2 ** 20,
    mappedFileSizeConsumeQueue: 20_000,
    maxMessageSize: 65536,
  };
  await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
  const acknowledged = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const before = acknowledged.size;
    await sendUntilKilled(
      broker,
      200 + (round * 371) % 900,
      (sender, n) => ({
        topic: TOPIC,
        queues: QUEUES,
        queueId: sender % QUEUES,
        properties: `UNIQ_KEY\x01${round}-${sender}-${n}\x02DELAY\x01${sender % SECONDS.length + 1}`,
        body: `${round}-${sender}-${n}-${"x".repeat((n * 37) % 300)}`,
      }),
      ({ body }) => acknowledged.add(body),
    );
    assert(acknowledged.size > before, "the round acknowledged nothing, so it proves nothing");
    await broker.start();
  }

  const scheduled = await readTopic(broker.address, SystemTopic.SCHEDULE, SECONDS.length);
  const delivered = new Map<string, number>();
  const deadline = Date.now() + DEADLINE_MS;
  let missing = acknowledged.size;
  while (missing > 0 && Date.now() < deadline) {
    await delay(500);
    delivered.clear();
    missing = 0;
    for (const { body } of await readTopic(broker.address, TOPIC, QUEUES)) {
      const text = decoder.decode(body);
      delivered.set(text, (delivered.get(text) ?? 0) + 1);
    }
    for (const body of acknowledged) if (!delivered.has(body)) missing++;
  }
  assertEquals(missing, 0, `${missing} of ${acknowledged.size} acknowledged messages were not delivered`);
  const sent = new Set(scheduled.map(({ body }) => decoder.decode(body)));
  assertEquals([...delivered.keys()].filter((body) => !sent.has(body)), []);
  assertEquals(await broker.stop(), 0);
});
