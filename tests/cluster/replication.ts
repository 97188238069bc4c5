/**
 * What tests of replication share: how far a node's log goes, and whether two nodes have the same files and tables.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { parseFastJson } from "../../src/protocol/fastjson.ts";
import type { MessageRecord } from "../../src/protocol/message_record.ts";
import { RequestCode } from "../../src/protocol/request_codes.ts";
import { delay, type Node } from "../launch.ts";
import { ask } from "../probe.ts";

/** Small files, so that a little load fills several. */
export const SMALL_FILES = {
  mappedFileSizeCommitLog: 2 << 20,
  mappedFileSizeConsumeQueue: 20 * 1000,
  maxMessageSize: 1 << 20,
};

const PATIENCE_MS = 90_000;
const POLL_MS = 50;
const STATISTICS_MS = 30_000;

/** Waits until `look` finds nothing wrong any more. Throws with what it found last. */
export async function eventually(what: string, look: () => Promise<string | undefined>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (true) {
    const wrong = await look().catch((error) => String(error));
    if (wrong === undefined) return;
    if (Date.now() > deadline) throw new Error(`${what}: not so after ${PATIENCE_MS} ms: ${wrong}`);
    await delay(POLL_MS);
  }
}

/** The ends of a broker's log, as it tells operators. */
export async function logOf(node: Node): Promise<{ min: number; max: number }> {
  let answer = await ask(node.port, RequestCode.GET_BROKER_RUNTIME_INFO);
  // Java 4.9.7 fails (NoSuchElementException) until its statistics have their first entry, a second after the start.
  for (let tries = 0; answer.remark.includes("NoSuchElementException") && tries < STATISTICS_MS / POLL_MS; tries++) {
    await delay(POLL_MS);
    answer = await ask(node.port, RequestCode.GET_BROKER_RUNTIME_INFO);
  }
  const { code, remark, body } = answer;
  if (code !== 0) throw new Error(`${node.name} tells no runtime info: ${code} ${remark}`);
  const { table } = parseFastJson(body) as { table: Record<string, string> };
  return { min: Number(table["commitLogMinOffset"]), max: Number(table["commitLogMaxOffset"]) };
}

/** Waits until a slave has all that its master has. The master must be at rest. */
export async function caughtUp(master: Node, slave: Node): Promise<void> {
  await eventually(`${slave.name} has the log of ${master.name}`, async () => {
    const [ours, theirs] = [await logOf(slave), await logOf(master)];
    return ours.max === theirs.max ? undefined : `its log ends at ${ours.max}, the master's at ${theirs.max}`;
  });
}

/** The files below a folder by their paths in it. */
function filesBelow(root: string, folder = ""): string[] {
  try {
    return [...Deno.readDirSync(`${root}/${folder}`)].flatMap(({ name, isDirectory }) =>
      isDirectory ? filesBelow(root, `${folder}${name}/`) : [`${folder}${name}`]
    );
  } catch {
    return [];
  }
}

/** Where two files differ; a missing one, or the part that one has less, counts as zeros. */
function difference(a: string, b: string): number | undefined {
  const read = (path: string) => {
    try {
      return Deno.readFileSync(path);
    } catch {
      return new Uint8Array();
    }
  };
  const [left, right] = [read(a), read(b)];
  const common = Math.min(left.length, right.length);
  if (Buffer.compare(left.subarray(0, common), right.subarray(0, common)) !== 0) {
    return left.findIndex((byte, at) => byte !== right[at]);
  }
  const rest = (left.length > common ? left : right).subarray(common);
  const at = rest.findIndex((byte) => byte !== 0);
  return at < 0 ? undefined : common + at;
}

/**
 * Waits until the commit logs of two nodes at rest are the same byte for byte, and their consume queues too.
 *
 * @param from the log offset at which the slave's first file begins: a Java slave that joins late has no more
 */
export async function sameFiles(master: Node, slave: Node, from = 0): Promise<void> {
  const folders = from === 0 ? ["commitlog", "consumequeue"] : ["commitlog"];
  await eventually(`${slave.name} has the files of ${master.name}`, () => {
    for (const folder of folders) {
      const [mine, theirs] = [`${master.storeDir}/${folder}/`, `${slave.storeDir}/${folder}/`];
      const names = new Set([...filesBelow(mine), ...filesBelow(theirs)]);
      if (names.size === 0) return Promise.resolve(`${mine} has no files`);
      for (const name of [...names].sort()) {
        if (from > 0 && Number(name) < from) continue;
        const at = difference(mine + name, theirs + name);
        if (at !== undefined) return Promise.resolve(`${folder}/${name} differs at byte ${at}`);
      }
    }
    return Promise.resolve(undefined);
  });
}

/** Tables that a slave copies, by request code, and the member of the answer that counts. */
const TABLES = [
  [RequestCode.GET_ALL_TOPIC_CONFIG, "topicConfigTable"],
  [RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, "subscriptionGroupTable"],
  [RequestCode.GET_ALL_CONSUMER_OFFSET, "offsetTable"],
] as const;

async function table(node: Node, code: number, member: string): Promise<string> {
  const answer = await ask(node.port, code);
  if (answer.code !== 0) throw new Error(`${node.name} answers request ${code} with ${answer.code} ${answer.remark}`);
  return sorted((parseFastJson(answer.body) as Record<string, unknown>)[member]);
}

/** The same text for the same contents, in whatever order. */
function sorted(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  );
}

/** Waits until a slave has the topics, groups, offsets and delay offsets of its master. */
export async function sameTables(master: Node, slave: Node): Promise<void> {
  for (const [code, member] of TABLES) {
    await eventually(`${slave.name} has the ${member} of ${master.name}`, async () => {
      const [mine, theirs] = [await table(master, code, member), await table(slave, code, member)];
      return mine === theirs ? undefined : `master ${mine}\nslave ${theirs}`;
    });
  }
  await eventually(`${slave.name} has the delay offsets of ${master.name}`, async () => {
    // A slave keeps them for the day on which it is started as master: in the file.
    const offsets = (text: string) => sorted((parseFastJson(text) as { offsetTable: unknown }).offsetTable);
    const mine = offsets((await ask(master.port, RequestCode.GET_ALL_DELAY_OFFSET)).body);
    const file = `${slave.storeDir}/config/delayOffset.json`;
    // There is none as long as there is nothing to keep.
    const theirs = offsets(await Deno.readTextFile(file).catch(() => '{"offsetTable":{}}'));
    return mine === theirs ? undefined : `master ${mine}, slave ${theirs}`;
  });
}

/** All that matters of a record, so that those of two nodes can be compared. */
export function essence(records: readonly MessageRecord[]): string[] {
  const decoder = new TextDecoder("latin1");
  return records.map(({ queueId, queueOffset, physicalOffset, storeTimestamp, properties, body }) =>
    [queueId, queueOffset, physicalOffset, storeTimestamp, String(properties), decoder.decode(body)].join("|")
  );
}
