/**
 * A nameserver, a master and, where wanted, a slave of one side, warm.
 *
 * @module
 */
import {
  type Node,
  type Settings,
  startJavaBroker,
  startJavaNameserver,
  startJavaSlave,
  startRocketd,
} from "../../../tests/launch.ts";
import { caughtUp } from "../../../tests/cluster/replication.ts";
import { type Load, type Place, runLoad } from "./load.ts";
import type { Scene, Side } from "./model.ts";
import { say } from "./processes.ts";

/**
 * The Java machine as an operator would run it (bin/runbroker.sh), but for a heap that suits this machine, none of
 * which is touched beforehand: that would cost time at its start, and memory.
 */
const JVM = [
  "-server",
  "-Xms2g",
  "-Xmx2g",
  "-XX:+UseG1GC",
  "-XX:G1HeapRegionSize=16m",
  "-XX:G1ReservePercent=25",
  "-XX:InitiatingHeapOccupancyPercent=30",
  "-XX:SoftRefLRUPolicyMSPerMB=0",
  "-XX:-OmitStackTraceInFastThrow",
  "-XX:MaxDirectMemorySize=2g",
  "-XX:-UseLargePages",
];

/** Loads, each for a share of the time that warming takes. */
type Warming = readonly { readonly load: Load; readonly share: number }[];

/** What warms a node. */
const SENDING: Warming = [
  { load: { flags: { connections: 4, "in-flight": 64 } }, share: 2 / 3 },
  { load: { flags: { connections: 4, "in-flight": 16, encoding: "json" } }, share: 1 / 3 },
];
/** What warms a node besides that will be read from: these are read, and new ones by held pulls. */
const READING: Warming = [
  { load: { kind: "pull", flags: { connections: 4, "in-flight": 2, encoding: "json" } }, share: 1 / 3 },
  { load: { kind: "e2e", flags: { connections: 4, topic: "Warm", rate: 5_000 } }, share: 1 / 3 },
];
const SOME_MESSAGES = 100;
/** Ours has no more to gain after some seconds. */
const OURS_WARM_SECONDS_MAX = 6;

/** Settings of the master, and of a slave beside it if there is to be one. */
export interface Cast {
  readonly settings?: Settings;
  readonly slave?: boolean;
  /** Without a load before it is used. */
  readonly cold?: boolean;
  /** Whether it will be read from as well, and is to be warm for that. */
  readonly reads?: boolean;
}

/** Lets all nodes of ours be of that side's binary while they are started. */
async function withBinary<T>(scene: Scene, side: Side, start: () => Promise<T>): Promise<T> {
  const usual = Deno.env.get("ROCKETD_BIN")!;
  const { beside } = scene.options;
  if (side !== "other" || beside === undefined) return await start();
  Deno.env.set("ROCKETD_BIN", beside);
  try {
    return await start();
  } finally {
    Deno.env.set("ROCKETD_BIN", usual);
  }
}

/** Starts the nodes of a side, ours unless the side is Java; they are stopped with the scene. */
export async function openCluster(scene: Scene, cast: Cast = {}, side: Side = scene.side): Promise<Place> {
  const { stack } = scene;
  const java = side === "java";
  const nameserver = stack.use(
    await (java ? startJavaNameserver() : withBinary(scene, side, () => startRocketd({ role: "nameserver" }))),
  );
  const options = { namesrvAddr: nameserver.address, jvm: JVM, settings: cast.settings ?? {} };
  const broker = stack.use(
    await (java
      ? startJavaBroker(options)
      : withBinary(scene, side, () => startRocketd({ role: "master", ...options }))),
  );
  scene.processes.push(nameserver, broker);
  const servers = [broker];
  if (cast.slave) {
    const slave = stack.use(await startSlave(scene, nameserver, {}, side));
    servers.push(slave);
    // A Java slave asks for messages 5 s after its start; until then sends are refused.
    await runLoad(broker.address, { flags: { messages: SOME_MESSAGES, "wait-store": "false" } });
    await caughtUp(broker, slave);
  }
  const place = { side, nameserver, broker, servers };
  if (!cast.cold) await warm(place, scene, cast.reads);
  return place;
}

/** Starts a slave of the side's master. */
export async function startSlave(
  scene: Scene,
  nameserver: Node,
  where: { readonly port?: number; readonly storeDir?: string } = {},
  side: Side = scene.side,
): Promise<Node> {
  const options = { namesrvAddr: nameserver.address, jvm: JVM, ...where };
  const slave =
    await (side === "java"
      ? startJavaSlave(options)
      : withBinary(scene, side, () => startRocketd({ role: "slave", ...options })));
  scene.processes.push(slave);
  return slave;
}

/** Loads a broker until it is as fast as it will be; `reads`: at being read from, too. */
export async function warm({ side, broker }: Place, { options }: Scene, reads = false): Promise<void> {
  const seconds = side === "java" ? options.warm : Math.min(options.warm, OURS_WARM_SECONDS_MAX);
  if (seconds === 0) return;
  say(`warming ${broker.name} for ${seconds} s${reads ? ", and at reads" : ""}`);
  for (const { load, share } of [...SENDING, ...reads ? READING : []]) {
    const until = performance.now() + seconds * share * 1000;
    // Who reads may come to the end before, and begins anew.
    for (let left = seconds * share; left > 0; left = (until - performance.now()) / 1000) {
      await runLoad(broker.address, load, Math.max(1, Math.round(left)));
    }
  }
}
