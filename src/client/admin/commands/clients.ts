/**
 * Who is connected, and what consumers tell of themselves.
 *
 * @module
 */
import { RocketdError } from "../../../errors.ts";
import {
  GetAllProducerInfo,
  GetConsumerRunningInfo,
  GetProducerConnectionList,
  InvokeBrokerToGetConsumerStatus,
} from "../../../protocol/admin_requests.ts";
import {
  type ClientConnection,
  type ConsumerConnection,
  type ConsumerRunningInfo,
  decodeConsumerStatus,
  decodeProducerConnection,
  decodeProducerTable,
  decodeRunningInfo,
} from "../../../protocol/bodies/mod.ts";
import { versionName } from "../../../protocol/version_name.ts";
import { compareQueues } from "../../consumer/rebalance.ts";
import type { Admin, Peer } from "../admin.ts";
import { reads } from "../command.ts";
import { brokersOf, GROUP, membersOf, nobodyIn } from "../groups.ts";
import { flag, text } from "../options.ts";
import { type AdminResult, column, record, result, type Row, table, wide } from "../result.ts";
import { BROKER_OR_CLUSTER, TOPIC } from "../targets.ts";

const clientColumns = {
  clientId: column("CLIENT ID", "text"),
  address: column("ADDRESS", "text"),
  language: column("LANGUAGE", "text"),
  version: column("VERSION", "text"),
} as const;
const clientTable = table("clients", clientColumns);

function clientRow({ clientId, clientAddr, language, version }: ClientConnection): Row<typeof clientColumns> {
  return { clientId, address: clientAddr, language, version: versionName(version) };
}

const PRODUCER_GROUP = text({ short: "g", value: "GROUP", help: "the producer group", required: true });
const CLIENT_ID = text({ short: "i", value: "ID", help: "only this client" });
/** The broker to ask about a group; without it those that have its retry topic. */
const ONE_BROKER = { brokerAddr: BROKER_OR_CLUSTER.brokerAddr };

const producerConnection = reads({
  name: "producerConnection",
  area: "clients",
  summary: "List the members of a producer group",
  options: { producerGroup: PRODUCER_GROUP, topic: TOPIC },
  run: async (admin, { producerGroup, topic }) => {
    const { rows, failures } = await admin.each(await admin.readersOf(topic), async (broker) => {
      return decodeProducerConnection((await admin.ask(broker, GetProducerConnectionList, { producerGroup })).body);
    });
    // A producer is connected only to brokers that it has sent to: that some do not know it is no failure.
    const clients = new Map(rows.map((client) => [client.clientId, client]));
    return result(clientTable([...clients.values()].map(clientRow)), clients.size > 0 ? [] : failures);
  },
});

const producerTable = table("producers", {
  broker: column("BROKER", "text"),
  group: column("GROUP", "text"),
  ...clientColumns,
  lastHeartbeat: column("LAST HEARTBEAT", "time"),
});

const producer = reads({
  name: "producer",
  area: "clients",
  summary: "List all producers of brokers",
  options: BROKER_OR_CLUSTER,
  run: async (admin, target) => {
    const { rows, failures } = await admin.each(await admin.masters(target), async (broker) => {
      const groups = decodeProducerTable((await admin.ask(broker, GetAllProducerInfo, {})).body);
      return [...groups].flatMap(([group, producers]) =>
        producers.map(({ remoteIP, lastUpdateTimestamp, ...client }) => ({
          broker: broker.name,
          group,
          ...clientRow({ ...client, clientAddr: remoteIP.replace(/^\//, "") }),
          lastHeartbeat: lastUpdateTimestamp,
        }))
      );
    });
    return result(producerTable(rows), failures);
  },
});

const subscriptionTable = table("subscriptions", {
  topic: column("TOPIC", "text"),
  expression: column("EXPRESSION", "text"),
  type: column("TYPE", "text"),
});
const groupRecord = record("group", {
  consumeType: column("Type", "text"),
  messageModel: column("Model", "text"),
  consumeFromWhere: column("From", "text"),
});

/** The group's members as its brokers, or the one that is named, know them. Throws `notFound` if nobody is there. */
async function onlineMembers(
  admin: Admin,
  group: string,
  brokerAddr: string | undefined,
): Promise<{ members: ConsumerConnection; brokers: Peer[] }> {
  const brokers = brokerAddr === undefined ? await brokersOf(admin, group) : [await admin.broker(brokerAddr)];
  const members = await membersOf(admin, group, brokers);
  if (members === undefined) throw nobodyIn(group);
  return { members, brokers };
}

const consumerConnection = reads({
  name: "consumerConnection",
  area: "clients",
  summary: "List the members of a consumer group, and what it subscribes to",
  options: { consumerGroup: GROUP, ...ONE_BROKER },
  run: async (admin, { consumerGroup, brokerAddr }) => {
    const { members } = await onlineMembers(admin, consumerGroup, brokerAddr);
    const { connectionSet, subscriptionTable: subscriptions, consumeType, messageModel, consumeFromWhere } = members;
    return result([
      clientTable(connectionSet.map(clientRow)),
      subscriptionTable([...subscriptions.values()].map(subscriptionRow)),
      groupRecord({
        consumeType: consumeType ?? null,
        messageModel: messageModel ?? null,
        consumeFromWhere: consumeFromWhere ?? null,
      }),
    ]);
  },
});

function subscriptionRow(subscription: { topic: string; subString: string; expressionType: string }) {
  return { topic: subscription.topic, expression: subscription.subString, type: subscription.expressionType };
}

/** How much longer than other answers one may take that a client gives through its broker. */
const CLIENT_PATIENCE = 3;

/** What a consumer tells of itself through the first broker that it is connected to. */
export async function runningAt(
  admin: Admin,
  brokers: readonly Peer[],
  consumerGroup: string,
  clientId: string,
  jstackEnable: boolean,
): Promise<ConsumerRunningInfo> {
  let failure: unknown;
  for (const broker of brokers) {
    try {
      const header = { consumerGroup, clientId, jstackEnable };
      const { body } = await admin.ask(broker, GetConsumerRunningInfo, header, { patience: CLIENT_PATIENCE });
      return decodeRunningInfo(body);
    } catch (error) {
      if (!(error instanceof RocketdError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

const runningTable = table("clients", {
  clientId: column("CLIENT ID", "text"),
  version: column("VERSION", "text"),
  queues: column("QUEUES", "count"),
  held: column("HELD", "count"),
  consumed: column("CONSUMES", "rate"),
  failed: column("FAILS", "rate"),
});
const heldTable = table("queues", {
  clientId: column("CLIENT ID", "text"),
  topic: column("TOPIC", "text"),
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
  commitOffset: column("COMMITTED", "count"),
  held: column("HELD", "count"),
  heldBytes: wide("bytes"),
  locked: wide("flag"),
  lastPull: wide("time"),
  lastConsume: column("LAST CONSUME", "time"),
});
const figuresTable = table("figures", {
  clientId: column("CLIENT ID", "text"),
  topic: column("TOPIC", "text"),
  pullMs: column("PULL TAKES", "ms"),
  pulled: column("PULLS", "rate"),
  consumeMs: column("CONSUME TAKES", "ms"),
  consumed: column("CONSUMES", "rate"),
  failed: column("FAILS", "rate"),
  failedLastHour: column("FAILED IN 1 H", "count"),
});
const propertyTable = table("properties", { key: column("KEY", "text"), value: column("VALUE", "text") });
const threadRecord = record("threads", { jstack: column("Threads", "text") });

const MIB = 2 ** 20;

interface Told {
  readonly clientId: string;
  readonly version: number;
  readonly info: ConsumerRunningInfo;
}

function toldParts(told: readonly Told[]) {
  const sum = (info: ConsumerRunningInfo, key: "consumeOKTPS" | "consumeFailedTPS") =>
    [...info.statusTable.values()].reduce((total, status) => total + status[key], 0);
  const heldOf = ({ mqTable }: ConsumerRunningInfo) =>
    [...mqTable.values()].reduce((total, { cachedMsgCount }) => total + cachedMsgCount, 0);
  return [
    runningTable(told.map(({ clientId, version, info }) => ({
      clientId,
      version: versionName(version),
      queues: info.mqTable.size,
      held: heldOf(info),
      consumed: sum(info, "consumeOKTPS"),
      failed: sum(info, "consumeFailedTPS"),
    }))),
    heldTable(
      told.flatMap(({ clientId, info }) =>
        [...info.mqTable].sort(([a], [b]) => compareQueues(a, b)).map(([queue, held]) => ({
          clientId,
          topic: queue.topic,
          broker: queue.brokerName,
          queueId: queue.queueId,
          commitOffset: held.commitOffset,
          held: held.cachedMsgCount,
          heldBytes: held.cachedMsgSizeInMiB * MIB,
          locked: held.locked,
          lastPull: held.lastPullTimestamp,
          lastConsume: held.lastConsumeTimestamp,
        }))
      ),
    ),
    figuresTable(told.flatMap(({ clientId, info }) =>
      [...info.statusTable].map(([topic, status]) => ({
        clientId,
        topic,
        pullMs: status.pullRT,
        pulled: status.pullTPS,
        consumeMs: status.consumeRT,
        consumed: status.consumeOKTPS,
        failed: status.consumeFailedTPS,
        failedLastHour: status.consumeFailedMsgs,
      }))
    )),
  ];
}

/** Members that subscribe to something else than the others get each other's messages and lose some. */
function differences(told: readonly Told[]): string[] {
  const subscriptions = told.map(({ info }) =>
    info.subscriptionSet.map(({ topic, subString }) => `${topic} ${subString}`).sort().join("\n")
  );
  if (new Set(subscriptions).size <= 1) return [];
  return ["Not all members of the group subscribe to the same: messages will be lost until they do."];
}

const consumerStatus = reads({
  name: "consumerStatus",
  area: "clients",
  summary: "Ask the members of a consumer group how they are: queues, messages held, figures",
  options: {
    consumerGroup: GROUP,
    clientId: CLIENT_ID,
    ...ONE_BROKER,
    jstack: flag({ short: "s", help: "with the client's threads, and its settings; with -i" }),
  },
  run: async (admin, { consumerGroup, clientId, brokerAddr, jstack }): Promise<AdminResult> => {
    const { members, brokers } = await onlineMembers(admin, consumerGroup, brokerAddr);
    const asked = members.connectionSet.filter((member) => clientId === undefined || member.clientId === clientId);
    if (asked.length === 0) throw nobodyIn(`${consumerGroup} with the client id ${clientId}`);
    const peers = asked.map(({ clientId, clientAddr, version }) => ({ name: clientId, address: clientAddr, version }));
    const { rows: told, failures } = await admin.each(peers, async ({ name, version }): Promise<Told[]> => {
      const info = await runningAt(admin, brokers, consumerGroup, name, jstack);
      return [{ clientId: name, version, info }];
    });
    const parts = toldParts(told);
    const [only] = told;
    if (clientId !== undefined && only !== undefined) {
      const { properties, subscriptionSet, jstack } = only.info;
      parts.push(subscriptionTable(subscriptionSet.map(subscriptionRow)));
      parts.push(propertyTable([...properties].map(([key, value]) => ({ key, value }))));
      if (jstack !== undefined) parts.push(threadRecord({ jstack }));
    }
    return { ...result(parts, failures), remarks: differences(told) };
  },
});

const statusTable = table("queues", {
  clientId: column("CLIENT ID", "text"),
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
  offset: column("OFFSET", "count"),
});

const getConsumerStatus = reads({
  name: "getConsumerStatus",
  area: "clients",
  summary: "Ask the members of a consumer group which offsets of a topic they are at",
  options: { group: GROUP, topic: TOPIC, originClientId: CLIENT_ID },
  run: async (admin, { group, topic, originClientId }) => {
    const header = { topic, group, ...(originClientId === undefined ? {} : { clientAddr: originClientId }) };
    const { rows, failures } = await admin.each(await admin.readersOf(topic), async (broker) => {
      const { body } = await admin.ask(broker, InvokeBrokerToGetConsumerStatus, header, { patience: CLIENT_PATIENCE });
      return [...decodeConsumerStatus(body)].flatMap(([clientId, offsets]) =>
        [...offsets].map(([{ brokerName, queueId }, offset]) => ({ clientId, broker: brokerName, queueId, offset }))
      );
    });
    const unlike = new Map(rows.map((row) => [`${row.clientId} ${row.broker} ${row.queueId}`, row]));
    return result(statusTable([...unlike.values()]), unlike.size > 0 ? [] : failures);
  },
});

/** Commands about clients. */
export const CLIENT_COMMANDS = [consumerConnection, consumerStatus, getConsumerStatus, producerConnection, producer];
