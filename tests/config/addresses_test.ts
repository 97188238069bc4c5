/**
 * Sets of addresses in the forms of RocketMQ's plain_acl.yml.
 *
 * @module
 */
import { parseAddresses } from "../../src/config/addresses.ts";
import { checkSettings } from "../../src/config/mod.ts";
import { assert, assertEquals } from "../../src/std.ts";

const MEMBERS: readonly (readonly [set: string, inside: string, outside: string])[] = [
  ["10.1.2.3", "10.1.2.3", "10.1.2.30"],
  ["10.1.*.*", "10.1.255.0", "10.2.0.0"],
  ["10.1.2.*", "10.1.2.7", "10.1.20.7"],
  ["10.1.2.10-20", "10.1.2.10", "10.1.2.9"],
  ["10.1.2.10-20", "10.1.2.20", "10.1.2.21"],
  ["10.1.30-40.*", "10.1.35.1", "10.1.3.1"],
  ["10.1.2.{4,5}", "10.1.2.5", "10.1.2.45"],
  ["10.1.2.{4,5}, 10.9.9.9", "10.9.9.9", "10.1.2.9"],
  ["10.1.2.3,10.1.2.4", "10.1.2.4", "10.1.2.5"],
  ["*.*.*.1", "10.1.2.1", "10.1.2.2"],
  ["::1", "0:0:0:0:0:0:0:1", "::2"],
  ["FE80::AB", "fe80:0::ab", "fe80::ac"],
  ["fe80::ab", "fe80::ab%eth0", "10.1.2.3"],
  ["2001:db8::1-20", "2001:db8::1f", "2001:db8::21"],
  ["2001:db8:*:*:*:*:*:*", "2001:db8:5::9", "2001:db9::9"],
  ["2001:db8::{a,b}", "2001:db8::b", "2001:db8::c"],
];

Deno.test("an address set has the addresses that its form says, and no others", () => {
  for (const [set, inside, outside] of MEMBERS) {
    const contains = parseAddresses(set);
    assert(contains !== undefined, set);
    assert(contains(inside), `${set} lacks ${inside}`);
    assert(!contains(outside), `${set} has ${outside}`);
  }
});

Deno.test("a star alone, or in every part, stands for every address of both families", () => {
  for (const set of ["*", "*.*.*.*", "*:*:*:*:*:*:*:*"]) {
    for (const ip of ["10.1.2.3", "fe80::1"]) assert(parseAddresses(set)!(ip), `${set} lacks ${ip}`);
  }
});

Deno.test("a blank text is the empty set, and no set has what is no address", () => {
  for (const set of ["", " ", "10.*.*.*", "::*"]) {
    for (const ip of ["", "10.1.2.3.4", "10.1.2.x", "1:2", "10.1.2"]) assert(!parseAddresses(set)!(ip), `${set} ${ip}`);
  }
  assert(!parseAddresses("")!("10.1.2.3"));
});

Deno.test("what is no set of addresses is refused", () => {
  const bad = [
    "10.1.2",
    "10.1.2.3.4",
    "10.1.2.256",
    "10.1.2.20-10",
    "10.1.2.1-2-3",
    "10.1.2.-5",
    "10.1.2.{4,x}",
    "host",
  ];
  bad.push("10.1.2.{}", "10.1.2.{4", "10.0.0.0/8", "1::2::3", "1:2:3", "fe80::10000", "1:2:3:4:5:6:7::8", "10.1.2.3,x");
  for (const set of bad) assertEquals(parseAddresses(set), undefined, set);
});

Deno.test("adminRequestsFrom takes a list of sets, and says which form it expects", () => {
  const good = checkSettings("adminRequestsFrom: [10.1.*.*, '::1']", { roles: ["nameserver"], file: "a.yaml" });
  assert(good.ok);
  assertEquals(good.settings.nameserver?.adminRequestsFrom, ["10.1.*.*", "::1"]);
  const bad = checkSettings("adminRequestsFrom: 10.1.0.0/16", { roles: ["nameserver"], file: "a.yaml" });
  assert(!bad.ok);
  assert(bad.problems[0]!.message.includes("10.1.2.10-20"), bad.problems[0]!.message);
});
