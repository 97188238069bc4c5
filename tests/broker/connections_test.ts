/**
 * @module
 */
import { MQVersion, ResponseCode } from "../../src/protocol/codes.ts";
import {
  GetAllProducerInfo,
  GetConsumerConnectionList,
  GetProducerConnectionList,
} from "../../src/protocol/admin_requests.ts";
import {
  decodeConsumerConnection,
  decodeProducerConnection,
  decodeProducerTable,
} from "../../src/protocol/bodies/mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../src/std.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { encodeInTurns } from "../../src/broker/slices.ts";
import { clientHandlers } from "../../src/broker/client_handlers.ts";
import { encodeHeartbeat } from "../../src/protocol/bodies/heartbeat.ts";
import { HeartBeat } from "../../src/protocol/requests.ts";
import { HandlerTable, type Incoming } from "../../src/remoting/handlers.ts";
import { AdminDesk, consumerData } from "./admin_desk.ts";
import { RecordingConnection } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, CONSUMER_NOT_ONLINE } = ResponseCode;

Deno.test("GET_CONSUMER_CONNECTION_LIST names the members of a group, and what it subscribes to", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const about = { consumerGroup: "CG" };
    const none = await ask(GetConsumerConnectionList, about);
    assertEquals([none.code, none.remark], [CONSUMER_NOT_ONLINE, "the consumer group[CG] not online"]);
    await desk.consumer("c1", [consumerData("CG", "T")]);
    desk.member("c2", consumerData("CG", "T"), { language: "CPP", version: 62 });
    const { code, body } = await ask(GetConsumerConnectionList, about);
    assertEquals(code, SUCCESS);
    const { connectionSet, subscriptionTable, ...group } = decodeConsumerConnection(body);
    const { groupName: _, subscriptionDataSet, unitMode: __, ...said } = consumerData("CG", "T");
    assertEquals(group, said);
    assertEquals([...subscriptionTable], [["T", subscriptionDataSet[0]!]]);
    assertMatch(connectionSet[0]!.clientAddr, /^127\.0\.0\.1:\d+$/);
    assertEquals(connectionSet.map(({ clientAddr: _, ...rest }) => rest), [
      { clientId: "c1", language: "JAVA", version: MQVersion.V4_9_7 },
      { clientId: "c2", language: "CPP", version: 62 },
    ]);
  });
});

Deno.test("GET_PRODUCER_CONNECTION_LIST and GET_ALL_PRODUCER_INFO name producers", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const none = await ask(GetProducerConnectionList, { producerGroup: "PG" });
    assertEquals([none.code, none.remark], [SYSTEM_ERROR, "the producer group[PG] not exist"]);
    assertEquals(decodeProducerTable((await ask(GetAllProducerInfo, {})).body), new Map());
    await desk.consumer("p1", [], undefined, ["PG", "QG"]);
    const [one] = decodeProducerConnection((await ask(GetProducerConnectionList, { producerGroup: "PG" })).body);
    assertEquals([one?.clientId, one?.language, one?.version], ["p1", "JAVA", MQVersion.V4_9_7]);
    const all = decodeProducerTable((await ask(GetAllProducerInfo, {})).body);
    assertEquals([...all.keys()], ["PG", "QG"]);
    const [info] = all.get("QG")!;
    assertEquals([info?.clientId, info?.remoteIP], ["p1", `/${one?.clientAddr}`]);
    assert(info!.lastUpdateTimestamp > Date.now() - 60_000);
  });
});

Deno.test("a client's language is one that Java's tools know, whatever its header says", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const { topics, groups, consumers, producers } = desk;
    const table = new HandlerTable();
    const filters = undefined as never, consumerFilters = { register: () => {} } as never;
    clientHandlers(table, { topics, groups, consumers, producers, filters, consumerFilters });
    const body = encodeHeartbeat({ clientID: "c1", consumerDataSet: [consumerData("CG", "T")], producerDataSet: [] });
    for (const [language, told] of [["GO", "GO"], ["X".repeat(9999), "OTHER"]]) {
      const connection = new RecordingConnection("10.0.0.1:1");
      const request = { body, connection, language, version: 407 } as unknown as Incoming;
      assertEquals((await table.get(HeartBeat.code)!.handler(request))?.code, SUCCESS);
      const { connectionSet } = decodeConsumerConnection(
        (await ask(GetConsumerConnectionList, { consumerGroup: "CG" })).body,
      );
      assertEquals(connectionSet.at(-1)?.language, told);
    }
  });
});

Deno.test("an answer that no frame can take is refused", async () => {
  let made = 0;
  function* pieces() {
    for (; made < 1000; made++) yield "x".repeat(1000);
  }
  const refused = await encodeInTurns(pieces(), systemClock, 200_000).catch((error) => error);
  assertStringIncludes(String(refused), "more than 200000 bytes");
  assert(made < 1000, "all was made for nothing");
});
