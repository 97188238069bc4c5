/**
 * Our producer under load, the counterpart of JavaProducer.java:
 * `our_producer.ts NAMESERVER TOPIC IN_FLIGHT BODY_BYTES json|binary`. For each line `async SECONDS` of standard input it
 * sends for that long, and prints one line of JSON. Latencies are in ms.
 *
 * @module
 */
import process from "node:process";
import { Producer } from "../../../src/client/producer/producer.ts";
import { HeaderEncoding } from "../../../src/protocol/codes.ts";
import { TextLineStream } from "../../../src/std.ts";

const MICROSECONDS_MAX = 1_000_000;
const [nameservers = "", topic = "", inFlight = "", bodyBytes = "", form = ""] = Deno.args;
const encoding = form === "binary" ? HeaderEncoding.ROCKETMQ : HeaderEncoding.JSON;
const body = new Uint8Array(Number(bodyBytes));

async function run(producer: Producer, forMs: number): Promise<Record<string, number>> {
  const latencies = new Uint32Array(MICROSECONDS_MAX + 1);
  let answered = 0, failed = 0;
  const cpu = process.cpuUsage(), started = performance.now();
  const loop = async () => {
    for (let began = performance.now(); began < started + forMs; began = performance.now()) {
      try {
        const { status } = await producer.send({ topic, body });
        if (status === "SEND_OK") answered++;
        else failed++;
        latencies[Math.min(MICROSECONDS_MAX, Math.trunc((performance.now() - began) * 1000))]!++;
      } catch {
        failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: Number(inFlight) }, loop));
  const { user, system } = process.cpuUsage(cpu);
  const quantile = (share: number) => {
    let left = answered * share;
    return latencies.findIndex((count) => (left -= count) <= 0) / 1000;
  };
  const seconds = (performance.now() - started) / 1000, cpuSeconds = (user + system) / 1e6;
  return { answered, failed, seconds, cpuSeconds, p50: quantile(0.5), p99: quantile(0.99) };
}

await using producer = new Producer({ nameservers, encoding });
for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
  const result = await run(producer, Number(line.split(" ")[1]) * 1000);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result) + "\n"));
}
