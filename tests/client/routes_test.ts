/**
 * How long a route is believed, and what takes it away and what does not.
 *
 * @module
 */
import { RouteBook } from "../../src/client/routes.ts";
import { RocketdError } from "../../src/errors.ts";
import { encodeTopicRoute } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetRouteinfoByTopic } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { type Answer, HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assertEquals, assertRejects } from "../../src/std.ts";
import { until } from "./scene.ts";

const MINUTE = 60_000;

/** A nameserver that gives what a test wants; one route with as many queues as it was asked before. */
class Oracle implements AsyncDisposable {
  readonly asked: string[] = [];
  gives: (() => Answer | Promise<Answer>) | undefined;
  readonly #server: RemotingServer;

  constructor() {
    const handlers = new HandlerTable().on(GetRouteinfoByTopic, async ({ header }) => {
      this.asked.push(header.topic);
      const queues = this.asked.length;
      return await this.gives?.() ?? { code: ResponseCode.SUCCESS, body: routeOf(queues) };
    });
    this.#server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 });
  }

  get address(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}

function routeOf(queues: number): Uint8Array {
  return encodeTopicRoute({
    queueDatas: [{ brokerName: "a", readQueueNums: queues, writeQueueNums: queues, perm: 6, topicSysFlag: 0 }],
    brokerDatas: [{ brokerName: "a", cluster: "C", brokerAddrs: new Map([[0, "127.0.0.1:1"]]) }],
    filterServerTable: new Map(),
  });
}

/** A book whose clock stands until it is moved. */
class Book implements Disposable {
  now = 1_000_000;
  readonly #client = new RemotingClient();
  readonly routes: RouteBook;

  constructor(...nameservers: string[]) {
    this.routes = new RouteBook(this.#client, nameservers, () => this.now);
  }

  async queues(topic = "T"): Promise<number> {
    return (await this.routes.findOrBorrow(topic)).writable.length;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

Deno.test("A route that is known is used at once while a newer one is looked for", async () => {
  await using oracle = new Oracle();
  using book = new Book(oracle.address);
  const gate = Promise.withResolvers<Answer>();
  assertEquals([await book.queues(), await book.queues(), oracle.asked.length], [1, 1, 1]);
  oracle.gives = () => gate.promise;
  book.now += MINUTE;
  assertEquals([await book.queues(), await book.queues()], [1, 1]);
  gate.resolve({ code: ResponseCode.SUCCESS, body: routeOf(7) });
  await until(async () => await book.queues() === 7);
  assertEquals(oracle.asked.length, 2);
});

const TROUBLE: Record<string, Answer> = {
  "has just started": { code: ResponseCode.TOPIC_NOT_EXIST },
  "is busy": { code: ResponseCode.SYSTEM_BUSY },
  "fails": { code: ResponseCode.SYSTEM_ERROR },
  "answers garbage": { code: ResponseCode.SUCCESS, body: new Uint8Array([1, 2, 3]) },
};
for (const [what, answer] of Object.entries(TROUBLE)) {
  Deno.test(`A nameserver that ${what} takes no known route away`, async () => {
    await using oracle = new Oracle();
    using book = new Book(oracle.address);
    await book.queues();
    oracle.gives = () => answer;
    book.now += MINUTE;
    book.routes.forget("T");
    assertEquals([await book.queues(), oracle.asked.length], [1, 2]);
    oracle.gives = undefined;
    book.now += 2_000;
    await until(async () => await book.queues() === 3);
  });
}

Deno.test("A topic that is missing for minutes is gone", async () => {
  await using oracle = new Oracle();
  using book = new Book(oracle.address);
  await book.queues();
  oracle.gives = () => ({ code: ResponseCode.TOPIC_NOT_EXIST });
  book.now += 3 * MINUTE;
  book.routes.forget("T");
  assertEquals((await assertRejects(() => book.queues(), RocketdError)).code, "notFound");
});

Deno.test("Who doubts a route gets a newer one, but nameservers are not asked after each failure", async () => {
  await using oracle = new Oracle();
  using book = new Book(oracle.address);
  await book.queues();
  book.routes.forget("T");
  assertEquals([await book.queues(), oracle.asked.length], [1, 1]);
  book.now += 2_000;
  book.routes.forget("T");
  assertEquals([await book.queues(), oracle.asked.length], [2, 2]);
});

Deno.test("Who doubts a route does not wait for a silent nameserver for long", async () => {
  await using oracle = new Oracle();
  using book = new Book(oracle.address);
  await book.queues();
  const gate = Promise.withResolvers<Answer>();
  oracle.gives = () => gate.promise;
  book.now += 2_000;
  book.routes.forget("T");
  assertEquals(await book.queues(), 1);
  gate.resolve({ code: ResponseCode.TOPIC_NOT_EXIST });
});

Deno.test("A borrowed route lasts until the topic is there", async () => {
  await using oracle = new Oracle();
  using book = new Book(oracle.address);
  const missing = () => oracle.asked.at(-1) === "T" ? { code: ResponseCode.TOPIC_NOT_EXIST } : undefined!;
  oracle.gives = missing;
  assertEquals([await book.queues(), await book.queues(), oracle.asked], [2, 2, ["T", "TBW102"]]);
  book.now += 600;
  assertEquals([await book.queues(), oracle.asked.length], [4, 4]);
  oracle.gives = undefined;
  book.now += 600;
  assertEquals([await book.queues(), await book.queues(), oracle.asked.length], [5, 5, 5]);
});

Deno.test("All that is no longer believed can be renewed before it is used", async () => {
  await using oracle = new Oracle();
  using book = new Book(oracle.address);
  await book.queues("T");
  book.now += MINUTE;
  await book.queues("U");
  await book.routes.renew();
  assertEquals([oracle.asked, await book.queues("T"), oracle.asked.length], [["T", "U", "T"], 3, 3]);
});

Deno.test("Who asks at the same time finds the nameserver that is there, whoever is gone or busy", async () => {
  await using oracle = new Oracle();
  await using busy = new Oracle();
  busy.gives = () => ({ code: ResponseCode.SERVICE_NOT_AVAILABLE });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const gone = `127.0.0.1:${listener.addr.port}`;
  // Whoever comes is turned away.
  const turning = (async () => {
    for await (const conn of listener) conn.close();
  })();
  {
    using book = new Book(gone, busy.address, oracle.address);
    await Promise.all(["T", "U", "V", "W"].map((topic) => book.queues(topic)));
    assertEquals(oracle.asked.length, 4);
  }
  listener.close();
  await turning;
});
