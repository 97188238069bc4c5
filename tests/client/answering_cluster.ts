/**
 * A nameserver and brokers in the test's own process that give whatever answers a test wants.
 *
 * @module
 */
import { encodeTopicRoute } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetRouteinfoByTopic, SendMessageV2 } from "../../src/protocol/requests.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";

function serve(handlers: HandlerTable): RemotingServer {
  return new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 100, idleMs: 60_000 });
}

/** The code of a broker that never answers. */
export const HANGS = -1;

/** A cluster whose brokers answer every send with a code of their own; it notes who was asked for which queue. */
export class AnsweringCluster implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly topics: string[] = [];
  /** The id that brokers give to messages. */
  messageId = "ID";
  readonly #brokers: RemotingServer[];
  readonly #nameserver: RemotingServer;

  /** `codes` may be changed later; `more`: what the brokers obey besides. */
  constructor(
    codes: Readonly<Record<string, number>>,
    knows: (topic: string) => boolean | Promise<boolean> = () => true,
    more = new HandlerTable(),
  ) {
    const names = Object.keys(codes);
    this.#brokers = names.map((name) =>
      serve(
        more.without().on(SendMessageV2, ({ header }) => {
          this.asked.push(`${name}/${header.queueId}`);
          const code = codes[name]!;
          if (code === HANGS) return undefined;
          return {
            code,
            remark: "told so",
            header: { msgId: this.messageId, queueId: header.queueId, queueOffset: 5 },
          };
        }),
      )
    );
    const queue = { readQueueNums: 2, writeQueueNums: 2, perm: 6, topicSysFlag: 0 };
    const body = encodeTopicRoute({
      queueDatas: names.map((brokerName) => ({ brokerName, ...queue })),
      brokerDatas: names.map((brokerName, i) => ({
        brokerName,
        cluster: "C",
        brokerAddrs: new Map([[0, `127.0.0.1:${this.#brokers[i]!.port}`]]),
      })),
      filterServerTable: new Map(),
    });
    this.#nameserver = serve(
      new HandlerTable().on(GetRouteinfoByTopic, async ({ header }) => {
        this.topics.push(header.topic);
        return await knows(header.topic)
          ? { code: ResponseCode.SUCCESS, body }
          : { code: ResponseCode.TOPIC_NOT_EXIST };
      }),
    );
  }

  get nameservers(): string {
    return `127.0.0.1:${this.#nameserver.port}`;
  }

  async stopNameserver(): Promise<void> {
    await this.#nameserver.close();
  }

  /** Brokers that are gone stay in the route. */
  async stopBroker(number: number): Promise<void> {
    await this.#brokers[number]!.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#nameserver, ...this.#brokers]) await server.close();
  }
}
