/**
 * `rocketd bench`: measures a broker, ours or another.
 *
 * @module
 */
import { load, type LoadResult } from "../client/load.ts";
import { BENCH_BODY_BYTES, BENCH_BODY_BYTES_MAX, BENCH_CONNECTIONS_MAX, BENCH_IN_FLIGHT_MAX } from "../limits.ts";
import { HeaderEncoding, responseCodeName } from "../protocol/codes.ts";
import { clientOptions, SECURITY_FLAGS } from "./client_flags.ts";
import { type Command, UsageError } from "./command.ts";
import { print } from "./output.ts";

const ENCODINGS = { binary: HeaderEncoding.ROCKETMQ, json: HeaderEncoding.JSON } as const;

/** Measures sends. */
export const bench: Command = {
  name: "bench",
  summary: "Measure how fast a broker takes messages",
  operands: "send",
  flags: [
    { name: "broker", short: "b", value: "HOST:PORT", help: "the broker itself, not a nameserver", required: true },
    { name: "topic", short: "t", value: "TOPIC", help: "where to send (Bench); brokers create it if they may" },
    { name: "connections", value: "N", help: "connections (4)" },
    { name: "in-flight", value: "N", help: "requests in flight on each connection (64)" },
    { name: "size", value: "BYTES", help: `body of a message (${BENCH_BODY_BYTES})` },
    { name: "encoding", value: "binary|json", help: "the form of the headers (binary)" },
    { name: "seconds", value: "S", help: "how long (10)" },
    { name: "json", help: "print the result as one JSON object" },
    ...SECURITY_FLAGS,
  ],
  notes: ["Latencies are from the write of a request to the read of its answer. Ends with 1 when a send was refused."],
  run: async (args) => {
    if (args.operands.length !== 1 || args.operands[0] !== "send") {
      throw new UsageError("expected what to measure: send");
    }
    const encoding = args.text("encoding") ?? "binary";
    if (encoding !== "binary" && encoding !== "json") {
      throw new UsageError(`--encoding ${JSON.stringify(encoding)}: expected binary or json`);
    }
    const result = await load({
      broker: args.text("broker")!,
      topic: args.text("topic") ?? "Bench",
      connections: args.int("connections", { min: 1, max: BENCH_CONNECTIONS_MAX }) ?? 4,
      inFlight: args.int("in-flight", { min: 1, max: BENCH_IN_FLIGHT_MAX }) ?? 64,
      bodyBytes: args.int("size", { min: 1, max: BENCH_BODY_BYTES_MAX }) ?? BENCH_BODY_BYTES,
      encoding: ENCODINGS[encoding],
      seconds: args.int("seconds", { min: 1 }) ?? 10,
      ...await clientOptions(args),
    });
    await print(args.has("json") ? JSON.stringify(result) + "\n" : describe(result));
    return Object.keys(result.failed).length === 0 ? 0 : 1;
  },
};

function describe({ answered, failed, seconds, perSecond, p50, p99, p999 }: LoadResult): string {
  const refused = Object.entries(failed).map(([code, count]) =>
    `  refused ${count}: ${responseCodeName(Number(code))}\n`
  );
  return `${Math.round(perSecond)} a second: ${answered} in ${seconds.toFixed(1)} s, ` +
    `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, p99.9 ${p999.toFixed(2)} ms\n${refused.join("")}`;
}
