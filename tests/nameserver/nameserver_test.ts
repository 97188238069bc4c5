/**
 * The nameserver over a real connection.
 *
 * @module
 */
import { startNameserver } from "../../src/nameserver/mod.ts";
import {
  decodeClusterInfo,
  decodeDataVersion,
  decodeKvTable,
  decodeTopicList,
  encodeDataVersion,
  encodeRegisterBroker,
  registerBodyCrc,
  topicConfig,
} from "../../src/protocol/bodies/mod.ts";
import { ByteWriter } from "../../src/protocol/byte_writer.ts";
import { HeaderEncoding, ResponseCode } from "../../src/protocol/codes.ts";
import { encodeFrame } from "../../src/protocol/encode_frame.ts";
import type { Frame } from "../../src/protocol/frame.ts";
import type { AnswerHeader, RequestInput, RequestType } from "../../src/protocol/request.ts";
import * as requests from "../../src/protocol/requests.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { RawPeer } from "../remoting/raw_peer.ts";
import { until } from "../until.ts";

interface Reply<R> {
  readonly code: number;
  readonly remark: string | undefined;
  readonly header: AnswerHeader<R>;
  readonly body: Uint8Array;
}

async function ask<R extends RequestType>(
  peer: RawPeer,
  type: R,
  values: RequestInput<R>,
  body = new Uint8Array(),
  version = 407,
): Promise<Reply<R>> {
  const out = new ByteWriter();
  const fixed = { code: type.code, version, opaque: 1, flag: 0 };
  const parts = { ...fixed, table: type.request, values: values as never };
  encodeFrame(out, HeaderEncoding.ROCKETMQ, parts, [body]);
  await peer.write(out.written());
  const frame: Frame | undefined = await peer.read();
  if (frame === undefined) throw new Error(`the connection was closed instead of an answer to ${type.name}`);
  const { code, remark, fields } = frame.header;
  return { code, remark, header: fields.readLoosely(type.answer) as AnswerHeader<R>, body: frame.body };
}

interface Running {
  readonly peer: RawPeer;
  readonly connect: () => Promise<RawPeer>;
  /** Resolves once the nameserver knows no broker. */
  readonly deserted: () => Promise<void>;
}

async function running(work: (running: Running) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rocketd-ns-" });
  const nameserver = await startNameserver({
    bindAddress: "127.0.0.1",
    listenPort: 0,
    kvConfigPath: `${folder}/namesrv/kvConfig.json`,
    orderMessageEnable: true,
    adminRequestsFrom: [],
    aclEnable: false,
    aclFile: "",
    maxConnections: 10,
    serverChannelMaxIdleTimeSeconds: 120,
    tlsServerMode: "disabled",
    tlsServerCertPath: "",
    tlsServerKeyPath: "",
  });
  try {
    const connect = () => RawPeer.connect(nameserver.port);
    using peer = await connect();
    const deserted = () => until(() => nameserver.routes.topics().length === 0);
    await work({ peer, connect, deserted });
  } finally {
    await nameserver.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const master = {
  brokerName: "a",
  brokerAddr: "10.0.0.1:10911",
  clusterName: "C",
  brokerId: 0,
  haServerAddr: "10.0.0.1:1",
};
const slave = { ...master, brokerAddr: "10.0.0.2:10911", brokerId: 1, haServerAddr: "10.0.0.2:1" };
const dataVersion = { counter: 3, timestamp: 4 };
const topicConfigTable = new Map([["T", topicConfig("T", { readQueueNums: 4, writeQueueNums: 4 })]]);
const body = { topicConfigSerializeWrapper: { dataVersion, topicConfigTable }, filterServerList: [] };

Deno.test("a broker registers, is routed in strict JSON to clients of any version, and is gone with its connection", () =>
  running(async ({ peer, connect, deserted }) => {
    const route = { topic: "T" };
    const none = await ask(peer, requests.GetRouteinfoByTopic, route);
    assertEquals(none.code, ResponseCode.TOPIC_NOT_EXIST);
    assertStringIncludes(none.remark ?? "", "No topic route info in name server for the topic: T");

    const broker = await connect();
    const plain = encodeRegisterBroker(body, false);
    const registered = await ask(
      broker,
      requests.RegisterBroker,
      { ...master, bodyCrc32: registerBodyCrc(plain) },
      plain,
    );
    assertEquals([registered.code, registered.header, registered.body.length], [
      ResponseCode.SUCCESS,
      { haServerAddr: undefined, masterAddr: undefined },
      0,
    ]);
    for (const version of [400, 407]) {
      const found = await ask(peer, requests.GetRouteinfoByTopic, route, undefined, version);
      assertEquals(
        new TextDecoder().decode(found.body),
        '{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"a","cluster":"C"}],' +
          '"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"topicSysFlag":0,' +
          '"writeQueueNums":4}]}',
      );
    }
    broker[Symbol.dispose]();
    await deserted();
    assertEquals((await ask(peer, requests.GetRouteinfoByTopic, route)).code, ResponseCode.TOPIC_NOT_EXIST);
  }));

Deno.test("a slave learns its master from its register, also with a compressed body", () =>
  running(async ({ peer }) => {
    const packed = encodeRegisterBroker(body, true);
    await ask(
      peer,
      requests.RegisterBroker,
      { ...master, compressed: true, bodyCrc32: registerBodyCrc(packed) },
      packed,
    );
    const { header } = await ask(peer, requests.RegisterBroker, slave);
    assertEquals(header, { haServerAddr: "10.0.0.1:1", masterAddr: "10.0.0.1:10911" });
    const { body: info } = await ask(peer, requests.GetBrokerClusterInfo, {});
    assertEquals(decodeClusterInfo(info).brokerAddrTable.get("a")?.brokerAddrs.size, 2);
  }));

Deno.test("a register with a wrong checksum, or a body that cannot be read, changes nothing", () =>
  running(async ({ peer }) => {
    const plain = encodeRegisterBroker(body, false);
    const wrong = await ask(peer, requests.RegisterBroker, { ...master, bodyCrc32: registerBodyCrc(plain) ^ 1 }, plain);
    assertEquals([wrong.code, wrong.remark], [ResponseCode.SYSTEM_ERROR, "crc32 not match"]);
    const packed = await ask(peer, requests.RegisterBroker, { ...master, compressed: true }, plain);
    assertEquals(packed.code, ResponseCode.SYSTEM_ERROR);
    assertStringIncludes(packed.remark ?? "", "REGISTER_BROKER: the body cannot be unfolded");
    const long = await ask(peer, requests.RegisterBroker, { ...master, brokerName: "x".repeat(1000) }, plain);
    assertStringIncludes(long.remark ?? "", "the field brokerName is");
    assertEquals(decodeClusterInfo((await ask(peer, requests.GetBrokerClusterInfo, {})).body).brokerAddrTable.size, 0);
  }));

Deno.test("QUERY_DATA_VERSION says whether a broker has to register again", () =>
  running(async ({ peer }) => {
    const query = async (version: typeof dataVersion) => {
      const { header, body } = await ask(peer, requests.QueryDataVersion, master, encodeDataVersion(version));
      return [header.changed, body.length === 0 ? undefined : decodeDataVersion(body)];
    };
    assertEquals(await query(dataVersion), [true, undefined]);
    await ask(peer, requests.RegisterBroker, master, encodeRegisterBroker(body, false));
    assertEquals(await query(dataVersion), [false, dataVersion]);
    assertEquals(await query({ ...dataVersion, counter: 9 }), [true, dataVersion]);
  }));

Deno.test("topics are listed, wiped, restored and deleted", () =>
  running(async ({ peer }) => {
    const list = async <R extends RequestType>(type: R, values: RequestInput<R>) =>
      decodeTopicList((await ask(peer, type, values)).body);
    await ask(peer, requests.RegisterBroker, master, encodeRegisterBroker(body, false));
    assertEquals((await list(requests.GetAllTopicListFromNameserver, {})).topicList, ["T"]);
    assertEquals((await list(requests.GetTopicsByCluster, { cluster: "C" })).topicList, ["T"]);
    assertEquals((await list(requests.GetTopicsByCluster, { cluster: "unknown" })).topicList, []);
    const system = await list(requests.GetSystemTopicListFromNs, {});
    assertEquals([system.topicList, system.brokerAddr], [["C", "a"], master.brokerAddr]);
    for (
      const type of [requests.GetUnitTopicList, requests.GetHasUnitSubTopicList, requests.GetHasUnitSubUnunitTopicList]
    ) assertEquals((await list(type, {})).topicList, []);
    const { brokerName } = master;
    assertEquals((await ask(peer, requests.WipeWritePermOfBroker, { brokerName })).header, { wipeTopicCount: 1 });
    assertEquals((await ask(peer, requests.AddWritePermOfBroker, { brokerName })).header, { addTopicCount: 1 });
    await ask(peer, requests.DeleteTopicInNamesrv, { topic: "T" });
    assertEquals((await list(requests.GetAllTopicListFromNameserver, {})).topicList, []);
    const gone = await ask(peer, requests.UnregisterBroker, master);
    assertEquals(gone.code, ResponseCode.SUCCESS);
    assertEquals((await list(requests.GetSystemTopicListFromNs, {})).topicList, []);
  }));

Deno.test("the order configuration of topics is told to brokers and added to routes", () =>
  running(async ({ peer }) => {
    const entry = { namespace: "ORDER_TOPIC_CONFIG", key: "T" };
    assertEquals((await ask(peer, requests.GetKvConfig, entry)).code, ResponseCode.QUERY_NOT_FOUND);
    const { namespace } = entry;
    assertEquals((await ask(peer, requests.GetKvlistByNamespace, { namespace })).code, ResponseCode.QUERY_NOT_FOUND);
    await ask(peer, requests.PutKvConfig, { ...entry, value: "a:4" });
    assertEquals((await ask(peer, requests.GetKvConfig, entry)).header, { value: "a:4" });
    const registered = await ask(peer, requests.RegisterBroker, master, encodeRegisterBroker(body, false));
    assertEquals(decodeKvTable(registered.body), new Map([["T", "a:4"]]));
    const { body: listed } = await ask(peer, requests.GetKvlistByNamespace, { namespace });
    assertEquals(decodeKvTable(listed), new Map([["T", "a:4"]]));
    const { body: route } = await ask(peer, requests.GetRouteinfoByTopic, { topic: "T" });
    assertEquals(JSON.parse(new TextDecoder().decode(route)).orderTopicConf, "a:4");
    await ask(peer, requests.DeleteKvConfig, entry);
    assertEquals((await ask(peer, requests.GetKvConfig, entry)).code, ResponseCode.QUERY_NOT_FOUND);
  }));
