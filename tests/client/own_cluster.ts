/**
 * A nameserver and a master of ours in the test's own process, and what its topics hold.
 *
 * @module
 */
import { type RunningNode, startNode } from "../../src/cli/node.ts";
import { loadSettings } from "../../src/config/mod.ts";
import { PullFlag, ResponseCode } from "../../src/protocol/codes.ts";
import { decodeRecords, type MessageRecord } from "../../src/protocol/message_record.ts";
import { PullMessage } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { freePort } from "../ports.ts";

/** A cluster of one node; ends when it goes out of scope. */
export class OwnCluster implements AsyncDisposable {
  readonly #client = new RemotingClient();

  private constructor(readonly node: RunningNode, readonly dir: string) {}

  /** `sets`: settings as `--set` takes them. */
  static async start(...sets: string[]): Promise<OwnCluster> {
    const dir = await Deno.makeTempDir({ prefix: "rocketd-client-" });
    const ports = [`nameserver.listenPort=${freePort()}`, `broker.listenPort=${freePort()}`];
    const here = [
      `storePathRootDir=${dir}`,
      "bindAddress=127.0.0.1",
      "brokerIP1=127.0.0.1",
      "broker.brokerName=broker-t",
    ];
    const loaded = await loadSettings({ roles: ["nameserver", "master"], sets: [...here, ...ports, ...sets] });
    if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
    return new OwnCluster(await startNode(loaded.settings), dir);
  }

  get nameservers(): string {
    return this.node.listening[0]!.address;
  }

  get broker(): string {
    return this.node.listening[1]!.address;
  }

  /** The messages of a topic's first queues. */
  async stored(topic: string, queues?: number): Promise<MessageRecord[]> {
    return await storedAt(this.#client, this.broker, topic, queues);
  }

  /** The bodies of a topic's messages, sorted, as soon as there are so many. */
  async bodies(topic: string, count: number): Promise<string[]> {
    for (const end = Date.now() + 60_000;;) {
      const texts = (await this.stored(topic)).map(({ body }) => new TextDecoder().decode(body));
      if (texts.length >= count) return texts.sort();
      if (Date.now() > end) throw new Error(`${topic} holds ${texts.length} messages, expected are ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.node.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** The messages of a topic's first queues on a broker. */
export async function storedAt(
  client: RemotingClient,
  broker: string,
  topic: string,
  queues = 4,
): Promise<MessageRecord[]> {
  const all: MessageRecord[] = [];
  for (let queueId = 0; queueId < queues; queueId++) {
    const pull = { consumerGroup: "observer", topic, queueId, queueOffset: 0, maxMsgNums: 1000, commitOffset: 0 };
    const header = {
      ...pull,
      sysFlag: PullFlag.SUBSCRIPTION,
      suspendTimeoutMillis: 0,
      subscription: "*",
      subVersion: 0,
    };
    const answer = await client.invoke(broker, PullMessage, header, undefined, 20_000);
    if (answer.code === ResponseCode.SUCCESS) all.push(...decodeRecords(answer.body));
  }
  return all;
}
