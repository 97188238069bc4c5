/**
 * `rocketd consume`: prints the messages of a topic, as a member of a group.
 *
 * @module
 */
import { LitePullConsumer, type ReceivedMessage } from "../client/mod.ts";
import { setup } from "../logging/mod.ts";
import { CLIENT_FLAGS, clientOptions, nameserversOf } from "./client_flags.ts";
import { type Command, UsageError } from "./command.ts";
import { complain, print } from "./output.ts";
import { Progress } from "./progress.ts";

/** Consumes messages. */
export const consume: Command = {
  name: "consume",
  summary: "Print the messages of a topic, one a line",
  flags: [
    { name: "topic", short: "t", value: "TOPIC", help: "what to read", required: true },
    { name: "group", short: "g", value: "GROUP", help: "the consumer group, which keeps its place", required: true },
    { name: "tag", value: "EXPR", help: "only these tags, joined by || (all of them by default)" },
    { name: "from", value: "first|last", help: "where a group begins that has no place yet (first)" },
    { name: "count", value: "N", help: "end after this many messages" },
    { name: "timeout", value: "MS", help: "end when no message came for this long" },
    { name: "json", help: "print each message with all its fields, one JSON object a line" },
    ...CLIENT_FLAGS,
  ],
  notes: ["Runs until Ctrl-C without --count and --timeout. Ends with 1 when --count messages did not come in time."],
  run: async (args) => {
    const from = args.text("from") ?? "first";
    if (from !== "first" && from !== "last") {
      throw new UsageError(`--from ${JSON.stringify(from)}: expected first or last`);
    }
    const count = args.int("count", { min: 1 }) ?? Infinity;
    const timeoutMs = args.int("timeout", { min: 1, max: 0x7fff_ffff });
    await setup({ level: "warn" });
    await using consumer = new LitePullConsumer({
      nameservers: nameserversOf(args),
      ...await clientOptions(args),
      group: args.text("group")!,
      subscriptions: { [args.text("topic")!]: args.text("tag") ?? "*" },
      from,
    });
    const line = args.has("json") ? jsonLine : (message: ReceivedMessage) => message.text() + "\n";
    const got = await printAll(consumer, count, timeoutMs, line);
    if (got === undefined || count === Infinity || got === count) return 0;
    await complain(`rocketd consume: ${got} of ${count} messages came within ${timeoutMs} ms of each other\n`);
    return 1;
  },
};

/** Gives how many were printed; undefined when nobody reads them any more. */
async function printAll(
  consumer: LitePullConsumer,
  count: number,
  timeoutMs: number | undefined,
  line: (message: ReceivedMessage) => string,
): Promise<number | undefined> {
  let got = 0;
  let lastAt = Date.now();
  const end = () => void consumer.close();
  const watch = timeoutMs === undefined
    ? undefined
    : setInterval(() => Date.now() - lastAt >= timeoutMs && end(), Math.min(timeoutMs, 100));
  Deno.addSignalListener("SIGINT", end);
  Deno.addSignalListener("SIGTERM", end);
  using progress = new Progress(() => `${got} received`);
  try {
    for await (const message of consumer) {
      // What nobody has read is not acknowledged: the group gets it again.
      if (!await print(line(message))) return undefined;
      lastAt = Date.now();
      consumer.acknowledge();
      if (++got >= count) break;
    }
  } finally {
    clearInterval(watch);
    Deno.removeSignalListener("SIGINT", end);
    Deno.removeSignalListener("SIGTERM", end);
    await progress.stop();
  }
  return got;
}

function jsonLine(message: ReceivedMessage): string {
  const { topic, brokerName, queueId, queueOffset, tag, keys, uniqueKey, offsetMessageId } = message;
  const { bornTimestamp, storeTimestamp, bornHost, reconsumeTimes } = message;
  return JSON.stringify({
    topic,
    brokerName,
    queueId,
    queueOffset,
    tag,
    keys,
    uniqueKey,
    offsetMessageId,
    bornTimestamp,
    storeTimestamp,
    bornHost,
    reconsumeTimes,
    properties: Object.fromEntries(message.properties),
    body: message.text(),
  }) + "\n";
}
