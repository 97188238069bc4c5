/**
 * Rows of a broker's life: how long it takes to start on a full store, and the memory it has after many messages.
 *
 * @module
 */
import type { Node } from "../../../tests/launch.ts";
import { brokerAnswers } from "../../../tests/probe.ts";
import { openCluster } from "./cluster.ts";
import { fill, FILL_BYTES, type Load, measured, type Place, runLoad } from "./load.ts";
import { memory } from "./meters.ts";
import type { Chapter, Row, Sample } from "./model.ts";
import { say } from "./processes.ts";

const STORE_GIB = 2;
const POLL_MS = 5;
/** What comes just before a broker is killed: as many for all sides, whose recovery takes the longer the more it is. */
const LAST_SENDS: Load = { flags: { connections: 4, "in-flight": 16, messages: 50_000 } };
const MILLION = 1_000_000;
/** Small, so that the store stays small. */
const BODY_BYTES = 100;

/** Seconds from the start of the process until the broker answers. */
async function startTime(broker: Node): Promise<number> {
  const began = performance.now();
  const starting = broker.start();
  let answered: number | undefined, over = false;
  const settled = starting.then(() => {}, () => {}).finally(() => over = true);
  while (answered === undefined && !over) {
    if (await brokerAnswers(broker.port)) answered = performance.now();
    else await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await settled;
  await starting;
  return ((answered ?? performance.now()) - began) / 1000;
}

async function restarted({ broker, servers }: Place): Promise<Sample> {
  const seconds = await startTime(broker);
  return { seconds, ...memory(servers.map(({ pid }) => pid)) };
}

const starts: Chapter<Place> = {
  name: "starts",
  open: async (scene) => {
    const place = await openCluster(scene, { cold: true });
    const gib = STORE_GIB * scene.options.scale;
    say(`filling ${place.broker.name} with ${gib} GiB`);
    await fill(place, "Bench", Math.max(1, Math.round(gib * 2 ** 30 / FILL_BYTES)));
    return place;
  },
  rows: [
    {
      name: "start-clean",
      title: `start on ${STORE_GIB} GiB after an orderly end, until it answers`,
      shows: ["seconds"],
      goals: [{ metric: "seconds", atMost: 0.2 }],
      measure: async (place) => {
        await place.broker.stop();
        return await restarted(place);
      },
    },
    {
      name: "start-killed",
      title: `start on ${STORE_GIB} GiB after SIGKILL just behind 50,000 sends, until it answers`,
      shows: ["seconds"],
      goals: [{ metric: "seconds", atMost: 0.2 }],
      measure: async (place) => {
        await runLoad(place.broker.address, LAST_SENDS);
        await place.broker.kill();
        return await restarted(place);
      },
    },
  ],
};

/** A broker that counts what it was sent. */
interface Memorizing extends Place {
  readonly scale: number;
  sent: number;
}

function memoryRow(millions: number, title: string): Row<Memorizing> {
  return {
    name: `memory-${millions}m`,
    title: `memory after ${title} messages`,
    shows: ["resident", "private"],
    goals: [{ metric: "resident", atMost: 0.25 }],
    warms: false,
    rounds: 1,
    measure: async (place) => {
      const messages = Math.max(1, millions * MILLION * place.scale - place.sent);
      place.sent += messages;
      const flags = { connections: 4, "in-flight": 64, size: BODY_BYTES, messages };
      return await measured(place, { flags });
    },
  };
}

const memories: Chapter<Memorizing> = {
  name: "memory",
  open: async (scene) => {
    return { ...await openCluster(scene, { cold: true }), scale: scene.options.scale, sent: 0 };
  },
  rows: [memoryRow(1, "a million"), memoryRow(10, "ten million")],
};

/** All rows of a broker's life. */
export const LIFE: readonly Chapter[] = [starts, memories];
