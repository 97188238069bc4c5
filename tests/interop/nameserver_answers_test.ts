import { topicConfig } from "../../src/protocol/bodies/mod.ts";
import { ByteWriter } from "../../src/protocol/byte_writer.ts";
import { HeaderEncoding } from "../../src/protocol/codes.ts";
import { encodeFrame } from "../../src/protocol/encode_frame.ts";
import type { RequestInput, RequestType } from "../../src/protocol/request.ts";
import * as requests from "../../src/protocol/requests.ts";
import { assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { RawPeer } from "../remoting/raw_peer.ts";
import { type Kind, onJavaAndOurs, startNameserver } from "./cluster.ts";

/** Asks a nameserver, over a connection that stays open: a broker lives as long as its own. */
type Ask = <R extends RequestType>(type: R, values: RequestInput<R>, body?: unknown) => Promise<void>;

const master = {
  brokerName: "broker-a",
  brokerAddr: "10.0.0.1:10911",
  clusterName: "C",
  brokerId: 0,
  haServerAddr: "10.0.0.1:10912",
};
const slave = { ...master, brokerAddr: "10.0.0.2:10911", brokerId: 1, haServerAddr: "10.0.0.2:10912" };
const other = { ...master, brokerName: "broker-b", brokerAddr: "10.0.0.3:10911", clusterName: "D" };

function registration(counter: number, ...flags: [topic: string, topicSysFlag: number][]) {
  const topicConfigTable = Object.fromEntries(
    flags.map(([topic, topicSysFlag]) => [topic, topicConfig(topic, { topicSysFlag })]),
  );
  const dataVersion = { counter, timestamp: 1 };
  return { topicConfigSerializeWrapper: { dataVersion, topicConfigTable }, filterServerList: [] };
}

/** Everything that a nameserver can be asked but for its settings, which are its own. */
async function everything(ask: Ask): Promise<void> {
  const lists = async () => {
    await ask(requests.GetAllTopicListFromNameserver, {});
    await ask(requests.GetSystemTopicListFromNs, {});
    await ask(requests.GetUnitTopicList, {});
    await ask(requests.GetHasUnitSubTopicList, {});
    await ask(requests.GetHasUnitSubUnunitTopicList, {});
    await ask(requests.GetBrokerClusterInfo, {});
    for (const cluster of ["C", "D", "none"]) await ask(requests.GetTopicsByCluster, { cluster });
    for (const topic of ["T", "Unit", "Sub", "none"]) {
      await ask(requests.GetRouteinfoByTopic, { topic, acceptStandardJsonOnly: true });
    }
  };
  await lists();
  await ask(requests.GetKvConfig, { namespace: "space", key: "key" });
  await ask(requests.GetKvlistByNamespace, { namespace: "space" });
  await ask(requests.DeleteKvConfig, { namespace: "space", key: "key" });
  await ask(requests.PutKvConfig, { namespace: "space", key: "key", value: "ä value" });
  await ask(requests.GetKvConfig, { namespace: "space", key: "key" });
  await ask(requests.GetKvlistByNamespace, { namespace: "space" });
  await ask(requests.DeleteKvConfig, { namespace: "space", key: "key" });
  await ask(requests.GetKvlistByNamespace, { namespace: "space" });

  const version = { counter: 1, timestamp: 1 };
  await ask(requests.QueryDataVersion, master, version);
  await ask(requests.RegisterBroker, slave, registration(1));
  await lists();
  await ask(requests.RegisterBroker, master, registration(1, ["T", 0], ["Unit", 1], ["Sub", 2], ["Both", 3]));
  await ask(requests.PutKvConfig, { namespace: "ORDER_TOPIC_CONFIG", key: "T", value: "broker-a:4" });
  await ask(requests.RegisterBroker, slave, registration(1));
  await ask(requests.RegisterBroker, other, registration(1, ["T", 0]));
  await ask(requests.QueryDataVersion, master, version);
  await ask(requests.QueryDataVersion, master, { counter: 2, timestamp: 1 });
  await ask(requests.RegisterBroker, { ...other, brokerName: "broker-c", brokerAddr: "10.0.0.4:10911" });
  await ask(requests.GetBrokerClusterInfo, {});
  await ask(requests.UnregisterBroker, { ...other, brokerName: "broker-c", brokerAddr: "10.0.0.4:10911" });
  await lists();
  await ask(requests.RegisterBroker, { ...master, bodyCrc32: 1 }, registration(3, ["New", 0]));
  await ask(requests.WipeWritePermOfBroker, { brokerName: "broker-a" });
  await ask(requests.WipeWritePermOfBroker, { brokerName: "none" });
  await lists();
  await ask(requests.AddWritePermOfBroker, { brokerName: "broker-a" });
  await ask(requests.DeleteTopicInNamesrv, { topic: "T", clusterName: "D" });
  await lists();
  await ask(requests.DeleteTopicInNamesrv, { topic: "Sub" });
  await ask(requests.DeleteTopicInNamesrv, { topic: "none" });
  await ask(requests.UnregisterBroker, other);
  await lists();
  await ask(requests.UnregisterBroker, master);
  await lists();
  await ask(requests.UnregisterBroker, slave);
  await lists();
}

/** The body as data: fastjson leaves integer keys without quotes, tables have no order, `brokerAddr` is any broker's. */
function parsed(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  const text = new TextDecoder().decode(bytes).replace(/([{,])(\d+):/g, '$1"$2":');
  return JSON.parse(text, (name, value) => {
    if (name === "brokerAddr") return "any";
    return Array.isArray(value) ? value.sort(byText) : value;
  });
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

async function answers(kind: Kind): Promise<unknown[]> {
  await using nameserver = await startNameserver(kind, { orderMessageEnable: true });
  using peer = await RawPeer.connect(nameserver.port);
  const all: unknown[] = [];
  await everything(async (type, values, body) => {
    const out = new ByteWriter();
    const content = body === undefined ? [] : [new TextEncoder().encode(JSON.stringify(body))];
    const fixed = { code: type.code, version: 407, opaque: 1, flag: 0 };
    encodeFrame(out, HeaderEncoding.JSON, { ...fixed, table: type.request, values: values as never }, content);
    await peer.write(out.written());
    const frame = await peer.read();
    if (frame === undefined) throw new Error(`${type.name}: the connection was closed instead of an answer`);
    const { code, remark, fields } = frame.header;
    const header = fields.readLoosely(type.answer);
    all.push({ asked: [type.name, values], code, remark, header, body: parsed(frame.body) });
  });
  return all;
}

Deno.test({ name: "Our nameserver answers as a Java one, request by request", ignore: !hasJava() }, async () => {
  const { java, ours } = await onJavaAndOurs(answers);
  for (const [index, answer] of ours.entries()) assertEquals(answer, java[index]);
});
