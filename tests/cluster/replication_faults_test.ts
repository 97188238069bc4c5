/**
 * Promise 1 with a slave: whatever is killed or cut under load, what SYNC_MASTER acknowledged is on whoever survives.
 * `ROUNDS` sets how many faults there are, `SEED` repeats a run.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { HeaderEncoding, ResponseCode, responseCodeName } from "../../src/protocol/codes.ts";
import { SendMessageV2 } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { readTopic } from "../faults/reading.ts";
import { delay, type Node, startRocketd } from "../launch.ts";
import { freePort } from "../ports.ts";
import { Proxy } from "../proxy.ts";
import { sendHeader } from "../headers.ts";
import { caughtUp, eventually, sameFiles, sameTables } from "./replication.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 50);
const SEED = Number(Deno.env.get("SEED") ?? Date.now() % 1_000_000_000);
const SENDERS = 24;
const TOPIC = "Faults", QUEUES = 4;
const FAULTS = ["master", "slave", "connection", "connection", "stall"] as const;
type Fault = typeof FAULTS[number];

const SETTINGS = {
  flushDiskType: "SYNC_FLUSH",
  // Small, so that faults fall into changes of files too.
  mappedFileSizeCommitLog: 1 << 20,
  mappedFileSizeConsumeQueue: 20_000,
  maxMessageSize: 65536,
  slaveTimeout: 1000,
};
/** Stored, but not acknowledged as held by a slave. */
const ALONE: ReadonlySet<number> = new Set([ResponseCode.SLAVE_NOT_AVAILABLE, ResponseCode.FLUSH_SLAVE_TIMEOUT]);

const encoder = new TextEncoder(), decoder = new TextDecoder();
const say = (text: string) => void Deno.stderr.writeSync(encoder.encode(`${text}\n`));

/** Numbers from 0 to below `end`, the same for the same seed (mulberry32). */
function random(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * end);
  };
}

/** Where each acknowledged body should be: `queueId/queueOffset`. */
type Places = Map<string, string>;

/** Many senders at once, until they are stopped or their broker dies. */
class Load {
  readonly acknowledged: Places = new Map();
  /** Answers by code. */
  readonly answers = new Map<number, number>();
  readonly #client = new RemotingClient({ encoding: HeaderEncoding.ROCKETMQ });
  readonly #senders: Promise<void>[];
  #stopping = false;

  constructor(readonly broker: Node, readonly round: number) {
    this.#senders = Array.from({ length: SENDERS }, (_, sender) => this.#run(sender));
    // A failure is told by stop().
    for (const sender of this.#senders) sender.catch(() => {});
  }

  /** Ends when each sender has the answer to its last message. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#senders);
    this.#client.close();
  }

  async #run(sender: number): Promise<void> {
    for (let n = 0; !this.#stopping; n++) {
      const body = `${this.round}-${sender}-${n}-${"x".repeat((n * 37) % 900)}`;
      const header = sendHeader({
        topic: TOPIC,
        queueId: n % QUEUES,
        properties: `UNIQ_KEY\x01${this.round}-${sender}-${n}`,
      });
      try {
        const answer = await this.#client.invoke(
          this.broker.address,
          SendMessageV2,
          header,
          encoder.encode(body),
          20_000,
        );
        const { code, remark } = answer;
        assert(code === ResponseCode.SUCCESS || ALONE.has(code), `${responseCodeName(code)} ${remark}`);
        this.answers.set(code, (this.answers.get(code) ?? 0) + 1);
        if (code !== ResponseCode.SUCCESS) continue;
        this.acknowledged.set(`${answer.header.queueId}/${answer.header.queueOffset}`, body);
      } catch (error) {
        if (!(error instanceof RocketdError) || !error.retriable) throw error;
        return;
      }
    }
  }
}

/** Fails when a node lacks one of the places, or has another body there. */
async function holds(node: Node, places: Places): Promise<void> {
  const from = new Map<number, number>();
  for (const place of places.keys()) {
    const [queueId, offset] = place.split("/").map(Number);
    from.set(queueId!, Math.min(offset!, from.get(queueId!) ?? Infinity));
  }
  const found: Places = new Map();
  for (const { queueId, queueOffset, body } of await readTopic(node.address, TOPIC, QUEUES, from)) {
    found.set(`${queueId}/${queueOffset}`, decoder.decode(body));
  }
  const missing = [...places].filter(([place, body]) => found.get(place) !== body);
  const first = missing[0]?.join(" ");
  assertEquals(missing.length, 0, `${node.name} lacks ${missing.length} of ${places.size}, the first is ${first}`);
}

/** A master, its slave, and the proxy between them. */
class Pair {
  constructor(
    readonly master: Node,
    readonly slave: Node,
    readonly proxy: Proxy,
    readonly below: (end: number) => number,
  ) {}

  /** Until a send waits for the slave, and has its word. */
  async joined(): Promise<void> {
    using client = new RemotingClient();
    await eventually("the slave has joined", async () => {
      const header = sendHeader({ topic: "Joined", properties: "" });
      const { address } = this.master;
      const { code } = await client.invoke(address, SendMessageV2, header, new Uint8Array(9), 30_000);
      return code === ResponseCode.SUCCESS ? undefined : responseCodeName(code);
    });
  }

  /** Breaks something under load, looks at who survived, and mends it. Gives what was acknowledged. */
  async round(number: number, fault: Fault): Promise<Load> {
    const { master, slave, proxy, below } = this;
    const load = new Load(master, number);
    await eventually("something is acknowledged", () => {
      return Promise.resolve(load.acknowledged.size > 0 ? undefined : "nothing is");
    });
    await delay(below(250));
    if (fault === "master") {
      await master.kill();
      await load.stop();
      await holds(slave, load.acknowledged);
      await master.start();
    } else if (fault === "slave") {
      await slave.kill();
      await delay(below(100));
      await load.stop();
      await holds(master, load.acknowledged);
      await slave.start();
    } else {
      await (fault === "stall" ? this.#stall() : this.#cut());
      await load.stop();
      await Promise.all([holds(slave, load.acknowledged), holds(master, load.acknowledged)]);
    }
    await this.joined();
    assertEquals(proxy.bytes.down > 0, true, "nothing went through the proxy");
    return load;
  }

  /** Often inside of a frame's header, else anywhere; mostly in the messages, sometimes in the reports. */
  async #cut(): Promise<void> {
    const { proxy, below } = this;
    for (let n = 0; n < 3; n++) {
      const before = proxy.cuts;
      if (below(4) === 0) proxy.cutAfter("up", below(100));
      else proxy.cutAfter("down", below(3) === 0 ? below(30) : below(100_000));
      const deadline = Date.now() + 90_000;
      while (proxy.cuts === before) {
        assert(Date.now() < deadline, "the connection was not used again after a cut");
        await delay(5);
      }
    }
    await delay(below(200));
  }

  /** Shorter and longer than a send waits for a slave. */
  async #stall(): Promise<void> {
    this.proxy.stall();
    await delay(this.below(2) === 0 ? this.below(500) : SETTINGS.slaveTimeout + this.below(300));
    this.proxy.resume();
    await delay(50);
  }
}

Deno.test(`nothing that SYNC_MASTER acknowledged is missing on the survivor of ${ROUNDS} faults, SEED=${SEED}`, async () => {
  say(`SEED=${SEED}`);
  const below = random(SEED);
  await using nodes = new AsyncDisposableStack();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const namesrvAddr = nameserver.address;
  const port = freePort();
  const proxy = nodes.use(Proxy.start(port + 1));
  const settings = { ...SETTINGS, brokerRole: "SYNC_MASTER" };
  const storeDir = await Deno.makeTempDir({ prefix: "rocketd-store-" });
  nodes.defer(() => Deno.remove(storeDir, { recursive: true }));
  const master = nodes.use(await startRocketd({ role: "master", namesrvAddr, port, settings }));
  const haMasterAddress = proxy.address;
  const slave = nodes.use(
    await startRocketd({ role: "slave", namesrvAddr, haMasterAddress, storeDir, settings: SETTINGS }),
  );
  const pair = new Pair(master, slave, proxy, below);
  await pair.joined();
  // A slave serves topics that it has heard of: not yet those that were made just before a fault.
  const first = new Load(master, -1);
  await delay(50);
  await first.stop();
  await sameTables(master, slave);

  const acknowledged: Places = new Map();
  const answers = new Map<string, number>();
  const faults = new Map<Fault, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const fault = FAULTS[below(FAULTS.length)]!;
    faults.set(fault, (faults.get(fault) ?? 0) + 1);
    try {
      const load = await pair.round(round, fault);
      assert(load.acknowledged.size > 0, "nothing was acknowledged, so it proves nothing");
      for (const [place, body] of load.acknowledged) acknowledged.set(place, body);
      for (const [code, count] of load.answers) {
        answers.set(responseCodeName(code), (answers.get(responseCodeName(code)) ?? 0) + count);
      }
    } catch (error) {
      say(`round ${round}, ${fault}, SEED=${SEED}\n--- master\n${await master.log()}\n--- slave\n${await slave.log()}`);
      throw error;
    }
  }
  const counted = (counts: ReadonlyMap<string, number>) => [...counts].map((one) => one.join(" ")).join(", ");
  say(`faults: ${counted(faults)}; cuts ${proxy.cuts}; answers: ${counted(answers)}`);

  await caughtUp(master, slave);
  await sameFiles(master, slave);
  await Promise.all([holds(master, acknowledged), holds(slave, acknowledged)]);
  await master.kill();
  await slave.kill();
  // The operator makes the slave the master.
  await using heir = await startRocketd({ role: "master", namesrvAddr, settings: SETTINGS, storeDir });
  await holds(heir, acknowledged);
  assertEquals(await heir.stop(), 0);
});
