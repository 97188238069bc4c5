/**
 * The body of REGISTER_BROKER, plain and compressed. Compressed (since 4.3.0), one zlib stream of
 *
 *     body  = size version count { size topic } size filterServers      (sizes and count: int32)
 *     topic = "name readQueues writeQueues perm filterType"             (order and topicSysFlag are lost)
 *
 * @module
 */
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { messageOf, RocketdError } from "../../errors.ts";
import { FILTER_SERVERS_MAX, REGISTER_BYTES_MAX, ROUTE_TEXT_LENGTH_MAX, TOPICS_MAX } from "../../limits.ts";
import { ByteWriter } from "../byte_writer.ts";
import { MQVersion } from "../codes.ts";
import { fastJsonBytes, stringifyFastJson } from "../fastjson.ts";
import { decodeDataVersion, NO_VERSION } from "./data_version.ts";
import { decodeJson, int32, list, maybe, misfit, object, oneOf, text } from "./shape.ts";
import {
  queueCount,
  TOPIC_FILTER_TYPES,
  type TopicConfig,
  topicConfig,
  type TopicConfigTable,
  topicConfigTableShape,
} from "./topic_config.ts";

/** What a broker tells of itself beyond the header. */
export interface RegisterBrokerBody {
  readonly topicConfigSerializeWrapper: TopicConfigTable;
  readonly filterServerList: readonly string[];
}

const filterServersShape = list(text(), FILTER_SERVERS_MAX);
const emptyTable = (): TopicConfigTable => ({ dataVersion: NO_VERSION, topicConfigTable: new Map() });
const bodyShape = object({
  topicConfigSerializeWrapper: maybe(topicConfigTableShape, emptyTable),
  filterServerList: maybe(filterServersShape, () => []),
});

/** The checksum that travels in `bodyCrc32`. */
export function registerBodyCrc(bytes: Uint8Array): number {
  return crc32(bytes) & 0x7fff_ffff;
}

/** Writes the body. */
export function encodeRegisterBroker(body: RegisterBrokerBody, compressed: boolean): Uint8Array<ArrayBuffer> {
  if (!compressed) return fastJsonBytes(body);
  const { dataVersion, topicConfigTable } = body.topicConfigSerializeWrapper;
  const out = new ByteWriter();
  sized(out, stringifyFastJson(dataVersion));
  out.int32(topicConfigTable.size);
  for (const topic of topicConfigTable.values()) {
    const { topicName, readQueueNums, writeQueueNums, perm, topicFilterType } = topic;
    sized(out, `${topicName} ${readQueueNums} ${writeQueueNums} ${perm} ${topicFilterType}`);
  }
  sized(out, stringifyFastJson(body.filterServerList));
  return new Uint8Array(deflateSync(out.written(), { level: 9 }));
}

function sized(out: ByteWriter, text: string): void {
  const at = out.ensure(4);
  out.length = at + 4;
  out.view.setInt32(at, out.text(text));
}

/**
 * Reads the body of a broker of the given version; no body is an empty table. Brokers before 3.0.11 send the topics
 * alone. Throws `malformed` and nothing else.
 */
export function decodeRegisterBroker(bytes: Uint8Array, compressed: boolean, version: number): RegisterBrokerBody {
  if (bytes.length === 0) return { topicConfigSerializeWrapper: emptyTable(), filterServerList: [] };
  if (version < MQVersion.V3_0_11) {
    return { topicConfigSerializeWrapper: decodeJson(topicConfigTableShape, bytes), filterServerList: [] };
  }
  return compressed ? decodeUnfolded(unfold(bytes)) : decodeJson(bodyShape, bytes);
}

function unfold(bytes: Uint8Array): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: REGISTER_BYTES_MAX });
  } catch (cause) {
    throw new RocketdError(
      "malformed",
      `the body cannot be unfolded to at most ${REGISTER_BYTES_MAX} bytes: ${messageOf(cause)}`,
      { field: "body", cause },
    );
  }
}

function decodeUnfolded(bytes: Uint8Array): RegisterBrokerBody {
  const reader = new SizedReader(bytes);
  const dataVersion = decodeDataVersion(reader.sized("dataVersion"));
  const count = reader.int32("topicConfigTable");
  if (count < 0 || count > TOPICS_MAX) throw misfit("topicConfigTable", count, `at most ${TOPICS_MAX} entries`);
  const topicConfigTable = new Map<string, TopicConfig>();
  for (let i = 0; i < count; i++) {
    const topic = decodeTopicLine(reader.sized("topicConfigTable"));
    topicConfigTable.set(topic.topicName, topic);
  }
  const filterServerList = maybe(filterServersShape, () => []);
  return {
    topicConfigSerializeWrapper: { dataVersion, topicConfigTable },
    filterServerList: decodeJson(
      (value) => filterServerList(value, "filterServerList"),
      reader.sized("filterServerList"),
    ),
  };
}

const decoder = new TextDecoder();
const nameShape = text(ROUTE_TEXT_LENGTH_MAX);
const filterTypeShape = oneOf(...TOPIC_FILTER_TYPES);

/** Brokers of 5.x append a part with attributes, which is ignored. */
function decodeTopicLine(bytes: Uint8Array): TopicConfig {
  const [name, readQueues, writeQueues, perm, filterType] = decoder.decode(bytes).split(" ");
  const field = `topicConfigTable.${(name ?? "").slice(0, 64)}`;
  return topicConfig(nameShape(name, field), {
    readQueueNums: queueCount(readQueues, `${field}.readQueueNums`),
    writeQueueNums: queueCount(writeQueues, `${field}.writeQueueNums`),
    perm: int32(perm, `${field}.perm`),
    topicFilterType: filterTypeShape(filterType, `${field}.topicFilterType`),
  });
}

class SizedReader {
  readonly #view: DataView;
  #at = 0;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  int32(field: string): number {
    if (this.#at + 4 > this.bytes.length) throw misfit(field, undefined, "4 bytes");
    this.#at += 4;
    return this.#view.getInt32(this.#at - 4);
  }

  sized(field: string): Uint8Array {
    const size = this.int32(field);
    const rest = this.bytes.length - this.#at;
    if (size < 0 || size > rest) throw misfit(`${field}'s size`, size, `at most the ${rest} bytes that follow`);
    this.#at += size;
    return this.bytes.subarray(this.#at - size, this.#at);
  }
}
