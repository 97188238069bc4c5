/**
 * Rows with producers as programs use them: the official Java one against both brokers, and ours beside it. Each is one
 * process that stays, and is warm before the first round.
 *
 * @module
 */
import { TextLineStream } from "../../../src/std.ts";
import { classPath } from "../../../tests/java.ts";
import { openCluster } from "./cluster.ts";
import { costOf, type Place } from "./load.ts";
import type { Chapter, Row, Sample, Scene, Side } from "./model.ts";
import { script, spawn } from "./processes.ts";

const IN_FLIGHT = 64, BODY_BYTES = 1024, TOPIC = "Bench";

type Encoding = "json" | "binary";
type Way = "sync" | "async";

/** What a client prints of a round: see our_producer.ts. Latencies in ms. */
interface Round {
  readonly answered: number;
  readonly failed: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** A client's process: takes orders on its standard input, and answers each with a line. */
class Client implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncIterator<string>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdin: "piped", stdout: "piped" });
    this.#orders = this.#child.stdin.getWriter();
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    this.#answers = lines[Symbol.asyncIterator]();
  }

  async run(way: Way, seconds: number): Promise<Round> {
    await this.#orders.write(new TextEncoder().encode(`${way} ${seconds}\n`));
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("a client ended instead of sending");
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close().catch(() => {});
    await this.#child.status;
  }
}

function argumentsFor(nameserver: string): string[] {
  return [nameserver, TOPIC, String(IN_FLIGHT), String(BODY_BYTES)];
}

async function javaClient(nameserver: string, encoding: Encoding): Promise<Client> {
  return new Client("java", [
    `-Drocketmq.serialize.type=${encoding === "binary" ? "ROCKETMQ" : "JSON"}`,
    "-cp",
    await classPath("client-4.9.7"),
    new URL("JavaProducer.java", import.meta.url).pathname,
    ...argumentsFor(nameserver),
  ]);
}

function ourClient(nameserver: string, encoding: Encoding): Client {
  return new Client(Deno.execPath(), script("our_producer.ts", ...argumentsFor(nameserver), encoding));
}

interface Producing extends Place {
  readonly clients: ReadonlyMap<Encoding, Client>;
}

const ENCODINGS: readonly Encoding[] = ["json", "binary"];

/** A cluster of `broker`'s side with a producer of `client`'s, for each form of headers. */
async function open(scene: Scene, broker: Side, client: Side): Promise<Producing> {
  const place = await openCluster(scene, {}, broker);
  const clients = new Map<Encoding, Client>();
  for (const encoding of ENCODINGS) {
    const { address } = place.nameserver;
    const one = client === "java" ? await javaClient(address, encoding) : ourClient(address, encoding);
    clients.set(encoding, scene.stack.use(one));
    if (scene.options.warm > 0) await one.run("async", Math.max(1, Math.round(scene.options.warm / 3)));
  }
  return { ...place, clients };
}

function figures({ answered, failed, seconds, p50, p99, cpuSeconds }: Round): Sample {
  return { rate: answered / seconds, p50, p99, failed, client: cpuSeconds / seconds };
}

/** The official producer: what counts is the broker. */
function officialRow(encoding: Encoding): Row<Producing> {
  return {
    name: `official-${encoding}`,
    title: `official Java producer, ${encoding} headers, 1 KiB, ${IN_FLIGHT} in flight`,
    shows: ["rate", "cpuMicros"],
    measure: async (place, seconds) => {
      const { result, cost } = await costOf(place, async () => {
        const round = await place.clients.get(encoding)!.run("async", seconds);
        return { ...round, messages: round.answered, clientCpuSeconds: round.cpuSeconds };
      });
      return { ...figures(result), ...cost };
    },
  };
}

/** Producers beside each other: CPU is theirs. Ours has but one way. */
function producerRow(encoding: Encoding, way: Way, where: string): Row<Producing> {
  const besides = way === "sync" ? `as ${IN_FLIGHT} threads` : "asynchronous";
  return {
    name: `producer-${encoding}-${way}${where}`,
    title:
      `producers of programs, ${encoding} headers, ${IN_FLIGHT} in flight, Java's ${besides} (CPU: the producer's)`,
    shows: ["rate", "p99", "cpuMicros"],
    measure: async ({ clients }, seconds) => {
      const round = await clients.get(encoding)!.run(way, seconds);
      return { ...figures(round), cpuSeconds: round.cpuSeconds, cpuMicros: round.cpuSeconds / round.answered * 1e6 };
    },
  };
}

function producers(broker: Side, where: string): Chapter<Producing> {
  return {
    name: `producers${where}`,
    sides: ["java", "rocketd"],
    extra: where !== "",
    open: (scene) => open(scene, broker, scene.side),
    rows: ENCODINGS.flatMap((encoding) => (["async", "sync"] as const).map((way) => producerRow(encoding, way, where))),
  };
}

/** All rows with producers of programs. */
export const PRODUCERS: readonly Chapter<Producing>[] = [
  { name: "official", open: (scene) => open(scene, scene.side, "java"), rows: ENCODINGS.map(officialRow) },
  producers("rocketd", ""),
  producers("java", "-on-java"),
];
