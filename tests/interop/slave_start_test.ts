/**
 * Where our slave begins to copy a Java master's log: at its oldest byte, wherever that is, and nowhere when the master
 * has another log. The slave runs in this process, the master is a real one.
 *
 * @module
 */
import { Producer } from "../../src/client/mod.ts";
import { HaSlave } from "../../src/ha/slave.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { assert, assertEquals, assertMatch } from "../../src/std.ts";
import { MessageStore, storeOptions } from "../../src/store/mod.ts";
import { logOf } from "../cluster/replication.ts";
import { hasJava } from "../java.ts";
import { delay, type Node, startJavaBroker } from "../launch.ts";
import { startNameserver } from "./cluster.ts";

const FILE_BYTES = 1 << 20;
const SETTINGS = { mappedFileSizeCommitLog: FILE_BYTES, maxMessageSize: 128 << 10, transactionCheckInterval: 600_000 };

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 60_000;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await delay(20);
  }
}

/** A Java broker cannot tell of itself in its first second. */
async function logOnce(master: Node): Promise<{ min: number; max: number }> {
  await until(() => logOf(master).then(() => true, () => false), "the runtime info");
  return await logOf(master);
}

/** A store in its own folder, and the slave that fills it. */
class Copy implements AsyncDisposable {
  readonly slave: HaSlave;

  private constructor(readonly dir: string, readonly store: MessageStore, master: Node) {
    const settings = { haSendHeartbeatInterval: 1_000, haHousekeepingInterval: 20_000 };
    // As a broker that asks its master: what fails is asked again, and -1 is a log without a file.
    const unknown = { oldest: undefined, end: undefined };
    const masterLog = () => logOf(master).then(({ min, max }) => ({ oldest: min, end: max }), () => unknown);
    this.slave = new HaSlave({ store, settings, clock: systemClock, masterLog });
    this.slave.setMaster(`127.0.0.1:${master.port + 1}`);
  }

  static async of(master: Node, dir = Deno.makeTempDirSync({ prefix: "rocketd-slave-" })): Promise<Copy> {
    const options = storeOptions({ rootDir: dir, mappedFileSizeCommitLog: FILE_BYTES, brokerRole: "SLAVE" });
    return new Copy(dir, await MessageStore.open(options, { disk: denoDisk, clock: systemClock }), master);
  }

  async holdsAllOf(master: Node): Promise<void> {
    const { min, max } = await logOnce(master);
    await until(() => this.store.maxLogOffset === max, `offset ${max}; ${this.slave.status.lastError}`);
    for (let start = Math.max(min, 0); start < max; start += FILE_BYTES) {
      const file = `commitlog/${String(start).padStart(20, "0")}`;
      const [theirs, ours] = [master.storeDir, this.dir].map((dir) => Deno.readFileSync(`${dir}/${file}`));
      assertEquals(ours!.length, FILE_BYTES);
      assert(theirs!.every((byte, i) => start + i >= max || byte === ours![i]), `${file} differs`);
    }
    assertEquals(this.store.minLogOffset, Math.max(min, 0));
  }

  /** Stops the slave; its files stay. */
  async close(): Promise<void> {
    if (this.slave.status.state === "closed") return;
    await this.slave.close();
    await this.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await Deno.remove(this.dir, { recursive: true }).catch(() => {});
  }
}

async function fill(namesrvAddr: string, count: number): Promise<void> {
  await using producer = new Producer({ nameservers: namesrvAddr, timeoutMs: 20_000 });
  const body = crypto.getRandomValues(new Uint8Array(20_000));
  for (let i = 0; i < count; i++) await producer.send({ topic: "Interop-slave-start", body });
}

Deno.test({
  name: "our slave copies a Java master's log from its oldest byte on, and no other log",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nodes = new AsyncDisposableStack();
    const nameserver = nodes.use(await startNameserver("rocketd"));
    const options = { namesrvAddr: nameserver.address, settings: SETTINGS };
    const master = nodes.use(await startJavaBroker(options));
    const step = async (name: string, work: () => Promise<void>) => assert(await t.step(name, work), name);

    const early = nodes.use(await Copy.of(master));
    await step("from the first message, when there was none before", async () => {
      await until(() => early.slave.status.state === "copying", "a connection without a message");
      await fill(nameserver.address, 20);
      await early.holdsAllOf(master);
    });
    await step("from offset 0, when the log has several files", async () => {
      await fill(nameserver.address, 120);
      assert((await logOf(master)).max > 2 * FILE_BYTES);
      await using late = await Copy.of(master);
      await late.holdsAllOf(master);
      assertEquals(late.store.minLogOffset, 0);
    });
    await step("from its own end, when it was away", async () => {
      await early.close();
      await fill(nameserver.address, 60);
      await using again = await Copy.of(master, early.dir);
      await again.holdsAllOf(master);
    });
    await step("from the oldest file, when the first is gone", async () => {
      await master.stop();
      Deno.removeSync(`${master.storeDir}/commitlog/${"0".repeat(20)}`);
      await master.start();
      await using late = await Copy.of(master);
      await late.holdsAllOf(master);
      assertEquals(late.store.minLogOffset, FILE_BYTES);
    });
    await step("not at all, when the master has lost the end of its log", async () => {
      await using late = await Copy.of(master);
      await late.holdsAllOf(master);
      const { max } = await logOnce(master);
      await master.stop();
      Deno.removeSync(master.storeDir, { recursive: true });
      await master.start();
      await fill(nameserver.address, 10);
      const reason = () => late.slave.status.lastError ?? "";
      await until(() => /this slave's ends at|does not have that/.test(reason()), `a refusal; ${reason()}`);
      await fill(nameserver.address, 300);
      assert((await logOnce(master)).max > max);
      await until(() => /has another log than this slave/.test(reason()), `another refusal; ${reason()}`);
      assertMatch(reason(), /store away/);
      assertEquals(late.store.maxLogOffset, max);
    });
  },
});
