/**
 * Where scenes with consumers play: a nameserver and a master, in this process or anywhere, and how to prepare topics.
 *
 * @module
 */
import { startNode } from "../../src/cli/node.ts";
import { type ConnectOptions, Producer } from "../../src/client/mod.ts";
import { loadSettings } from "../../src/config/mod.ts";
import { Permission } from "../../src/protocol/codes.ts";
import type { RequestInput, RequestType } from "../../src/protocol/request.ts";
import { UpdateAndCreateTopic } from "../../src/protocol/requests.ts";
import { type ClientSecurity, RemotingClient, succeed } from "../../src/remoting/client.ts";
import type { Received } from "../../src/remoting/connection.ts";
import { freePort } from "../ports.ts";
import { ask } from "../probe.ts";
import { until } from "../until.ts";

export { until };

const GET_ROUTEINFO_BY_TOPIC = 105;
const ASK_MS = 30_000;

/** A step of a test, as `t.step`. */
export type Step = (name: string, work: () => Promise<void>) => Promise<unknown>;

/** How to get in where not everybody may. */
export interface SceneAccess {
  /** For those who make topics and ask after others. */
  readonly admin: ClientSecurity;
  /** For those who send and consume. */
  readonly member: ClientSecurity;
  /** Certificates to trust, as PEM. */
  readonly trust: string;
}

/** A cluster with one master, and a producer that stays. */
export class Scene implements AsyncDisposable {
  readonly producer: Producer;
  /** What producers and consumers connect with. */
  readonly connection: ConnectOptions;
  readonly #client: RemotingClient;
  readonly #trust: string | undefined;

  /** `nameserver` and `broker`: `host:port`. `mark`: keeps the topics and groups of two runs apart. */
  constructor(readonly nameserver: string, readonly broker: string, readonly mark: string, access?: SceneAccess) {
    this.connection = { nameservers: nameserver, ...access?.member };
    this.producer = new Producer({ ...this.connection, timeoutMs: ASK_MS });
    this.#client = new RemotingClient(access?.admin);
    this.#trust = access?.trust;
  }

  /** Makes a topic, and waits until the nameserver knows it. */
  async topic(name: string, queues = 1): Promise<string> {
    const topic = `${name}-${this.mark}`;
    await this.#makeReadable(topic, queues);
    await until(async () => await this.#permOf(topic) !== undefined);
    return topic;
  }

  /** Waits for a topic that the broker makes by itself, and makes it readable: dead letters can only be written in 4.1. */
  async appeared(topic: string): Promise<void> {
    await until(async () => await this.#permOf(topic) !== undefined);
    if ((await this.#permOf(topic))! & Permission.READ) return;
    await this.#makeReadable(topic, 1);
    await until(async () => ((await this.#permOf(topic))! & Permission.READ) !== 0);
  }

  async #makeReadable(topic: string, queues: number): Promise<void> {
    await this.ask(UpdateAndCreateTopic, {
      topic,
      defaultTopic: "TBW102",
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: Permission.READ | Permission.WRITE,
      topicFilterType: "SINGLE_TAG",
      order: false,
    });
  }

  /** What the nameserver tells of a topic; undefined: it does not know it. */
  async #permOf(topic: string): Promise<number | undefined> {
    const port = Number(this.nameserver.split(":")[1]);
    const { code, body } = await ask(port, GET_ROUTEINFO_BY_TOPIC, { topic }, undefined, this.#trust);
    return code === 0 ? Number(/"perm":(\d)/.exec(body)?.[1]) : undefined;
  }

  /** Asks the broker; rejects when it refuses. */
  async ask<R extends RequestType>(type: R, header: RequestInput<R>): Promise<Received<R>> {
    return succeed(await this.#client.invoke(this.broker, type, header, undefined, ASK_MS), type.name);
  }

  /** Sends messages with these bodies, one after the other; the n-th goes to queue n modulo the number of queues. */
  async send(topic: string, bodies: readonly string[], more: { tag?: string } = {}): Promise<void> {
    for (const [i, body] of bodies.entries()) {
      await this.producer.send({ topic, body, ...more }, { to: (queues) => queues[i % queues.length]! });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.producer.close();
  }
}

/** `m0`, `m1`, … */
export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `m${from + i}`);
}

/** A nameserver and a master in this process, and a scene on them. `sets`: settings as `name=value`. */
export async function sceneHere(...sets: string[]): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "rocketd-scene-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const [nameserver, broker] = [freePort(), freePort()];
  const loaded = await loadSettings({
    roles: ["nameserver", "master"],
    sets: [
      `storePathRootDir=${dir}`,
      "bindAddress=127.0.0.1",
      "brokerIP1=127.0.0.1",
      "httpListen=0",
      `nameserver.listenPort=${nameserver}`,
      `broker.listenPort=${broker}`,
      ...sets,
    ],
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  stack.use(await startNode(loaded.settings));
  const scene = stack.use(new Scene(`127.0.0.1:${nameserver}`, `127.0.0.1:${broker}`, "here"));
  const moved = stack.move();
  return Object.assign(scene, { [Symbol.asyncDispose]: () => moved.disposeAsync() });
}
