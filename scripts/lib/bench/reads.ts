/**
 * Rows of reading: catching up from memory and from cold files, the way of a message to a consumer, held pulls, and sends
 * beside a consumer that reads cold files.
 *
 * @module
 */
import { openCluster, warm } from "./cluster.ts";
import {
  costOf,
  figuresOf,
  fill,
  FILL_BYTES,
  type Load,
  makeTopic,
  measured,
  type Place,
  probed,
  runLoad,
} from "./load.ts";
import { forget } from "./meters.ts";
import type { Chapter, Sample, Scene } from "./model.ts";
import { say } from "./processes.ts";
import { loadRow } from "./sends.ts";

const MIB = 2 ** 20;
const QUEUES = 8;
/** Four consumers with two queues each. */
const PULLS = { connections: 4, "in-flight": 2, encoding: "json" } as const;
const HELD_PULLS = 10_000, DELIVERY_RATE = 1_000;
const RECENT = "Recent", RECENT_MIB = 512;
const ALL_RECENT: Load = { kind: "pull", flags: { ...PULLS, topic: RECENT } };
const COLD = "Cold", COLD_MIB = 6144, COLD_PULL_MIB = 192;
/** Beside sends: one consumer, which reads on as soon as it has an answer. */
const LAGGARD = { connections: 1, "in-flight": 1, encoding: "json" } as const;
const BESIDE = { connections: 4, "in-flight": 64, rate: 5_000 } as const;
/** How long the laggard reads before the sends begin, s, and how long those go on at most. */
const LEAD_SECONDS = 0.5, BESIDE_SECONDS_MAX = 3;
/** More would be more cold messages than are "in memory" to a broker, which gives a reader less of the others. */
const COLD_ROUNDS = 3;
/** A range that was read may have been read ahead of as well, offsets of a queue. */
const READ_AHEAD = 2_000;

/** Messages that so many MiB are, a multiple of what fits evenly into batches and queues. */
function messagesIn(mib: number, { options }: Scene): number {
  const step = 32 * QUEUES;
  return Math.max(step, Math.round(mib * options.scale * MIB / FILL_BYTES / step) * step);
}

/** Reading what has just been written, and what is being written. */
const warmReads: Chapter<Place> = {
  name: "reads",
  open: async (scene) => {
    const place = await openCluster(scene, { reads: true });
    await makeTopic(place, RECENT, QUEUES);
    say(`filling ${place.broker.name} with ${Math.round(RECENT_MIB * scene.options.scale)} MiB`);
    await fill(place, RECENT, messagesIn(RECENT_MIB, scene));
    return place;
  },
  rows: [
    {
      name: "pull-memory",
      title: "catch-up from memory, 4 connections × 2 queues, 1 KiB",
      shows: ["rate", "cpuMicros"],
      goals: [{ metric: "rate", atLeast: 1.5 }],
      measure: (place) => measured(place, ALL_RECENT),
      probe: (place, seconds) => probed(place, ALL_RECENT, seconds),
    },
    loadRow("delivery", `send to held pull, ${DELIVERY_RATE.toLocaleString("en")} a second`, {
      connections: 4,
      topic: "Delivery",
      rate: DELIVERY_RATE,
    }, { kind: "e2e", shows: ["p50", "p99"], goals: [{ metric: "p99", atMost: 0.5 }] }),
    {
      ...loadRow(
        "held-10000",
        `the same with ${HELD_PULLS.toLocaleString("en")} held pulls`,
        { connections: 4, topic: "Held", rate: DELIVERY_RATE },
        { kind: "e2e", shows: ["p99", "cpuMicros"] },
      ),
      prepare: (place) => makeTopic(place, "Held", HELD_PULLS),
    },
  ],
};

/** A broker whose store holds much that the machine has nothing of in memory; each range of it is read once. */
interface ColdPlace extends Place {
  /** Offset of each queue from which on nothing was read yet, and where they end. */
  next: number;
  readonly end: number;
  readonly pullMessages: number;
}

/** Reads what was never read; takes as much from each queue as came, and what may have been read ahead. */
async function readCold(place: ColdPlace, flags: Record<string, string | number>, seconds?: number) {
  if (place.next >= place.end) throw new Error("all cold messages were read: fewer rounds or a larger --scale");
  const all = { ...flags, topic: COLD, from: place.next };
  const result = await runLoad(place.broker.address, { kind: "pull", flags: all }, seconds);
  place.next += Math.ceil(result.messages / QUEUES) + READ_AHEAD;
  return result;
}

async function openCold(scene: Scene): Promise<ColdPlace> {
  const place = await openCluster(scene, { cold: true });
  await makeTopic(place, COLD, QUEUES);
  const messages = messagesIn(COLD_MIB, scene);
  say(`filling ${place.broker.name} with ${Math.round(COLD_MIB * scene.options.scale)} MiB`);
  await fill(place, COLD, messages);
  // Pages that a process has mapped stay in memory whatever one asks for.
  await place.broker.stop();
  await forget(place.broker.storeDir);
  await place.broker.start();
  await warm(place, scene, true);
  return { ...place, next: 0, end: messages / QUEUES, pullMessages: messagesIn(COLD_PULL_MIB, scene) };
}

async function beside(place: ColdPlace, wanted: number): Promise<Sample> {
  const seconds = Math.min(wanted, BESIDE_SECONDS_MAX);
  // The reader has begun before the sends, and is there until after them.
  const reading = readCold(place, LAGGARD, seconds + Math.ceil(2 * LEAD_SECONDS)).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  await new Promise((resolve) => setTimeout(resolve, LEAD_SECONDS * 1000));
  const sending = costOf(place, () => runLoad(place.broker.address, { flags: BESIDE }, seconds));
  // The reader is not left to itself when sends fail: it would be there in the round that follows.
  const read = await sending.then(() => reading, () => reading);
  const { result, cost } = await sending;
  if ("error" in read) throw read.error;
  if (place.next >= place.end) throw new Error("the reader came to the end before the sends: a larger --scale");
  return { ...cost, ...figuresOf(result), mib: read.result.mibPerSecond };
}

/** Reading what is on disk only. */
const coldReads: Chapter<ColdPlace> = {
  name: "cold",
  open: openCold,
  rows: [
    {
      name: "pull-cold",
      title: `catch-up from cold files, 4 × 2 queues, 1 KiB`,
      shows: ["rate", "cpuMicros"],
      goals: [{ metric: "rate", atLeast: 1.5 }],
      rounds: COLD_ROUNDS,
      measure: async (place) => {
        const { result, cost } = await costOf(place, () => readCold(place, { ...PULLS, messages: place.pullMessages }));
        return { ...figuresOf(result), ...cost };
      },
    },
    {
      name: "mixed",
      title: `${BESIDE.rate.toLocaleString("en")} sends a second beside one consumer on cold files (MiB/s: its own)`,
      shows: ["p99", "mib"],
      goals: [{ metric: "p99", atMost: 0.7 }],
      rounds: COLD_ROUNDS,
      measure: beside,
    },
  ],
};

/** All rows of reading. */
export const READS: readonly Chapter[] = [warmReads, coldReads];
