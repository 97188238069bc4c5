/**
 * Measures our producer beside the official Java one of 4.9.7, each with 64 sends in flight to the same broker, in rounds
 * that alternate. Each client is one process that stays, and is warm before the first round.
 *
 * @module
 */
import { parseArgs, TextLineStream } from "../src/std.ts";
import { classPath } from "../tests/java.ts";
import { startJavaBroker, startRocketd } from "../tests/launch.ts";
import { JVM, median, print, say } from "./lib/bench.ts";

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds", "warm", "broker", "encoding"] });
const rounds = Number(flags.rounds ?? 5), seconds = Number(flags.seconds ?? 4), warm = Number(flags.warm ?? 10);
const IN_FLIGHT = 64, BODY_BYTES = 1024, TOPIC = "Bench";

type Encoding = "json" | "binary";

/** What a client prints of a round: see our_producer.ts. Latencies in ms. */
interface Result {
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

  constructor(command: string, args: string[]) {
    this.#child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    this.#answers = lines[Symbol.asyncIterator]();
  }

  async run(how: string, forSeconds: number): Promise<Result> {
    await this.#orders.write(new TextEncoder().encode(`${how} ${forSeconds}\n`));
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("a client ended instead of sending");
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close().catch(() => {});
    await this.#child.status;
  }
}

/** One line of the table. */
interface Subject {
  readonly name: string;
  readonly client: Client;
  readonly how: "sync" | "async";
  readonly encoding: Encoding;
  readonly isOurs: boolean;
  readonly results: Result[];
}

async function subjectsOf(nameserver: string, encoding: Encoding, stack: AsyncDisposableStack): Promise<Subject[]> {
  const args = [nameserver, TOPIC, String(IN_FLIGHT), String(BODY_BYTES)];
  const path = (name: string) => new URL(`lib/${name}`, import.meta.url).pathname;
  const serialize = encoding === "binary" ? "ROCKETMQ" : "JSON";
  const java = stack.use(
    new Client("java", [
      `-Drocketmq.serialize.type=${serialize}`,
      "-cp",
      await classPath("client-4.9.7"),
      path("JavaProducer.java"),
      ...args,
    ]),
  );
  const ours = stack.use(
    new Client(Deno.execPath(), [
      "run",
      "--quiet",
      "--no-check",
      "--allow-all",
      "--config",
      new URL("../deno.json", import.meta.url).pathname,
      path("our_producer.ts"),
      ...args,
      encoding,
    ]),
  );
  const subject = (name: string, client: Client, how: Subject["how"]): Subject => {
    return { name: `${name} ${encoding}`, client, how, encoding, isOurs: client === ours, results: [] };
  };
  return [subject("java sync", java, "sync"), subject("java async", java, "async"), subject("ours", ours, "async")];
}

async function startCluster(broker: string, stack: AsyncDisposableStack): Promise<string> {
  if (broker !== "java" && broker !== "rocketd") throw new Error(`--broker ${broker}: allowed are rocketd and java`);
  const nameserver = stack.use(await startRocketd({ role: "nameserver" }));
  const options = { namesrvAddr: nameserver.address };
  if (broker === "java") stack.use(await startJavaBroker({ ...options, jvm: JVM }));
  else stack.use(await startRocketd({ role: "master", ...options }));
  return nameserver.address;
}

const cpuMicros = ({ cpuSeconds, answered }: Result) => cpuSeconds / answered * 1e6;
const perSecond = ({ answered, seconds }: Result) => answered / seconds;

/** Of each round, `value` for this subject by the best one of Java's with the same header; least, middle, most. */
function ratio(
  subject: Subject,
  all: readonly Subject[],
  value: (one: Result) => number,
  best: typeof Math.max,
): string {
  if (!subject.isOurs) return "";
  const rivals = all.filter(({ encoding, isOurs }) => !isOurs && encoding === subject.encoding);
  const ratios = subject.results.map((own, i) => value(own) / best(...rivals.map(({ results }) => value(results[i]!))));
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
}

function table(all: readonly Subject[]): string[] {
  const row = ([name = "", ...cells]: string[], rates: string[]) =>
    [name.padEnd(18), ...cells.map((cell) => cell.padStart(10)), ...rates.map((cell) => cell.padStart(18))].join(" ");
  const names = ["client", "sends/s", "p50 ms", "p99 ms", "µs CPU", "failed"];
  return [
    row(names, ["rate ratio", "p50 ratio", "p99 ratio", "CPU ratio"]),
    ...all.map((subject) => {
      const mid = (value: (one: Result) => number) => median(subject.results.map(value));
      return row([
        subject.name,
        mid(perSecond).toFixed(0),
        mid(({ p50 }) => p50).toFixed(2),
        mid(({ p99 }) => p99).toFixed(2),
        mid(cpuMicros).toFixed(1),
        String(subject.results.reduce((sum, { failed }) => sum + failed, 0)),
      ], [
        ratio(subject, all, perSecond, Math.max),
        ratio(subject, all, ({ p50 }) => p50, Math.min),
        ratio(subject, all, ({ p99 }) => p99, Math.min),
        ratio(subject, all, cpuMicros, Math.min),
      ]);
    }),
  ];
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const nameserver = await startCluster(String(flags.broker ?? "rocketd"), stack);
  const subjects: Subject[] = [];
  for (const encoding of ["json", "binary"] as const) {
    if ((flags.encoding ?? encoding) === encoding) subjects.push(...await subjectsOf(nameserver, encoding, stack));
  }
  say(`warming each client for ${warm} s`);
  for (const { client, how } of subjects) await client.run(how, warm);
  for (let i = 0; i < rounds; i++) {
    for (const { name, client, how, results } of i % 2 === 0 ? subjects : [...subjects].reverse()) {
      const result = await client.run(how, seconds);
      results.push(result);
      say(`${name}: ${Math.round(perSecond(result))} a second, ${cpuMicros(result).toFixed(1)} µs CPU`);
    }
  }
  table(subjects).forEach(print);
}

await main();
