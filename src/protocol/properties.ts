/**
 * The properties text of a message: `name` 0x01 `value` 0x02 `name` 0x01 `value` …, with or without a last 0x02
 * (RocketMQ 4.9.1+ writes none). A piece counts only when both its name and its value have at least one character; of
 * equal names the last wins.
 *
 * @module
 */
import { PROPERTIES_BYTES_MAX } from "../limits.ts";
import { UTF8_BYTES_PER_UNIT } from "./byte_writer.ts";

const encoder = new TextEncoder();

/** The names RocketMQ 4.9.7 itself uses (`MessageConst`). */
export const PropertyName = {
  KEYS: "KEYS",
  TAGS: "TAGS",
  WAIT: "WAIT",
  DELAY: "DELAY",
  RETRY_TOPIC: "RETRY_TOPIC",
  REAL_TOPIC: "REAL_TOPIC",
  REAL_QID: "REAL_QID",
  TRAN_MSG: "TRAN_MSG",
  PGROUP: "PGROUP",
  MIN_OFFSET: "MIN_OFFSET",
  MAX_OFFSET: "MAX_OFFSET",
  BUYER_ID: "BUYER_ID",
  ORIGIN_MESSAGE_ID: "ORIGIN_MESSAGE_ID",
  TRANSFER_FLAG: "TRANSFER_FLAG",
  CORRECTION_FLAG: "CORRECTION_FLAG",
  MQ2_FLAG: "MQ2_FLAG",
  RECONSUME_TIME: "RECONSUME_TIME",
  MAX_RECONSUME_TIMES: "MAX_RECONSUME_TIMES",
  MSG_REGION: "MSG_REGION",
  TRACE_ON: "TRACE_ON",
  UNIQ_KEY: "UNIQ_KEY",
  CONSUME_START_TIME: "CONSUME_START_TIME",
  TRAN_PREPARED_QUEUE_OFFSET: "TRAN_PREPARED_QUEUE_OFFSET",
  TRANSACTION_CHECK_TIMES: "TRANSACTION_CHECK_TIMES",
  CHECK_IMMUNITY_TIME_IN_SECONDS: "CHECK_IMMUNITY_TIME_IN_SECONDS",
  INSTANCE_ID: "INSTANCE_ID",
  CORRELATION_ID: "CORRELATION_ID",
  REPLY_TO_CLIENT: "REPLY_TO_CLIENT",
  TTL: "TTL",
  ARRIVE_TIME: "ARRIVE_TIME",
  PUSH_REPLY_TIME: "PUSH_REPLY_TIME",
  MSG_TYPE: "MSG_TYPE",
  CLUSTER: "CLUSTER",
} as const;

/** Between a name and its value. */
export const NAME_VALUE_SEPARATOR = "\u0001";
/** Between two properties. */
export const PROPERTY_SEPARATOR = "\u0002";

/** All properties of a text, in its order. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf(PROPERTY_SEPARATOR, start);
    if (end < 0) end = text.length;
    const middle = text.indexOf(NAME_VALUE_SEPARATOR, start);
    if (middle > start && middle < end - 1) properties.set(text.slice(start, middle), text.slice(middle + 1, end));
    start = end + 1;
  }
  return properties;
}

/** The value of one property, or undefined; without making a map. */
export function propertyOf(text: string, name: string): string | undefined {
  // The last of equal names wins, so the search runs from the end.
  let from = text.length;
  while (from >= 0) {
    const at = text.lastIndexOf(name, from);
    if (at < 0) return undefined;
    const middle = at + name.length;
    if (text.charCodeAt(middle) === 1 && (at === 0 || text.charCodeAt(at - 1) === 2)) {
      let end = text.indexOf(PROPERTY_SEPARATOR, middle);
      if (end < 0) end = text.length;
      if (end > middle + 1) return text.slice(middle + 1, end);
    }
    from = at - 1;
  }
  return undefined;
}

/** The text of some properties, as RocketMQ 4.9.1+ writes it: without a last 0x02. Empty names and values are left out. */
export function formatProperties(properties: Iterable<readonly [string, string]>): string {
  let text = "";
  for (const [name, value] of properties) {
    if (name === "" || value === "") continue;
    if (text !== "") text += PROPERTY_SEPARATOR;
    text += name + NAME_VALUE_SEPARATOR + value;
  }
  return text;
}

/** Why no record can have these properties; undefined when one can. */
export function propertiesProblem(text: string): string | undefined {
  if (text.length * UTF8_BYTES_PER_UNIT <= PROPERTIES_BYTES_MAX) return undefined;
  const bytes = encoder.encode(text).length;
  return bytes <= PROPERTIES_BYTES_MAX
    ? undefined
    : `properties have ${bytes} bytes, allowed are ${PROPERTIES_BYTES_MAX}`;
}

/** The text without any property of this name. */
export function dropProperty(text: string, name: string): string {
  const prefix = name + NAME_VALUE_SEPARATOR;
  const at = text.indexOf(prefix);
  if (at < 0) return text;
  const isOnly = text.indexOf(prefix, at + 1) < 0;
  if (isOnly && (at === 0 || text.charCodeAt(at - 1) === 2)) {
    const end = text.indexOf(PROPERTY_SEPARATOR, at);
    if (end < 0) return text.slice(0, Math.max(at - 1, 0));
    return at === 0 ? text.slice(end + 1) : text.slice(0, at) + text.slice(end + 1);
  }
  return text.split(PROPERTY_SEPARATOR).filter((piece) => !piece.startsWith(prefix)).join(PROPERTY_SEPARATOR);
}

/** The text with this property last, in place of any other of its name; nothing stands behind its value. */
export function withProperty(text: string, name: string, value: string): string {
  const property = name + NAME_VALUE_SEPARATOR + value;
  const kept = dropProperty(text, name);
  if (kept === "") return property;
  return kept.endsWith(PROPERTY_SEPARATOR) ? kept + property : kept + PROPERTY_SEPARATOR + property;
}
