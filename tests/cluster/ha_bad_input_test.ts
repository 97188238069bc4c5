/**
 * What no slave should say, on the port for slaves: none of it harms the master. And what a slave says that was pointed
 * at the wrong place.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import { SendMessageV2 } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals, assertMatch } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { delay, type Node, startRocketd } from "../launch.ts";
import { freePort } from "../ports.ts";
import { caughtUp, eventually, logOf, sameFiles, SMALL_FILES } from "./replication.ts";

const TIMEOUT_MS = 20_000;
const CONNECTIONS = 1000;
/** Peers that never read, and what is written meanwhile: far more than sockets hold. */
const DEAF = 20, DEAF_MESSAGES = 800, DEAF_BODY_BYTES = 60_000;
/** What the process may grow by: a heap breathes, but all of the above for each peer has GiB. */
const GROWTH_MAX_MIB = 200;
const SETTINGS = {
  ...SMALL_FILES,
  mappedFileSizeCommitLog: 64 << 20,
  haHousekeepingInterval: 3000,
  haSendHeartbeatInterval: 500,
};

/** A report as a slave sends it. */
function report(end: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, end);
  return bytes;
}

function residentMib({ pid }: Node): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]) / 1024;
}

/** A connection to the port for slaves. */
class Peer implements Disposable {
  #open = true;

  private constructor(readonly conn: Deno.TcpConn) {}

  static async connect(master: Node): Promise<Peer> {
    return new Peer(await Deno.connect({ hostname: "127.0.0.1", port: master.port + 1 }));
  }

  /** The master may have closed it: that is what some of this is about. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
    } catch {
      // It has.
    }
  }

  /** Reads what comes until so many bytes are there, or the master closes. */
  async read(most: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(most);
    let filled = 0;
    while (filled < most) {
      const count = await this.conn.read(bytes.subarray(filled)).catch(() => null);
      if (count === null) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  [Symbol.dispose](): void {
    if (this.#open) this.conn.close();
    this.#open = false;
  }
}

Deno.test("nothing on the port for slaves harms the master", async (t) => {
  await using nodes = new AsyncDisposableStack();
  using client = new RemotingClient();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const options = { namesrvAddr: nameserver.address, settings: SETTINGS };
  const master = nodes.use(await startRocketd({ role: "master", ...options }));
  const send = async (bytes = 100) => {
    const header = sendHeader({ properties: "" });
    const { code, remark } = await client.invoke(
      master.address,
      SendMessageV2,
      header,
      new Uint8Array(bytes),
      TIMEOUT_MS,
    );
    assertEquals(code, ResponseCode.SUCCESS, remark);
  };
  for (let n = 0; n < 200; n++) await send(1000);
  const before = residentMib(master);
  /** Runs the attack, and then looks whether a send is taken and a slave is served. */
  const attack = async (name: string, work: () => Promise<void>) => {
    await t.step(name, async () => {
      await work();
      await send();
      // The places of those that went become free as the master sees them go.
      let header: Uint8Array = new Uint8Array();
      await eventually("a good slave is served", async () => {
        using good = await Peer.connect(master);
        await good.write(report(0n));
        header = await good.read(12);
        return header.length === 12 ? undefined : `it got ${header.length} bytes`;
      });
      assertEquals(new DataView(header.buffer, header.byteOffset).getBigInt64(0), 0n);
      const growth = residentMib(master) - before;
      assert(growth < GROWTH_MAX_MIB, `the master has grown by ${Math.round(growth)} MiB`);
    });
  };
  const isClosed = async (...writes: Uint8Array[]) => {
    using peer = await Peer.connect(master);
    for (const bytes of writes) await peer.write(bytes);
    const deadline = Date.now() + TIMEOUT_MS;
    // Some of the log, and heartbeats, may come before the end does.
    let total = 0;
    for (let got = 1; got > 0; total += got) {
      assert(Date.now() < deadline, `the master has not closed the connection, but sent ${total} bytes`);
      got = (await peer.read(12)).length;
    }
    return total;
  };

  await attack("garbage", async () => {
    for (let n = 0; n < 50; n++) {
      const garbage = crypto.getRandomValues(new Uint8Array(1 + n * 997));
      using peer = await Peer.connect(master);
      await peer.write(garbage);
    }
    const letters = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assertEquals(await isClosed(letters), 0);
  });
  await attack("a megabyte of garbage from each of 20 peers", async () => {
    await Promise.all(Array.from({ length: 20 }, async () => {
      using peer = await Peer.connect(master);
      for (let n = 0; n < 16; n++) await peer.write(crypto.getRandomValues(new Uint8Array(1 << 16)));
    }));
  });
  await attack("an offset beyond the log closes the connection", async () => {
    const { max } = await logOf(master);
    for (const end of [BigInt(max) + 1n, 1n << 40n, (1n << 63n) - 1n]) assertEquals(await isClosed(report(end)), 0);
    assert(await isClosed(report(0n), report(1n << 40n)) >= 0);
  });
  await attack("a negative offset closes the connection", async () => {
    for (const end of [-1n, -(1n << 63n), -4096n]) assertEquals(await isClosed(report(end)), 0);
    assert(await isClosed(report(0n), report(-5n)) >= 0);
  });
  await attack("half a report, and then nothing, closes the connection in time", async () => {
    assertEquals(await isClosed(report(0n).subarray(0, 5)), 0);
  });
  await attack("an offset in the middle of a message is sent on from there", async () => {
    using peer = await Peer.connect(master);
    await peer.write(report(777n));
    assertEquals(new DataView((await peer.read(12)).buffer).getBigInt64(0), 777n);
  });
  await attack(`${CONNECTIONS} connections`, async () => {
    const peers = await Promise.all(Array.from({ length: CONNECTIONS }, () => Peer.connect(master)));
    await Promise.all(peers.map((peer) => peer.write(report(0n))));
    await send();
    for (const peer of peers) peer[Symbol.dispose]();
  });
  await attack(`${DEAF} peers that never read`, async () => {
    const peers = await Promise.all(Array.from({ length: DEAF }, () => Peer.connect(master)));
    for (const peer of peers) await peer.write(report(0n));
    for (let n = 0; n < DEAF_MESSAGES; n += 20) {
      await Promise.all(Array.from({ length: 20 }, () => send(DEAF_BODY_BYTES)));
    }
    const growth = residentMib(master) - before;
    assert(growth < GROWTH_MAX_MIB, `the master has grown by ${Math.round(growth)} MiB while they do not read`);
    await delay(SETTINGS.haHousekeepingInterval + 1500);
    for (const peer of peers) peer[Symbol.dispose]();
  });
  await t.step("and a real slave gets everything", async () => {
    const slave = nodes.use(await startRocketd({ role: "slave", ...options }));
    await caughtUp(master, slave);
    await sameFiles(master, slave);
    assertEquals([await slave.stop(), await master.stop()], [0, 0]);
  });
});

/** Starts a slave, waits until its log has a line that says what is wrong, and stops it. */
async function says(start: () => Promise<Node>, pattern: RegExp): Promise<void> {
  await using slave = await start();
  await eventually(
    `the slave says ${pattern}`,
    async () => pattern.test(await slave.log()) ? undefined : await slave.log(),
  );
  assertMatch(await slave.log(), pattern);
  assertEquals(await logOf(slave).then(({ max }) => max), 0, "it has copied something");
  assertEquals(await slave.stop(), 0);
}

Deno.test("a slave that is pointed at the wrong place says what is wrong", async (t) => {
  await using nodes = new AsyncDisposableStack();
  using client = new RemotingClient();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const namesrvAddr = nameserver.address;
  const start = (haMasterAddress: string, port = freePort()) => () =>
    startRocketd({ role: "slave", namesrvAddr, port, haMasterAddress, settings: SMALL_FILES });

  await t.step("a port where nobody listens", async () => {
    const nobody = freePort();
    await says(start(`127.0.0.1:${nobody}`), new RegExp(`WARN.*127\\.0\\.0\\.1:${nobody}`));
  });
  await t.step("a port where somebody else listens", async () => {
    await says(start(nameserver.address), new RegExp(`WARN.*127\\.0\\.0\\.1:${nameserver.port}`));
  });
  await t.step("itself", async () => {
    const port = freePort();
    await says(start(`127.0.0.1:${port + 1}`, port), new RegExp(`(WARN|ERROR).*127\\.0\\.0\\.1:${port + 1}`));
  });
  await t.step("a master of another broker name", async () => {
    const other = nodes.use(
      await startRocketd({ role: "master", namesrvAddr, brokerName: "other", settings: SMALL_FILES }),
    );
    const header = sendHeader({ properties: "" });
    await client.invoke(other.address, SendMessageV2, header, new Uint8Array(10), TIMEOUT_MS);
    await says(start(`127.0.0.1:${other.port + 1}`), /(WARN|ERROR).*other/);
  });
});
