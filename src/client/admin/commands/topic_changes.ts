/**
 * Making, changing and deleting topics.
 *
 * @module
 */
import { RocketdError } from "../../../errors.ts";
import { TOPIC_QUEUES_MAX } from "../../../limits.ts";
import { type QueueData, topicConfig, TopicSysFlag } from "../../../protocol/bodies/mod.ts";
import { ResponseCode } from "../../../protocol/codes.ts";
import { ORDER_TOPIC_NAMESPACE } from "../../../protocol/names.ts";
import {
  DeleteKvConfig,
  DeleteTopicInBroker,
  DeleteTopicInNamesrv,
  GetKvConfig,
  PutKvConfig,
  UpdateAndCreateTopic,
} from "../../../protocol/requests.ts";
import { TEMPLATE_TOPIC } from "../../routes.ts";
import type { Admin, Peer } from "../admin.ts";
import { changes } from "../command.ts";
import { doAt, type Done, doneResult } from "../doing.ts";
import { text, truth, whole, word } from "../options.ts";
import { column, record, result } from "../result.ts";
import { BROKER_OR_CLUSTER, namedMasters, TOPIC, whereTo } from "../targets.ts";

/** Queues of a topic that mqadmin makes. */
const NEW_QUEUES = 8;
const PERM_WORDS = ["2", "4", "6"] as const;

/** What each broker has of a topic, as nameservers know; nothing for a topic that is new. */
async function queuesByBroker(admin: Admin, topic: string): Promise<ReadonlyMap<string, QueueData>> {
  try {
    const { queueDatas } = await admin.route(topic);
    return new Map(queueDatas.map((queues) => [queues.brokerName, queues]));
  } catch (error) {
    if (error instanceof RocketdError && error.code === "notFound") return new Map();
    throw error;
  }
}

interface NewTopic {
  readonly topic: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicSysFlag: number;
  readonly order: boolean;
}

async function putTopic(admin: Admin, broker: Peer, topic: NewTopic): Promise<string> {
  const { topicFilterType } = topicConfig(topic.topic);
  await admin.ask(broker, UpdateAndCreateTopic, { ...topic, defaultTopic: TEMPLATE_TOPIC, topicFilterType });
  return `read queues ${topic.readQueueNums}, write queues ${topic.writeQueueNums}, perm ${topic.perm}`;
}

const bit = (given: boolean | undefined, before: number, value: number) => given ?? (before & value) !== 0 ? value : 0;

const updateTopic = changes({
  name: "updateTopic",
  area: "topics",
  summary: "Make a topic, or change the one that is there",
  options: {
    topic: TOPIC,
    ...BROKER_OR_CLUSTER,
    readQueueNums: whole(0, TOPIC_QUEUES_MAX)({
      short: "r",
      help: `queues to read from (${NEW_QUEUES} for a new topic)`,
    }),
    writeQueueNums: whole(0, TOPIC_QUEUES_MAX)({
      short: "w",
      help: `queues to write to (${NEW_QUEUES} for a new topic)`,
    }),
    perm: word(...PERM_WORDS)({ short: "p", help: "2 to write, 4 to read, 6 for both (6 for a new topic)" }),
    order: truth({ short: "o", otherwise: false, help: "ordered: nameservers keep how many queues each broker has" }),
    unit: truth({ short: "u", help: "a topic of a unit" }),
    hasUnitSub: truth({ short: "s", help: "has subscriptions from units" }),
  },
  notes: ["What is not given stays as it is (mqadmin sets it back to the default)."],
  run: async (admin, values) => {
    const { topic, order } = values;
    const [masters, known] = await Promise.all([namedMasters(admin, values), queuesByBroker(admin, topic)]);
    const wanted = ({ name }: Peer): NewTopic => {
      const before = known.get(name);
      const { UNIT, UNIT_SUB } = TopicSysFlag;
      const sysFlag = before?.topicSysFlag ?? 0;
      return {
        topic,
        readQueueNums: values.readQueueNums ?? before?.readQueueNums ?? NEW_QUEUES,
        writeQueueNums: values.writeQueueNums ?? before?.writeQueueNums ?? NEW_QUEUES,
        perm: values.perm === undefined ? before?.perm ?? topicConfig(topic).perm : Number(values.perm),
        topicSysFlag: bit(values.unit, sysFlag, UNIT) | bit(values.hasUnitSub, sysFlag, UNIT_SUB),
        order,
      };
    };
    const made = await doAt(admin, masters, (master) => putTopic(admin, master, wanted(master)));
    if (!order) return doneResult(made);
    const own = masters.map((master) => `${master.name}:${wanted(master).writeQueueNums}`);
    const others = values.brokerAddr === undefined ? [] : await orderOfOthers(admin, topic, masters[0]!.name);
    return doneResult(made, await putOrder(admin, topic, [...others, ...own].join(";")));
  },
});

/** The order configuration of a topic, if there is one. */
async function orderOf(admin: Admin, topic: string): Promise<string | undefined> {
  const namespace = ORDER_TOPIC_NAMESPACE;
  try {
    return (await admin.lookUp(GetKvConfig, { namespace, key: topic })).header.value;
  } catch (error) {
    if (error instanceof RocketdError && error.details.responseCode === ResponseCode.QUERY_NOT_FOUND) return undefined;
    throw error;
  }
}

async function orderOfOthers(admin: Admin, topic: string, brokerName: string): Promise<string[]> {
  const parts = (await orderOf(admin, topic))?.split(";") ?? [];
  return parts.filter((part) => part !== "" && part.split(":")[0] !== brokerName);
}

function putOrder(admin: Admin, topic: string, value: string): Promise<Done> {
  return doAt(admin, admin.nameservers, async (nameserver) => {
    await admin.ask(nameserver, PutKvConfig, { namespace: ORDER_TOPIC_NAMESPACE, key: topic, value });
    return `order ${value}`;
  });
}

const updateTopicPerm = changes({
  name: "updateTopicPerm",
  area: "topics",
  summary: "Change who may use a topic: write, read, both",
  options: {
    topic: TOPIC,
    ...BROKER_OR_CLUSTER,
    perm: word(...PERM_WORDS)({ short: "p", required: true, help: "2 to write, 4 to read, 6 for both" }),
  },
  run: async (admin, values) => {
    const { topic } = values;
    const known = await queuesByBroker(admin, topic);
    const done = await doAt(admin, await namedMasters(admin, values), async (master) => {
      const before = known.get(master.name);
      if (before === undefined) {
        throw new RocketdError("notFound", `Cannot find the topic ${topic} on this broker`, {
          field: "topic",
          value: topic,
        });
      }
      const perm = Number(values.perm);
      await putTopic(admin, master, { ...before, topic, perm, order: false });
      return `perm ${before.perm} is now ${perm}`;
    });
    return doneResult(done);
  },
});

/** Deletes a topic from the masters of a cluster and from all nameservers. */
export async function dropTopic(admin: Admin, clusterName: string, topic: string): Promise<Done[]> {
  const masters = await admin.masters({ clusterName });
  const atBrokers = await doAt(admin, masters, async (master) => {
    await admin.ask(master, DeleteTopicInBroker, { topic });
    return `${topic} is deleted`;
  });
  const atNameservers = await doAt(admin, admin.nameservers, async (nameserver) => {
    await admin.ask(nameserver, DeleteTopicInNamesrv, { topic, clusterName });
    return `${topic} is deleted`;
  });
  return [atBrokers, atNameservers];
}

const deleteTopic = changes({
  name: "deleteTopic",
  area: "topics",
  summary: "Delete a topic from the masters of a cluster and from nameservers",
  options: {
    topic: TOPIC,
    clusterName: text({ short: "c", value: "CLUSTER", required: true, help: "the cluster that it is deleted from" }),
  },
  asks: ({ topic, clusterName }) => `Delete the topic ${topic} with its messages from ${whereTo({ clusterName })}?`,
  run: async (admin, { topic, clusterName }) => doneResult(...await dropTopic(admin, clusterName, topic)),
});

const orderRecord = record("order", { topic: column("Topic", "text"), orderConf: column("Order", "text") });

const updateOrderConf = changes({
  name: "updateOrderConf",
  area: "topics",
  summary: "Set, show or delete how many queues an ordered topic has on each broker",
  options: {
    topic: TOPIC,
    method: word("put", "get", "delete")({ short: "m", required: true, help: "what to do" }),
    orderConf: text({ short: "v", value: "BROKER:N;...", help: "what to put" }),
  },
  asks: ({ topic, method }) => method === "delete" ? `Delete the order of the topic ${topic}?` : undefined,
  run: async (admin, { topic, method, orderConf }) => {
    if (method === "get") return result(orderRecord({ topic, orderConf: await orderOf(admin, topic) ?? null }));
    if (method === "delete") {
      return doneResult(
        await doAt(admin, admin.nameservers, async (nameserver) => {
          await admin.ask(nameserver, DeleteKvConfig, { namespace: ORDER_TOPIC_NAMESPACE, key: topic });
          return "order is deleted";
        }),
      );
    }
    if (orderConf === undefined) {
      throw new RocketdError("invalidArgument", "--orderConf BROKER:N;... is missing", { field: "orderConf" });
    }
    return doneResult(await putOrder(admin, topic, orderConf));
  },
});

/** Commands that change topics. */
export const TOPIC_CHANGES = [updateTopic, updateTopicPerm, deleteTopic, updateOrderConf];
