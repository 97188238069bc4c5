/**
 * Which brokers and queues to measure: as nameservers tell, or all that one broker has of the topic.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { GetTopicStatsInfo } from "../../protocol/admin_requests.ts";
import { decodeTopicStats, type TopicOffset } from "../../protocol/bodies/topic_stats.ts";
import { ResponseCode } from "../../protocol/codes.ts";
import { RemotingClient, succeed } from "../../remoting/client.ts";
import { NEW_TOPIC_QUEUES, RouteBook } from "../routes.ts";
import type { LoadOptions } from "./options.ts";

/** A queue, and where reading it begins. */
export interface TargetQueue {
  readonly queueId: number;
  readonly offset: number;
}

/** A broker's address, and the queues to use there. */
export interface Target {
  readonly address: string;
  readonly queues: readonly TargetQueue[];
}

interface Place {
  readonly address: string;
  readonly queueId: number;
}

type Ends = ReadonlyMap<number, TopicOffset>;

/**
 * The brokers that have the topic, or (unless it is only to be read) would create it. Rejects with `notFound`,
 * `unavailable`, or `invalidArgument` when the topic has too few queues.
 */
export async function findTargets(options: LoadOptions): Promise<Target[]> {
  const { target, topic, kind, from, queues: wanted, sign, tls } = options;
  using client = new RemotingClient({ sign, tls });
  const reads = kind === "pull" || kind === "e2e";
  const ends = new Map<string, Ends | undefined>();
  const askEnds = async (address: string) => ends.set(address, await endsOf(client, address, options, reads));
  let places: Place[];
  if ("broker" in target) {
    await askEnds(target.broker);
    const known = ends.get(target.broker);
    if (known === undefined && kind === "pull") throw notFound(topic, target.broker);
    const ids = known === undefined
      ? Array.from({ length: wanted ?? NEW_TOPIC_QUEUES }, (_, i) => i)
      : [...known.keys()];
    places = ids.map((queueId) => ({ address: target.broker, queueId }));
  } else {
    places = await placesOf(new RouteBook(client, target.nameservers), options);
    const addresses = new Set(places.map(({ address }) => address));
    if (reads && typeof from !== "number") await Promise.all([...addresses].map(askEnds));
  }
  places.sort((a, b) => a.queueId - b.queueId || (a.address < b.address ? -1 : 1));
  if (places.length < (wanted ?? 1)) throw tooFewQueues(topic, places.length, wanted);
  const byAddress = Map.groupBy(places.slice(0, wanted), ({ address }) => address);
  return [...byAddress].map(([address, queues]) => ({
    address,
    queues: queues.map(({ queueId }) => ({ queueId, offset: beginning(options, ends.get(address)?.get(queueId)) })),
  }));
}

function beginning({ kind, from }: LoadOptions, ends: TopicOffset | undefined): number {
  if (kind === "e2e") return ends?.maxOffset ?? 0;
  if (typeof from === "number") return from;
  return (from === "first" ? ends?.minOffset : ends?.maxOffset) ?? 0;
}

async function placesOf(book: RouteBook, { topic, kind }: LoadOptions): Promise<Place[]> {
  const route = kind === "pull" ? await book.find(topic) : await book.findOrBorrow(topic);
  const queues = kind === "pull" ? route.readable : route.writable;
  return queues.flatMap(({ brokerName, queueId }) => {
    const address = kind === "pull" ? route.reader(brokerName) : route.master(brokerName);
    return address === undefined ? [] : [{ address, queueId }];
  });
}

/**
 * How far a broker's queues of a topic go, by queue id; undefined when it does not have the topic, or does not tell,
 * which only who reads cannot do without (`must`).
 */
async function endsOf(
  client: RemotingClient,
  address: string,
  { topic, timeoutMs }: LoadOptions,
  must: boolean,
): Promise<Ends | undefined> {
  const answer = await client.invoke(address, GetTopicStatsInfo, { topic }, undefined, timeoutMs);
  if (answer.code === ResponseCode.TOPIC_NOT_EXIST || (answer.code !== ResponseCode.SUCCESS && !must)) return undefined;
  const { body } = succeed(answer, `asking ${address} for the queues of ${topic}`);
  return new Map([...decodeTopicStats(body)].map(([{ queueId }, offsets]) => [queueId, offsets]));
}

function notFound(topic: string, broker: string): RocketdError {
  return new RocketdError("notFound", `Cannot find the topic ${topic}: ${broker} does not have it`, {
    field: "topic",
    value: topic,
  });
}

function tooFewQueues(topic: string, count: number, wanted: number | undefined): RocketdError {
  if (wanted === undefined) {
    return new RocketdError("unavailable", `Cannot use the topic ${topic}: no broker offers a queue of it`);
  }
  const message = `Cannot use ${wanted} queues of ${topic}: there are ${count}`;
  return new RocketdError("invalidArgument", message, { field: "queues", value: wanted, allowed: `up to ${count}` });
}
