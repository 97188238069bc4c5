/**
 * How fast a slave catches up that is 1 GiB behind, and what that does to the latency of sends to the master, which are
 * going on meanwhile.
 *
 * @module
 */
import { logOf } from "../../../tests/cluster/replication.ts";
import { delay, type Node } from "../../../tests/launch.ts";
import { freePort } from "../../../tests/ports.ts";
import { spread } from "./arithmetic.ts";
import { openCluster, startSlave } from "./cluster.ts";
import { type Load, type Place, runLoad } from "./load.ts";
import type { Chapter, Sample, Scene } from "./model.ts";
import { run, say } from "./processes.ts";

const BEHIND_BYTES = 2 ** 30;
/** What fills the log, and the load whose latency counts: one send at a time on each connection. */
const FILL: Load = { flags: { connections: 4, "in-flight": 16, size: 4000 } };
const PROBE: Load = { flags: { connections: 2, "in-flight": 1 } };
const WINDOW_SECONDS = 1, WINDOWS_BEFORE = 3;
const POLL_MS = 20;
const PATIENCE_MS = 180_000;

/** A master, filled, and a slave that is behind whenever it is started. */
interface Pair extends Place {
  readonly slave: () => Promise<Node>;
}

async function reaches(node: Node, offset: number): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; (await logOf(node)).max < offset; await delay(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`${node.name} does not catch up:\n${await node.log()}`);
  }
}

async function p99Of({ broker }: Place): Promise<number> {
  return (await runLoad(broker.address, PROBE, WINDOW_SECONDS)).latencyMs.p99;
}

async function open(scene: Scene): Promise<Pair> {
  const place = await openCluster(scene);
  const { nameserver, broker: master } = place;
  const dir = await Deno.makeTempDir({ prefix: "catch-up-" });
  scene.stack.defer(() => Deno.remove(dir, { recursive: true }));
  const kept = `${dir}/kept`, used = `${dir}/used`, port = freePort();
  const start = (storeDir: string) => startSlave(scene, nameserver, { port, storeDir });
  {
    // One that was there at the beginning: a fresh Java slave would be sent the last file only.
    await using slave = await start(kept);
    await reaches(slave, (await logOf(master)).max);
    await slave.stop();
  }
  const end = (await logOf(master)).max + BEHIND_BYTES * scene.options.scale;
  say(`filling ${master.name}`);
  while ((await logOf(master)).max < end) await runLoad(master.address, FILL, 1);
  const slave = async () => {
    await Deno.remove(used, { recursive: true }).catch(() => {});
    // A new copy of the store that is behind.
    await run("cp", "-a", "--sparse=always", kept, used);
    return await start(used);
  };
  return { ...place, slave };
}

async function catchUp(place: Pair): Promise<Sample> {
  const { broker: master } = place;
  const before: number[] = [], during: number[] = [];
  for (let n = 0; n < WINDOWS_BEFORE; n++) before.push(await p99Of(place));
  const target = (await logOf(master)).max;
  const started = performance.now();
  await using slave = await place.slave();
  const { max: first } = await logOf(slave);
  await reaches(slave, first + 1);
  const begun = performance.now(), had = (await logOf(slave)).max;
  let ended: number | undefined;
  const arriving = reaches(slave, target).then(() => ended = performance.now());
  // When sends fail nobody waits for it any more.
  arriving.catch(() => {});
  while (ended === undefined) {
    // A failure of the slave ends this too.
    const p99 = await Promise.race([p99Of(place), arriving.then(() => undefined)]);
    if (p99 !== undefined) during.push(p99);
  }
  const middle = (values: readonly number[]) => spread(values)?.middle ?? NaN;
  return {
    mib: (target - had) / 2 ** 20 / ((ended - begun) / 1000),
    seconds: (ended - started) / 1000,
    before: middle(before),
    ...(during.length > 0 ? { p99: middle(during), worst: Math.max(...during) } : {}),
  };
}

/** The slave's row. */
export const REPLICATION: readonly Chapter<Pair>[] = [{
  name: "replication",
  open,
  rows: [{
    name: "slave-catch-up",
    title: "slave that is 1 GiB behind (p99: of sends to the master meanwhile)",
    shows: ["mib", "p99"],
    warms: false,
    measure: catchUp,
  }],
}];
