/**
 * Measuring a node of ours in this process, and servers that count, refuse, stay silent, break off or talk nonsense.
 *
 * @module
 */
import { findTargets } from "../../../src/client/load/targets.ts";
import { type Figures, load } from "../../../src/client/load/mod.ts";
import { RocketdError } from "../../../src/errors.ts";
import { HeaderEncoding, ResponseCode } from "../../../src/protocol/codes.ts";
import { propertyOf } from "../../../src/protocol/properties.ts";
import { GetTopicStatsInfo } from "../../../src/protocol/admin_requests.ts";
import { PullMessage, SendMessageV2 } from "../../../src/protocol/requests.ts";
import { signer } from "../../../src/remoting/access/signature.ts";
import { type Answer, HandlerTable } from "../../../src/remoting/handlers.ts";
import type { RemotingServer } from "../../../src/remoting/server.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../../src/std.ts";
import { Authority } from "../../certificates.ts";
import { recordBytes } from "../messages.ts";
import { until } from "../scene.ts";
import { loadOptions, patientCluster, RawBroker, serve } from "./scenes.ts";

const sent = (code: number, queueId: number) => {
  return { code, remark: "busy", header: { msgId: "0A", queueId, queueOffset: 1 } };
};

for (const [name, encoding] of Object.entries(HeaderEncoding)) {
  Deno.test(`send counts every answer, and every message has a key of its own (${name})`, async () => {
    const keys = new Set<string>();
    const queues = new Set<number>();
    let received = 0, refused = 0;
    const server = serve(
      new HandlerTable().on(SendMessageV2, ({ header, body, encoding: used }) => {
        received++;
        keys.add(propertyOf(new TextDecoder().decode(header.properties), "UNIQ_KEY") ?? "");
        queues.add(header.queueId);
        assertEquals([header.topic, body.length, used], ["T", 100, encoding]);
        const code = received % 10 === 0 ? ResponseCode.SYSTEM_BUSY : ResponseCode.SUCCESS;
        if (code !== ResponseCode.SUCCESS) refused++;
        return sent(code, header.queueId);
      }),
    );
    const target = { broker: `127.0.0.1:${server.port}` };
    const result = await load(loadOptions({ kind: "send", target, encoding, messages: 500 }));
    assertEquals([result.answered, result.messages, received], [500, 450, 500]);
    assertEquals(result.failed, { [ResponseCode.SYSTEM_BUSY]: refused });
    assertEquals([keys.size, queues.size, result.queues], [received, 4, 4]);
    assertEquals([result.unanswered, result.connectionsLost, result.bytes], [0, 0, 45_000]);
    assertMatch(result.problems.join(), /SYSTEM_BUSY \(2\) busy/);
    const { p50, p99, p999, max } = result.latencyMs;
    assert(p50 <= p99 && p99 <= p999 && p999 <= max && result.perSecond > 0);
    await server.close();
  });

  Deno.test(`send, batch, pull and e2e store and read what they say (${name})`, async () => {
    // So that one look shows all that is stored in a queue.
    const allAtOnce = ["maxTransferCountOnMessageInMemory=1000", "maxTransferBytesOnMessageInMemory=1000000"];
    await using cluster = await patientCluster(...allAtOnce);
    const byName = { nameservers: cluster.nameservers }, direct = { broker: cluster.broker };
    const common = { encoding, messages: 200, queues: 3 };
    for (const [topic, target] of [["ByName", byName], ["Direct", direct]] as const) {
      const send = await load(loadOptions({ kind: "send", target, topic, ...common }));
      assertEquals([send.answered, send.messages, send.failed], [200, 200, {}]);
      const batch = await load(loadOptions({ kind: "batch", target, topic, ...common, messages: 400 }));
      assertEquals([batch.answered, batch.messages, batch.failed], [50, 400, {}]);
      const stored = await cluster.stored(topic);
      assertEquals(stored.length, 600);
      assertEquals(new Set(stored.map(({ properties }) => propertyOf(properties, "UNIQ_KEY"))).size, 600);
      assertEquals(new Set(stored.map(({ queueId }) => queueId)).size, 3);
      // Brokers tell nameservers of a new topic in their own time.
      const reading = loadOptions({ kind: "pull", target, topic, encoding, pullMax: 7 });
      await until(() => findTargets(reading).then(() => true, () => false));
      const pull = await load(reading);
      assertEquals([pull.messages, pull.failed, pull.unanswered], [600, {}, 0]);
      assertEquals(pull.bytes, stored.reduce((sum, { totalSize }) => sum + totalSize, 0));
      const rest = await load(loadOptions({ kind: "pull", target, topic, encoding, from: 100 }));
      assertEquals(rest.messages, 300);
    }
    const way = await load(loadOptions({ kind: "e2e", target: byName, topic: "Way", ...common, rate: 2000 }));
    assertEquals([way.answered, way.messages, way.lost, way.doubled, way.failed], [200, 200, 0, 0, {}]);
    assertEquals((await cluster.stored("Way")).length, 200);
    // On a topic that holds messages of an earlier run, which do not count.
    const again = await load(loadOptions({ kind: "e2e", target: direct, topic: "Way", ...common }));
    assertEquals([again.messages, again.lost, again.doubled], [200, 0, 0]);
  });
}

Deno.test("Signed requests are taken where accounts are asked for, others refused", async () => {
  const aclFile = await Deno.makeTempFile({ prefix: "rocketd-accounts-" });
  await Deno.writeTextFile(
    aclFile,
    "accounts:\n- {accessKey: bench-account, secretKey: bench-secret, defaultTopicPerm: PUB|SUB, defaultGroupPerm: SUB}\n",
  );
  await using cluster = await patientCluster("aclEnable=true", `aclFile=${aclFile}`);
  const sign = signer({ accessKey: "bench-account", secretKey: "bench-secret" });
  const target = { broker: cluster.broker };
  for (const kind of ["send", "batch", "e2e", "pull"] as const) {
    const result = await load(loadOptions({ kind, target, sign, messages: 64 }));
    assertEquals([result.messages >= 64, result.failed], [true, {}], kind);
  }
  const foreign = await load(loadOptions({ kind: "send", target, messages: 10 }));
  assertEquals([foreign.messages, foreign.failed], [0, { [ResponseCode.SYSTEM_ERROR]: 10 }]);
  await Deno.remove(aclFile);
});

Deno.test("All kinds speak TLS", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue("broker", "IP:127.0.0.1");
  const settings = ["tlsServerMode=enforcing", `tlsServerCertPath=${cert}`, `tlsServerKeyPath=${key}`];
  await using cluster = await patientCluster(...settings);
  const target = { broker: cluster.broker };
  const tls = { verify: "everything", trust: { path: authority.cert, setting: "--tls-ca" } } as const;
  for (const kind of ["send", "batch", "e2e", "pull"] as const) {
    const result = await load(loadOptions({ kind, target, tls, messages: 64 }));
    assertEquals([result.messages >= 64, result.failed, result.connectionsLost], [true, {}, 0], kind);
  }
  await assertRejects(() => load(loadOptions({ kind: "send", target, messages: 1 })), RocketdError);
});

/** A broker with two queues, which answers pulls as told. */
function servePulls(answer: (queueId: number, offset: number) => Answer): RemotingServer {
  const queue = (queueId: number) =>
    `{"brokerName":"b","queueId":${queueId},"topic":"T"}:{"maxOffset":9,"minOffset":0}`;
  const body = new TextEncoder().encode(`{"offsetTable":{${queue(0)},${queue(1)}}}`);
  return serve(
    new HandlerTable()
      .on(GetTopicStatsInfo, () => ({ code: ResponseCode.SUCCESS, body }))
      .on(PullMessage, ({ header }) => answer(header.queueId, header.queueOffset)),
  );
}

const oneRecord = recordBytes({ queueOffset: 5, body: new Uint8Array(3) });

for (const [name, encoding] of Object.entries(HeaderEncoding)) {
  Deno.test(`pull goes where brokers send it, and gives up queues that are refused (${name})`, async () => {
    const asked: string[] = [];
    const server = servePulls((queueId, offset) => {
      asked.push(`${queueId}/${offset}`);
      if (queueId === 1) return { code: ResponseCode.SYSTEM_ERROR, remark: "broken" };
      const moved = { nextBeginOffset: 5, minOffset: 5, maxOffset: 6, suggestWhichBrokerId: 0 };
      if (offset === 0) return { code: ResponseCode.PULL_OFFSET_MOVED, header: moved };
      if (offset === 5) {
        return { code: ResponseCode.SUCCESS, header: { ...moved, nextBeginOffset: 6 }, body: oneRecord };
      }
      return { code: ResponseCode.PULL_NOT_FOUND };
    });
    const target = { broker: `127.0.0.1:${server.port}` };
    const result = await load(loadOptions({ kind: "pull", target, encoding, seconds: 10_000 }));
    assertEquals(asked.sort(), ["0/0", "0/5", "0/6", "1/0"]);
    assertEquals([result.messages, result.bytes, result.failed], [1, oneRecord.length, {
      [ResponseCode.SYSTEM_ERROR]: 1,
    }]);
    assertMatch(result.problems.join(), /SYSTEM_ERROR \(1\) broken/);
    await server.close();
  });
}

Deno.test("pull does not go on with what brings it nowhere or holds no messages", async () => {
  const answers: [answer: Answer, told: RegExp][] = [
    [{ code: ResponseCode.SUCCESS, header: { nextBeginOffset: 0 }, body: oneRecord }, /does not go on/],
    [{ code: ResponseCode.SUCCESS, header: { nextBeginOffset: 1 }, body: oneRecord.subarray(1) }, /no messages/],
    [{ code: ResponseCode.SUCCESS, header: { nextBeginOffset: 1 }, body: new Uint8Array(5) }, /no messages/],
  ];
  for (const [answer, told] of answers) {
    const server = servePulls(() => answer);
    const target = { broker: `127.0.0.1:${server.port}` };
    const options = loadOptions({ kind: "pull", target, connections: 1, queues: 1, seconds: 10_000 });
    assertMatch((await assertRejects(() => load(options), RocketdError)).message, told);
    await server.close();
  }
});

Deno.test("More queues than there are, and a topic that is not there, are refused", async () => {
  await using cluster = await patientCluster();
  for (const target of [{ broker: cluster.broker }, { nameservers: cluster.nameservers }]) {
    await load(loadOptions({ kind: "send", target, topic: "Four", messages: 4 }));
    const many = loadOptions({ kind: "send", target, topic: "Four", queues: 5 });
    assertEquals((await assertRejects(() => load(many), RocketdError)).code, "invalidArgument");
    const unknown = loadOptions({ kind: "pull", target, topic: "Unknown" });
    assertEquals((await assertRejects(() => load(unknown), RocketdError)).code, "notFound");
  }
});

Deno.test("A broker that only refuses ends the run before its time", async () => {
  const server = serve(
    new HandlerTable().on(SendMessageV2, () => ({ code: ResponseCode.NO_PERMISSION, remark: "no" })),
  );
  const target = { broker: `127.0.0.1:${server.port}` };
  const result = await load(loadOptions({ kind: "send", target, seconds: 10_000 }));
  assertEquals([result.messages, Object.keys(result.failed)], [0, ["16"]]);
  assertMatch(result.problems.join(), /NO_PERMISSION \(16\) no/);
  await server.close();
});

Deno.test("A signal ends a run early, with what was counted", async () => {
  const server = serve(new HandlerTable().on(SendMessageV2, ({ header }) => sent(0, header.queueId)));
  const target = { broker: `127.0.0.1:${server.port}` };
  const aborting = new AbortController();
  const began = (figures: Figures) => {
    const timer = setInterval(() => {
      if (figures.messages < 100) return;
      clearInterval(timer);
      aborting.abort();
    }, 1);
  };
  const result = await load(loadOptions({ kind: "send", target, seconds: 10_000 }), { signal: aborting.signal, began });
  assertEquals([result.messages >= 100, result.unanswered, result.failed], [true, 0, {}]);
  await server.close();
});

Deno.test("A broker that goes away is told of, and nothing goes on without it", async () => {
  const server = serve(new HandlerTable().on(SendMessageV2, ({ header }) => sent(0, header.queueId)));
  let closing: Promise<void> | undefined;
  const began = (figures: Figures) => {
    const timer = setInterval(() => {
      if (figures.messages < 100) return;
      clearInterval(timer);
      closing = server.close();
    }, 1);
  };
  const target = { broker: `127.0.0.1:${server.port}` };
  const result = await load(loadOptions({ kind: "send", target, seconds: 10_000 }), { began });
  assertEquals([result.messages >= 100, result.connectionsLost], [true, 2]);
  assert(result.problems.some((problem) => problem.startsWith(target.broker)), result.problems.join());
  await closing;
});

Deno.test("A broker that talks nonsense is told of", async () => {
  await using broker = new RawBroker(async (conn) => {
    await conn.read(new Uint8Array(16));
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  const target = { broker: broker.address };
  const error = await assertRejects(() => load(loadOptions({ kind: "send", target, seconds: 10_000 })), RocketdError);
  assertEquals(error.code, "unavailable");
  assertMatch(error.message, /length word/);
});

for (const rate of [0, 100_000]) {
  Deno.test(`Requests that a silent broker does not answer are counted (${rate} a second)`, async () => {
    const read = Promise.withResolvers<void>();
    await using broker = new RawBroker(async (conn) => {
      await conn.read(new Uint8Array(16));
      read.resolve();
    });
    const aborting = new AbortController();
    read.promise.then(() => aborting.abort());
    const target = { broker: broker.address };
    // Also the time for the question that comes before the sends.
    const options = loadOptions({ kind: "send", target, seconds: 10_000, timeoutMs: 2_000, rate });
    const { answered, unanswered, messages, perSecond, latencyMs } = await load(options, { signal: aborting.signal });
    assertEquals([answered, messages, perSecond], [0, 0, 0]);
    // With a rate, their latency so far is the only one there is.
    if (rate === 0) assertEquals([unanswered, latencyMs.max], [16, 0]);
    else assert(unanswered >= 1 && unanswered <= 16 && latencyMs.p50 > 0);
  });
}

/** A broker that acknowledges what is sent, and gives none of it. */
async function losing(work: (target: { broker: string }) => Promise<void>): Promise<void> {
  const end = Promise.withResolvers<Answer>();
  const server = serve(
    new HandlerTable()
      .on(SendMessageV2, ({ header }) => sent(0, header.queueId))
      .on(GetTopicStatsInfo, () => ({ code: ResponseCode.TOPIC_NOT_EXIST, remark: "no" }))
      .on(PullMessage, () => end.promise),
  );
  await work({ broker: `127.0.0.1:${server.port}` });
  end.resolve({ code: ResponseCode.PULL_NOT_FOUND });
  await server.close();
}

Deno.test("What was acknowledged and does not arrive is lost", async () => {
  await losing(async (target) => {
    const result = await load(loadOptions({ kind: "e2e", target, messages: 50, drainSeconds: 0 }));
    assertEquals([result.answered, result.messages, result.lost, result.unanswered], [50, 0, 50, 0]);
  });
});

Deno.test("A signal ends the wait for messages that do not arrive too", async () => {
  await losing(async (target) => {
    const aborting = new AbortController();
    const began = async (figures: Figures) => {
      await until(() => figures.answered === 50);
      aborting.abort();
    };
    const options = loadOptions({ kind: "e2e", target, messages: 50, drainSeconds: 10_000 });
    const result = await load(options, { signal: aborting.signal, began });
    assertEquals([result.answered, result.lost], [50, 50]);
  });
});

Deno.test("load() says so when nobody listens", async () => {
  const server = serve();
  const broker = `127.0.0.1:${server.port}`;
  await server.close();
  const error = await assertRejects(() => load(loadOptions({ kind: "send", target: { broker } })), RocketdError);
  assertEquals(error.code, "unavailable");
});
