/**
 * `rocketd produce`: sends messages from the shell, many at once.
 *
 * @module
 */
import { type OutgoingMessage, Producer, type SendResult } from "../client/mod.ts";
import { messageOf } from "../errors.ts";
import { setup } from "../logging/mod.ts";
import { TextLineStream } from "../std.ts";
import { CLIENT_FLAGS, clientOptions, nameserversOf } from "./client_flags.ts";
import type { Command } from "./command.ts";
import { complain, print } from "./output.ts";
import { Progress } from "./progress.ts";

/** Sends that wait for their answer at the same time. */
const IN_FLIGHT = 256;

/** Sends messages. */
export const produce: Command = {
  name: "produce",
  summary: "Send messages: the arguments, or each line of standard input",
  operands: "[MESSAGE...]",
  flags: [
    { name: "topic", short: "t", value: "TOPIC", help: "where to send them", required: true },
    { name: "tag", value: "TAG", help: "the tag of each message" },
    { name: "key", value: "KEY", help: "a key of each message", repeats: true },
    { name: "json", help: "print for each message where it was stored, one JSON object a line" },
    ...CLIENT_FLAGS,
  ],
  notes: ["Ends with 1 when a message could not be sent; those before it are stored."],
  run: async (args) => {
    await setup({ level: "warn" });
    const tag = args.text("tag");
    const keys = args.all("key");
    const base = { topic: args.text("topic")!, ...(tag === undefined ? {} : { tag }), keys };
    await using producer = new Producer({ nameservers: nameserversOf(args), ...await clientOptions(args) });
    const bodies = args.operands.length > 0 ? args.operands : linesOf(Deno.stdin.readable);
    return await sendAll(producer, base, bodies, args.has("json"));
  },
};

/** The lines of a stream of bytes. */
export function linesOf(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<string> {
  return bytes.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
}

async function sendAll(
  producer: Pick<Producer, "send">,
  base: Omit<OutgoingMessage, "body">,
  bodies: Iterable<string> | AsyncIterable<string>,
  json: boolean,
): Promise<number> {
  const started = performance.now();
  let taken = 0, sent = 0;
  let failure: string | undefined;
  const inFlight = new Set<Promise<void>>();
  const sendOne = async (body: string) => {
    const nth = ++taken;
    try {
      const result = await producer.send({ ...base, body });
      sent++;
      if (json) await print(resultLine(result));
    } catch (error) {
      failure ??= `message ${nth}: ${messageOf(error)}`;
    }
  };
  const rate = () => `${sent} sent, ${Math.round(sent / (performance.now() - started) * 1000)} a second`;
  using progress = new Progress(rate);
  for await (const body of bodies) {
    const sending = sendOne(body).finally(() => inFlight.delete(sending));
    inFlight.add(sending);
    if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    if (failure !== undefined) break;
  }
  await Promise.all(inFlight);
  await progress.stop();
  if (failure === undefined) return 0;
  await complain(`rocketd produce: ${failure}\n`);
  return 1;
}

function resultLine({ status, uniqueKey, offsetMessageId, queue, queueOffset }: SendResult): string {
  const { topic, brokerName, queueId } = queue;
  return JSON.stringify({ status, topic, brokerName, queueId, queueOffset, uniqueKey, offsetMessageId }) + "\n";
}
