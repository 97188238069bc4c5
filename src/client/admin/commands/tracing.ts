/**
 * The way of a message as clients with tracing have told it. A trace is lines of fields, as `TraceDataEncoder` of
 * RocketMQ 4.9.7 writes them.
 *
 * @module
 */
import { NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from "../../../protocol/properties.ts";
import { SystemTopic } from "../../../protocol/names.ts";
import type { ReceivedMessage } from "../../message.ts";
import { reads } from "../command.ts";
import { messagesByKey } from "../messages.ts";
import { text } from "../options.ts";
import { column, result, type Row, table } from "../result.ts";

const columns = {
  type: column("TYPE", "text"),
  group: column("GROUP", "text"),
  client: column("CLIENT", "text"),
  time: column("TIME", "time"),
  ms: column("TOOK", "ms"),
  status: column("STATUS", "text"),
} as const;
const traceTable = table("traces", columns);
const TRACES_MAX = 64;

type Trace = Pick<ReceivedMessage, "bornHost" | "text">;

/** What a trace tells of one message: when it was sent, and when each group had it. */
export function traceRows(id: string, trace: Trace): Row<typeof columns>[] {
  return trace.text().split(PROPERTY_SEPARATOR).map((line) => line.split(NAME_VALUE_SEPARATOR)).flatMap((fields) => {
    const row = traceRow(id, fields, trace);
    return row === undefined ? [] : [row];
  });
}

function traceRow(id: string, fields: readonly string[], trace: Trace): Row<typeof columns> | undefined {
  const status = (word: string | undefined) => word === "true" ? "success" : "failed";
  switch (fields[0]) {
    case "Pub": {
      const [, time, , group = null, , msgId, , , , , ms] = fields;
      if (msgId !== id) return undefined;
      // The offset id came before the status in later versions, the client's address after it.
      const ok = fields.length === 13 ? fields[12] : fields[13];
      return { type: "Pub", group, client: trace.bornHost, time: Number(time), ms: Number(ms), status: status(ok) };
    }
    case "SubAfter": {
      const [, , msgId, ms, ok, , , time, group = null] = fields;
      if (msgId !== id) return undefined;
      return {
        type: "Sub",
        group,
        client: trace.bornHost,
        time: time === undefined ? null : Number(time),
        ms: Number(ms),
        status: status(ok),
      };
    }
    default:
      return undefined;
  }
}

const queryMsgTraceById = reads({
  name: "queryMsgTraceById",
  area: "messages",
  summary: "Show who sent a message and who consumed it, if its clients trace",
  options: {
    msgId: text({ short: "i", value: "ID", required: true, help: "the id that its producer gave it" }),
    traceTopic: text({
      short: "t",
      value: "TOPIC",
      otherwise: SystemTopic.TRACE as string,
      help: `where traces are (${SystemTopic.TRACE})`,
    }),
  },
  run: async (admin, { msgId, traceTopic }) => {
    const query = { topic: traceTopic, key: msgId, limit: TRACES_MAX, unique: false };
    const found = await admin.each(await admin.readersOf(traceTopic), (broker) => messagesByKey(admin, broker, query));
    const rows = found.rows.flatMap((trace) => traceRows(msgId, trace));
    return result(traceTable(rows.sort((a, b) => (a.time ?? 0) - (b.time ?? 0))), found.failures);
  },
});

/** Commands that show traces. */
export const TRACING_COMMANDS = [queryMsgTraceById];
