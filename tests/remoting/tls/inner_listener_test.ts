/**
 * The TLS end inside this process: each connection finds its own other end, and strangers find none.
 *
 * @module
 */
import { InnerListener } from "../../../src/remoting/tls/inner_listener.ts";
import { assertEquals } from "../../../src/std.ts";
import { hasTools } from "../../cache.ts";
import { Authority } from "../../certificates.ts";

async function listening(work: (listener: InnerListener) => Promise<void>): Promise<void> {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue("server", "IP:127.0.0.1");
  const listener = new InnerListener({ cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) });
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
