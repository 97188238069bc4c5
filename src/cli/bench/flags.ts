/**
 * The flags of `rocketd bench`, each declared once: which measurements have it, its bounds, and its value when it is not
 * given.
 *
 * @module
 */
import { LOAD_KINDS, type LoadKind, type LoadOptions, MARK_BYTES } from "../../client/load/mod.ts";
import {
  BENCH_BODY_BYTES,
  BENCH_BODY_BYTES_MAX,
  BENCH_CONNECTIONS_MAX,
  BENCH_IN_FLIGHT_MAX,
  PULL_MESSAGES_AT_ONCE,
  PULL_MESSAGES_MAX,
  SEND_BYTES_MAX,
  TOPIC_QUEUES_MAX,
} from "../../limits.ts";
import { HeaderEncoding } from "../../protocol/codes.ts";
import { checkGroup, checkTopic } from "../../protocol/names.ts";
import { clientOptions, nameserversOf, NAMESRV_FLAG, SECURITY_FLAGS } from "../client_flags.ts";
import { type Args, type Flag, UsageError } from "../command.ts";

const ENCODINGS = { binary: HeaderEncoding.ROCKETMQ, json: HeaderEncoding.JSON } as const;
const SECONDS = 10, E2E_RATE = 1_000;
const SECONDS_MAX = 1_000_000, RATE_MAX = 10_000_000;
/** `sendMsgTimeout` of Java's producers. */
const TIMEOUT_MS = 3_000;
const TIMEOUT_MS_MAX = 1_000_000;
const DELAY_LEVELS_MAX = 1_000;

/** A flag, and the measurements that have it (all of them without `kinds`). */
interface BenchFlag extends Flag {
  readonly kinds?: readonly LoadKind[];
}

/** A flag whose value is a whole number. */
interface NumberFlag {
  readonly min: number;
  readonly max?: number;
  /** Its value when it is not given. */
  readonly usual?: number;
  /** The same for one measurement alone. */
  readonly usualFor?: Partial<Record<LoadKind, number>>;
  readonly value?: string;
  readonly help: string;
  readonly kinds?: readonly LoadKind[];
}

const NUMBERS = {
  connections: { min: 1, max: BENCH_CONNECTIONS_MAX, usual: 4, help: "connections, each as of a client of its own" },
  "in-flight": { min: 1, max: BENCH_IN_FLIGHT_MAX, usual: 64, help: "requests in flight on each connection" },
  queues: { min: 1, max: TOPIC_QUEUES_MAX, help: "spread over so many queues (all that the topic has)" },
  seconds: {
    min: 1,
    max: SECONDS_MAX,
    value: "S",
    help: `how long (${SECONDS}, or without end if --messages is given)`,
  },
  messages: { min: 1, help: "end after so many messages" },
  timeout: {
    min: 1,
    max: TIMEOUT_MS_MAX,
    usual: TIMEOUT_MS,
    value: "MS",
    help: "how long to wait for the last answers",
  },
  rate: {
    min: 0,
    max: RATE_MAX,
    usual: 0,
    usualFor: { e2e: E2E_RATE },
    help: "messages a second; latency counts from when each is due; 0: as fast as it goes",
    kinds: ["send", "batch", "e2e"],
  },
  size: {
    min: 1,
    max: BENCH_BODY_BYTES_MAX,
    usual: BENCH_BODY_BYTES,
    value: "BYTES",
    help: "body of a message",
    kinds: ["send", "batch", "e2e"],
  },
  "batch-size": { min: 1, max: PULL_MESSAGES_MAX, usual: 32, help: "messages in a batch", kinds: ["batch"] },
  "delay-level": {
    min: 0,
    max: DELAY_LEVELS_MAX,
    usual: 0,
    help: "send with this delay level, whose time is part of e2e's latency",
    kinds: ["send", "e2e"],
  },
  max: {
    min: 1,
    max: PULL_MESSAGES_MAX,
    usual: PULL_MESSAGES_AT_ONCE,
    help: "messages that one pull asks for",
    kinds: ["pull", "e2e"],
  },
  drain: {
    min: 0,
    max: SECONDS_MAX,
    usual: SECONDS,
    value: "S",
    help: "how long to wait for messages that are still missing after the last send",
    kinds: ["e2e"],
  },
} satisfies Record<string, NumberFlag>;

type NumberName = keyof typeof NUMBERS;

const FLAGS: readonly BenchFlag[] = [
  { ...NAMESRV_FLAG, aliases: [...NAMESRV_FLAG.aliases ?? [], "namesrv-addr"] },
  { name: "broker", short: "b", value: "HOST:PORT", help: "this broker alone, without nameservers" },
  { name: "topic", short: "t", value: "TOPIC", help: "the topic (Bench); brokers create it if they may" },
  { name: "group", short: "g", value: "GROUP", help: "the group as which to send and pull (rocketd_bench)" },
  ...Object.entries<NumberFlag>(NUMBERS).map(([name, { value = "N", help, kinds }]) => {
    return { name, value, help, ...(kinds && { kinds }) };
  }),
  {
    name: "wait-store",
    value: "true|false",
    help: "whether answers wait for disk and slaves, where the broker's settings say so (true)",
    kinds: ["send", "batch", "e2e"],
  },
  {
    name: "from",
    value: "first|last|OFFSET",
    words: ["first", "last"],
    help: "where to begin in each queue; last: read what comes from now on, until the time is over (first)",
    kinds: ["pull"],
  },
  { name: "encoding", value: "binary|json", help: "the form of the headers (binary)" },
  { name: "json", help: "print the result as one JSON object" },
  { name: "progress", help: "tell every 5 seconds how it goes, also where standard error is no terminal" },
  { name: "quiet", help: "do not tell how it goes" },
  ...SECURITY_FLAGS,
];

/** The flags of one measurement, whose help tells what they are when not given. */
export function flagsOf(kind: LoadKind): Flag[] {
  return FLAGS.filter(({ kinds = LOAD_KINDS }) => kinds.includes(kind)).map((flag) => {
    const usual = isNumber(flag.name) ? usualOf(flag.name, kind) : undefined;
    return usual === undefined ? flag : { ...flag, help: `${flag.help} (${usual})` };
  });
}

function isNumber(name: string): name is NumberName {
  return Object.hasOwn(NUMBERS, name);
}

function usualOf(name: NumberName, kind: LoadKind): number | undefined {
  const { usual, usualFor }: NumberFlag = NUMBERS[name];
  return usualFor?.[kind] ?? usual;
}

/** What to measure, as the flags say. Rejects with {@linkcode UsageError}. */
export async function optionsOf(kind: LoadKind, args: Args): Promise<LoadOptions> {
  const number = (name: NumberName): number | undefined => {
    const bounds: NumberFlag = NUMBERS[name];
    return args.int(name, bounds) ?? usualOf(name, kind);
  };
  const [broker, messages] = [args.text("broker"), number("messages")];
  if (broker !== undefined && args.has(NAMESRV_FLAG.name)) {
    throw new UsageError(`--broker and --${NAMESRV_FLAG.name} exclude each other`);
  }
  const from = fromOf(args);
  const endsItself = messages !== undefined || (kind === "pull" && from !== "last");
  const options: LoadOptions = {
    kind,
    target: broker === undefined ? { nameservers: nameserversOf(args) } : { broker },
    topic: named(args, "topic", "Bench", checkTopic),
    group: named(args, "group", "rocketd_bench", checkGroup),
    connections: number("connections")!,
    inFlight: number("in-flight")!,
    encoding: ENCODINGS[oneOf(args, "encoding", ["binary", "json"])],
    queues: number("queues"),
    seconds: number("seconds") ?? (endsItself ? undefined : SECONDS),
    messages,
    rate: number("rate")!,
    bodyBytes: number("size")!,
    batchSize: number("batch-size")!,
    waitStored: oneOf(args, "wait-store", ["true", "false"]) === "true",
    delayLevel: number("delay-level")!,
    from,
    pullMax: number("max")!,
    drainSeconds: number("drain")!,
    timeoutMs: number("timeout")!,
    ...await clientOptions(args),
  };
  check(options);
  return options;
}

function check({ kind, bodyBytes, batchSize }: LoadOptions): void {
  if (kind === "e2e" && bodyBytes < MARK_BYTES) {
    throw new UsageError(`--size ${bodyBytes}: e2e needs at least ${MARK_BYTES}, to number its messages`);
  }
  if (kind === "batch" && bodyBytes * batchSize > SEND_BYTES_MAX) {
    throw new UsageError(`--size ${bodyBytes} --batch-size ${batchSize}: a batch may have ${SEND_BYTES_MAX} bytes`);
  }
}

function oneOf<W extends string>(args: Args, name: string, words: readonly [W, ...W[]]): W {
  const given = args.text(name) ?? words[0];
  const word = words.find((one) => one === given);
  if (word !== undefined) return word;
  throw new UsageError(`--${name} ${JSON.stringify(given)}: expected ${words.join(" or ")}`);
}

function fromOf(args: Args): "first" | "last" | number {
  const from = args.text("from") ?? "first";
  if (from === "first" || from === "last") return from;
  if (/^\d{1,15}$/.test(from)) return Number(from);
  throw new UsageError(`--from ${JSON.stringify(from)}: expected first, last or an offset`);
}

function named(args: Args, name: string, usual: string, problemOf: (text: string) => string | undefined): string {
  const text = args.text(name) ?? usual;
  const problem = problemOf(text);
  if (problem !== undefined) throw new UsageError(`--${name}: ${problem}`);
  return text;
}
