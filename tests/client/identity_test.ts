/**
 * Client ids and UNIQ_KEYs.
 *
 * @module
 */
import { localIp, newClientId, UniqueKeys } from "../../src/client/identity.ts";
import { assert, assertEquals, assertMatch } from "../../src/std.ts";

const BORN = new Date(2026, 10, 23, 11, 30).getTime();

Deno.test("UniqueKeys writes ip, pid, its own number, time in the month, and a counter", () => {
  const keys = new UniqueKeys("10.1.2.3", 0x12345, 0xcafe);
  const sinceMonthStart = BORN - new Date(2026, 10, 1).getTime();
  const time = sinceMonthStart.toString(16).toUpperCase().padStart(8, "0");
  assertEquals(keys.next(BORN), `0A010203` + `2345` + `0000CAFE` + time + `0000`);
  assertEquals(keys.next(BORN), `0A010203` + `2345` + `0000CAFE` + time + `0001`);
});

Deno.test("UniqueKeys has 56 characters for IPv6", () => {
  assertMatch(new UniqueKeys("2001:db8::7", 1, 2).next(BORN), /^20010DB8[0-9A-F]{48}$/);
});

Deno.test("UniqueKeys starts anew with the next month, and goes back when the clock does", () => {
  const keys = new UniqueKeys("10.1.2.3", 1, 1);
  const time = (key: string) => Number.parseInt(key.slice(20, 28), 16);
  const december = new Date(2026, 11, 1).getTime();
  assertEquals(time(keys.next(december - 1)), december - 1 - new Date(2026, 10, 1).getTime());
  assertEquals(time(keys.next(december)), 0);
  assertEquals(time(keys.next(december - 1)), december - 1 - new Date(2026, 10, 1).getTime());
});

Deno.test("UniqueKeys repeats no key among 65,536 of one millisecond, nor with another maker", () => {
  const [one, other] = [new UniqueKeys(), new UniqueKeys()];
  const seen = new Set<string>();
  for (let i = 0; i < 65_536; i++) seen.add(one.next(BORN));
  seen.add(other.next(BORN));
  assertEquals(seen.size, 65_537);
});

Deno.test("UniqueKeys repeats no key when the clock is set back", () => {
  const keys = new UniqueKeys("10.1.2.3", 1, 1);
  const seen = new Set<string>();
  for (const born of [BORN - 1, BORN, BORN - 1, BORN]) {
    for (let i = 0; i < 32_768; i++) seen.add(keys.next(born));
  }
  assertEquals(seen.size, 4 * 32_768);
});

Deno.test("localIp() prefers IPv4 that others can reach", () => {
  const lo = { family: "IPv4", address: "127.0.0.1" };
  const v4 = { family: "IPv4", address: "10.0.0.5" };
  const v6 = { family: "IPv6", address: "2001:db8::5" };
  const link = { family: "IPv6", address: "fe80::1" };
  assertEquals(localIp([lo, link, v6, v4]), "10.0.0.5");
  assertEquals(localIp([lo, link, v6]), "2001:db8::5");
  assertEquals(localIp([lo, link]), "127.0.0.1");
});

Deno.test({
  name: "A program that may not look at its machine's addresses gets ids all the same",
  permissions: { sys: false },
  fn: () => {
    assertEquals(localIp(), "127.0.0.1");
    assertMatch(newClientId(), /^127\.0\.0\.1@\d+#\d{14,}$/);
    assertMatch(new UniqueKeys().next(BORN), /^7F000001[0-9A-F]{24}$/);
  },
});

Deno.test("newClientId() differs for each client", () => {
  const [one, other] = [newClientId(), newClientId()];
  assertMatch(one, /^[0-9a-f.:]+@\d+#\d+$/);
  assert(one !== other);
});
