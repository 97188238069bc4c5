/**
 * Who a peer is.
 *
 * @module
 */
import { peerOf } from "../../src/remoting/listener.ts";
import { assertEquals } from "../../src/std.ts";

function peer(theirs: string, ours: string) {
  const addr = (hostname: string, port: number): Deno.NetAddr => ({ transport: "tcp", hostname, port });
  return peerOf({ remoteAddr: addr(theirs, 50_000), localAddr: addr(ours, 9876) });
}

Deno.test("a peer is named by its address and port, one of IPv4 over IPv6 by its IPv4 address", () => {
  assertEquals(peer("10.0.0.5", "10.0.0.1").text, "10.0.0.5:50000");
  assertEquals(peer("::ffff:10.0.0.5", "::ffff:10.0.0.1").text, "10.0.0.5:50000");
  assertEquals(peer("fe80::5", "fe80::1").text, "[fe80::5]:50000");
});

Deno.test("a peer is on this machine when it comes from loopback, or from the address that it connected to", () => {
  const local = [["127.0.0.1", "127.0.0.1"], ["127.9.9.9", "127.0.0.1"], ["::1", "::1"], ["::ffff:127.0.0.1", "::1"]];
  local.push(["10.0.0.1", "10.0.0.1"], ["::ffff:10.0.0.1", "10.0.0.1"], ["fe80::1", "fe80::1"]);
  for (const [theirs, ours] of local) assertEquals(peer(theirs!, ours!).isLocal, true, theirs);
  const foreign = [["10.0.0.5", "10.0.0.1"], ["fe80::5", "fe80::1"], ["1.127.0.1", "10.0.0.1"], ["::127", "::1"]];
  for (const [theirs, ours] of foreign) assertEquals(peer(theirs!, ours!).isLocal, false, theirs);
});
