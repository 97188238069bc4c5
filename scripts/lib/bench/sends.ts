/**
 * Rows of sends: how many in flight on how many connections, how safe, to how many queues.
 *
 * @module
 */
import { type Cast, openCluster } from "./cluster.ts";
import { type Load, makeTopic, measured, type Place, probed, runLoad } from "./load.ts";
import type { Chapter, Goal, Metric, Row } from "./model.ts";

const SHOWS: readonly Metric[] = ["rate", "p99"];
/** Messages a second that either broker takes with ease. */
const STEADY_RATE = 10_000;
/** With so many queues, a broker takes its time to make the files of all of them; it has so much of it, s. */
const MANY_QUEUES = 10_000, FILES_SECONDS = 35;

interface More {
  readonly shows?: readonly Metric[];
  readonly goals?: readonly Goal[];
  readonly limit?: string;
  readonly kind?: Load["kind"];
}

/** A row that loads a broker, and counts its system calls afterwards. */
export function loadRow(name: string, title: string, flags: Load["flags"], more: More = {}): Row<Place> {
  const { kind = "send", shows = SHOWS, ...rest } = more;
  const load: Load = { kind, flags };
  return {
    name,
    title,
    shows,
    ...rest,
    measure: (place, seconds) => measured(place, load, seconds),
    probe: (place, seconds) => probed(place, load, seconds),
  };
}

function atLeast(ratio: number, metric: Metric = "rate"): Goal {
  return { metric, atLeast: ratio };
}

function atMost(ratio: number, metric: Metric): Goal {
  return { metric, atMost: ratio };
}

function chapter(name: string, cast: Cast, rows: readonly Row<Place>[]): Chapter<Place> {
  return { name, open: (scene) => openCluster(scene, cast), rows };
}

const ACTIVE = "connections with one send of 1 KiB in flight each";

/** To a topic with so many queues. */
function queuesRow(queues: number, goals: readonly Goal[] = []): Row<Place> {
  const topic = `Queues${queues}`;
  const flags = { connections: 4, "in-flight": 16, topic };
  const title = `topic with ${queues.toLocaleString("en")} queue${queues === 1 ? "" : "s"}`;
  return {
    ...loadRow(`queues-${queues}`, `1 KiB, 4 connections × 16 in flight, ${title}`, flags, { goals }),
    prepare: async (place) => {
      await makeTopic(place, topic, queues);
      if (queues >= MANY_QUEUES) {
        await runLoad(place.broker.address, { flags: { ...flags, rate: STEADY_RATE } }, FILES_SECONDS);
      }
    },
  };
}

/** All sends, in chapters whose stores do not grow too large for the disk. */
export const SENDS: readonly Chapter<Place>[] = [
  chapter("sends", {}, [
    loadRow("send-4x16", "1 KiB, 4 connections × 16 in flight", { connections: 4, "in-flight": 16 }, {
      goals: [atLeast(2), atMost(0.4, "p99")],
      limit: "limit-4x16",
    }),
    loadRow("send-4x64", "1 KiB, 4 × 64", { connections: 4, "in-flight": 64 }, {
      goals: [atLeast(1.7)],
      limit: "limit-4x64",
    }),
    loadRow("send-1x1", "1 KiB, 1 × 1", { connections: 1, "in-flight": 1 }, {
      goals: [atLeast(1.6)],
      limit: "limit-1x1",
    }),
    loadRow("send-64x1", "1 KiB, 64 × 1", { connections: 64, "in-flight": 1 }, {
      goals: [atLeast(1.5)],
      limit: "limit-64x1",
    }),
  ]),
  chapter("forms", {}, [
    loadRow("json-4x16", "JSON headers, 1 KiB, 4 × 16", { connections: 4, "in-flight": 16, encoding: "json" }, {
      goals: [atLeast(2)],
      limit: "limit-json-4x16",
    }),
    loadRow("json-4x64", "JSON headers, 1 KiB, 4 × 64", { connections: 4, "in-flight": 64, encoding: "json" }),
    loadRow("json-1x1", "JSON headers, 1 KiB, 1 × 1", { connections: 1, "in-flight": 1, encoding: "json" }),
    loadRow("batch", "batches of 32 × 128 B, 4 connections × 16 in flight", {
      connections: 4,
      "in-flight": 16,
      size: 128,
      "batch-size": 32,
    }, { kind: "batch", goals: [atLeast(2)], limit: "limit-batch" }),
    loadRow(
      "steady",
      `${STEADY_RATE.toLocaleString("en")} sends of 1 KiB a second`,
      { connections: 4, "in-flight": 64, rate: STEADY_RATE },
      { shows: ["p99", "cpuMicros"] },
    ),
  ]),
  chapter("connections", {}, [
    loadRow("connections-10", `10 ${ACTIVE}`, { connections: 10, "in-flight": 1 }),
    loadRow("connections-1000", `1,000 ${ACTIVE}`, { connections: 1000, "in-flight": 1 }),
    loadRow("connections-5000", `5,000 ${ACTIVE}`, { connections: 5000, "in-flight": 1 }),
  ]),
  chapter("flush", { settings: { flushDiskType: "SYNC_FLUSH" } }, [
    loadRow("sync-flush", "SYNC_FLUSH, 1 KiB, 64 in flight", { connections: 4, "in-flight": 16 }, {
      goals: [atLeast(1.5)],
      limit: "limit-flush",
    }),
  ]),
  chapter("pair", { settings: { brokerRole: "SYNC_MASTER" }, slave: true }, [
    loadRow("sync-master", "SYNC_MASTER with a slave, 1 KiB, 64 in flight", { connections: 4, "in-flight": 16 }, {
      goals: [atLeast(2)],
    }),
  ]),
  chapter("queues", {}, [
    queuesRow(1),
    queuesRow(100),
    queuesRow(10_000, [{ metric: "rate", atLeast: 0.85, against: "queues-1" }]),
  ]),
];
