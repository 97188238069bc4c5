/**
 * What administrators learn of our consumers, and do with them, through whatever broker.
 *
 * @module
 */
import { LitePullConsumer, type ReceivedMessage } from "../../src/client/mod.ts";
import {
  ConsumeMessageDirectly,
  GetConsumerRunningInfo,
  InvokeBrokerToGetConsumerStatus,
  InvokeBrokerToResetOffset,
} from "../../src/protocol/admin_requests.ts";
import { decodeConsumeDirectly, decodeConsumerStatus, decodeRunningInfo } from "../../src/protocol/bodies/mod.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { started } from "./consumer/push_scenes.ts";
import { numbered, type Scene, type Step, until } from "./scene.ts";

/** Plays all scenes. */
export async function answerScenes(scene: Scene, step: Step): Promise<void> {
  const topic = await scene.topic("Asked", 2);
  const consumerGroup = `asked-${scene.mark}`;
  const seen: string[] = [];
  let blocked = false, release = () => {};
  const gate = new Promise<void>((resolve) => release = resolve);

  await step("it tells how it is set up, what it holds and how fast it is", async () => {
    await scene.send(topic, numbered(40));
    await using consumer = await started(scene, "asked", topic, {
      pullThresholdForQueue: 8,
      pullBatchSize: 4,
      concurrency: 2,
      consumeConcurrently: async ([message]) => {
        if (seen.length >= 10) {
          blocked = true;
          await gate;
        }
        seen.push(message!.text());
      },
    });
    await until(() => blocked);
    const ask = async () => {
      const header = { consumerGroup, clientId: consumer.clientId, jstackEnable: false };
      return decodeRunningInfo((await scene.ask(GetConsumerRunningInfo, header)).body);
    };
    const held = async () =>
      [...(await ask()).mqTable].filter(([queue]) => queue.topic === topic).map(([, info]) => info);
    // It stops pulling once it has enough, so one pull more is the most.
    await until(async () => (await held()).every((info) => info.cachedMsgCount >= 8));
    assert((await held()).every((info) => info.cachedMsgCount < 8 + 4 && !info.locked && !info.droped));
    const { properties, subscriptionSet, statusTable } = await ask();
    assertEquals(properties.get("PROP_CONSUME_TYPE"), "CONSUME_PASSIVELY");
    assertEquals(properties.get("PROP_CONSUMEORDERLY"), "false");
    assertEquals(properties.get("PROP_NAMESERVER_ADDR"), `${scene.nameserver};`);
    assertEquals(subscriptionSet.map((one) => one.topic).toSorted(), [`%RETRY%${consumerGroup}`, topic].toSorted());
    assert(statusTable.get(topic)!.consumeOKTPS > 0 && statusTable.get(topic)!.pullTPS > 0);
    release();
    await until(() => seen.length === 40);
  });

  await step("it consumes a message that it is handed, and tells what came of it", async () => {
    const other = await scene.topic("Handed");
    const { offsetMessageId: msgId } = await scene.producer.send({ topic: other, body: "handed" });
    const handed: string[] = [];
    await using consumer = await started(scene, "asked", topic, {
      consumeConcurrently: ([message]) => {
        handed.push(message!.text());
        if (handed.length === 2) throw new Error("on purpose");
        return handed.length === 3 ? "RECONSUME_LATER" : "CONSUME_SUCCESS";
      },
    });
    const hand = async () => {
      const header = { consumerGroup, clientId: consumer.clientId, msgId, topic: other };
      const { consumeResult, order, remark } = decodeConsumeDirectly(
        (await scene.ask(ConsumeMessageDirectly, header)).body,
      );
      return [consumeResult, order, remark];
    };
    assertEquals(await hand(), ["CR_SUCCESS", false, undefined]);
    assertEquals(await hand(), ["CR_THROW_EXCEPTION", false, "on purpose"]);
    assertEquals(await hand(), ["CR_LATER", false, undefined]);
    assertEquals(handed, ["handed", "handed", "handed"]);
  });

  await step("an orderly one tells so, and that it has its queues locked", async () => {
    await using consumer = await started(scene, "asked-orderly", topic, { consumeOrderly: () => {} });
    const header = { consumerGroup: `asked-orderly-${scene.mark}`, clientId: consumer.clientId };
    const { properties, mqTable } = decodeRunningInfo((await scene.ask(GetConsumerRunningInfo, header)).body);
    assertEquals(properties.get("PROP_CONSUMEORDERLY"), "true");
    assert([...mqTable.values()].every((info) => info.locked && info.lastLockTimestamp > 0));
  });

  for (const kind of ["push", "pull"] as const) {
    await step(`a ${kind} consumer tells where it is, and goes on from where it is reset to`, async () => {
      const topic = await scene.topic(`Reset-${kind}`);
      const group = `reset-${kind}-${scene.mark}`;
      // Apart, since brokers tell times only by milliseconds.
      for (const text of numbered(5)) {
        await scene.send(topic, [text]);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const seen: string[] = [];
      let timestamp = 0;
      const see = (message: ReceivedMessage) => {
        seen.push(message.text());
        // Brokers go to the message that is nearest to a time.
        if (message.text() === "m3") timestamp = message.storeTimestamp;
      };
      let commit = async () => {};
      await using stack = new AsyncDisposableStack();
      if (kind === "push") {
        const consumeConcurrently = ([message]: readonly ReceivedMessage[]) => see(message!);
        const pushed = stack.use(await started(scene, `reset-${kind}`, topic, { consumeConcurrently }));
        commit = () => pushed.commit();
      } else {
        const subscriptions = { [topic]: "*" };
        const pulling = new LitePullConsumer({ ...scene.connection, group, subscriptions, from: "first" });
        const reading = (async () => {
          for await (const message of pulling) {
            see(message);
            pulling.acknowledge();
          }
        })();
        commit = () => pulling.commit();
        stack.defer(async () => {
          await pulling.close();
          await reading;
        });
      }
      await until(() => seen.length === 5);
      // Brokers know a group by its offsets.
      await commit();
      const status = await scene.ask(InvokeBrokerToGetConsumerStatus, { topic, group });
      const clients = [...decodeConsumerStatus(status.body).values()].map((offsets) => [...offsets.values()]);
      assertEquals(clients, [[5]]);
      await scene.ask(InvokeBrokerToResetOffset, { topic, group, timestamp, isForce: true });
      await until(() => seen.length === 7);
      assertEquals(seen, ["m0", "m1", "m2", "m3", "m4", "m3", "m4"]);
    });
  }
}
