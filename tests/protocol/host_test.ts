/**
 * Hosts to bytes and back.
 *
 * @module
 */
import { encodeHost, formatHost, parseIp } from "../../src/protocol/host.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("parseIp() reads v4, v6 and v4-mapped addresses", () => {
  assertEquals(parseIp("10.1.2.255"), Uint8Array.of(10, 1, 2, 255));
  assertEquals(parseIp("::ffff:10.1.2.3"), Uint8Array.of(10, 1, 2, 3));
  assertEquals(parseIp("::1"), Uint8Array.of(...Array<number>(15).fill(0), 1));
  assertEquals(parseIp("::"), new Uint8Array(16));
  const address = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd, 0, 7);
  assertEquals(parseIp("2001:db8::abcd:7"), address);
  assertEquals(parseIp("2001:db8:0:0:0:0:abcd:7"), address);
  assertEquals(parseIp("2001:db8::abcd:7%eth0"), address);
});

Deno.test("parseIp() gives nothing for what is no address", () => {
  for (const bad of ["", "localhost", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1::2::3", "1:2:3", "12345::", "g::"]) {
    assertEquals(parseIp(bad), undefined, bad);
  }
});

Deno.test("encodeHost() and formatHost() agree", () => {
  for (const host of ["10.1.2.3:10911", "[2001:db8:0:0:0:0:abcd:7]:65535"]) {
    const [, ip, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(host)!;
    assertEquals(formatHost(encodeHost(parseIp(ip!)!, Number(port))), host);
  }
  assertEquals(encodeHost(Uint8Array.of(10, 1, 2, 3), 10911), Uint8Array.of(10, 1, 2, 3, 0, 0, 0x2a, 0x9f));
});
