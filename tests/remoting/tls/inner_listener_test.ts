/**
 * The TLS end inside this process: each connection finds its own other end, and strangers find none.
 *
 * @module
 */
import { RocketdError } from "../../../src/errors.ts";
import { InnerListener } from "../../../src/remoting/tls/inner_listener.ts";
import { assertEquals, assertRejects } from "../../../src/std.ts";
import { hasTools } from "../../cache.ts";
import { Authority } from "../../certificates.ts";

async function listening(work: (listener: InnerListener) => Promise<void>, claimMs?: number): Promise<void> {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue("server", "IP:127.0.0.1");
  const pair = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
  const listener = new InnerListener(pair, claimMs);
  await work(listener);
  listener.close();
}

const ignore = !hasTools("openssl");
const portOf = (addr: Deno.Addr) => (addr as Deno.NetAddr).port;

Deno.test({
  name: "joints that are made at once are not mixed up, nor with strangers",
  ignore,
  fn: () =>
    listening(async (listener) => {
      const stranger = () => Deno.connect({ hostname: "127.0.0.1", port: listener.port });
      const before = await stranger();
      const between: Promise<Deno.TcpConn>[] = [];
      const joints = await Promise.all(Array.from({ length: 100 }, () => {
        between.push(stranger());
        return listener.join();
      }));
      for (const { outer, inner } of joints) {
        assertEquals(portOf(outer.localAddr), portOf(inner.remoteAddr));
        outer.close();
        inner.close();
      }
      for (const conn of [before, ...await Promise.all(between)]) conn.close();
    }),
});

Deno.test({
  name: "a stranger from another address of this machine takes nobody's place by having its port",
  ignore,
  fn: async () => {
    const { connect, listenTls } = Deno;
    const strangers: { closed: boolean }[] = [];
    const accepted = Promise.withResolvers<void>();
    // No program of Deno's can choose the port that it connects from: what comes after our own end is made up.
    Deno.listenTls = ((options: Parameters<typeof listenTls>[0]) => {
      const listener = listenTls(options);
      let remoteAddr: Deno.NetAddr | undefined;
      return {
        addr: listener.addr,
        close: () => listener.close(),
        accept: async () => {
          if (remoteAddr === undefined) {
            const conn = await listener.accept();
            remoteAddr = { ...conn.remoteAddr, hostname: "127.0.0.2" };
            return conn;
          }
          if (strangers.length > 0) {
            accepted.resolve();
            return await listener.accept();
          }
          const stranger = { remoteAddr, closed: false, close: () => void (stranger.closed = true) };
          strangers.push(stranger);
          return stranger;
        },
      };
    }) as unknown as typeof Deno.listenTls;
    Deno.connect = (async (options: Deno.ConnectOptions) => {
      const outer = await connect(options);
      await accepted.promise;
      return outer;
    }) as typeof Deno.connect;
    try {
      await listening(async (listener) => {
        const { outer, inner } = await listener.join();
        assertEquals((inner.remoteAddr as Deno.NetAddr).hostname, "127.0.0.1");
        assertEquals(strangers.map(({ closed }) => closed), [true]);
        outer.close();
        inner.close();
      });
    } finally {
      Object.assign(Deno, { connect, listenTls });
    }
  },
});

Deno.test({
  name: "an end whose other end never comes gives up, and leaves nothing behind",
  ignore,
  fn: async () => {
    const { listenTls } = Deno;
    // Accepts, but shows nobody what it has: as when strangers have taken all the room.
    Deno.listenTls = ((options: Parameters<typeof listenTls>[0]) => {
      const listener = listenTls(options);
      const accept = async () => {
        while (true) (await listener.accept()).close();
      };
      return { addr: listener.addr, close: () => listener.close(), accept };
    }) as unknown as typeof Deno.listenTls;
    try {
      await listening(async (listener) => {
        await assertRejects(() => listener.join(), RocketdError, "Cannot speak TLS");
      }, 20);
    } finally {
      Object.assign(Deno, { listenTls });
    }
  },
});

Deno.test({
  name: "a listener that closes lets those through that are joining",
  ignore,
  fn: () =>
    listening(async (listener) => {
      const joining = listener.join();
      listener.close();
      const { outer, inner } = await joining;
      outer.close();
      inner.close();
    }),
});
