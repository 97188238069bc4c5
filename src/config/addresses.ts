/**
 * Sets of IP addresses as operators write them in RocketMQ's plain_acl.yml: `10.1.2.3`, `10.1.*.*`, `10.1.2.10-20`,
 * `10.1.2.{4,5}`, several joined by commas, `*` for all; the same with the groups of IPv6.
 *
 * @module
 */
import type { Form } from "./setting.ts";

/** Says whether an address belongs to the set. */
export type AddressSet = (ip: string) => boolean;

/** Every part of such an address may be anything, of whatever family (`NullRemoteAddressStrategy` of RocketMQ). */
const ALL = new Set(["*", "*.*.*.*", "*:*:*:*:*:*:*:*"]);

/** The numbers that one part of an address may be: from, to. */
type Ranges = readonly (readonly [number, number])[];

interface Family {
  readonly separator: string;
  readonly parts: number;
  readonly number: RegExp;
  readonly base: number;
  readonly max: number;
}
const V4: Family = { separator: ".", parts: 4, number: /^\d{1,3}$/, base: 10, max: 0xff };
const V6: Family = { separator: ":", parts: 8, number: /^[0-9a-f]{1,4}$/i, base: 16, max: 0xffff };

/** Reads a set; undefined for a text of no such form. A blank text is the empty set, as in RocketMQ. */
export function parseAddresses(text: string): AddressSet | undefined {
  const sets = text.split(/,(?![^{]*\})/).map((item) => item.trim()).filter((item) => item !== "").map(parseOne);
  if (sets.includes(undefined)) return undefined;
  return (ip) => sets.some((contains) => contains!(ip));
}

function parseOne(text: string): AddressSet | undefined {
  if (ALL.has(text)) return () => true;
  const family = familyOf(text);
  const pattern = partsOf(text, family)?.map((part) => rangesOf(part, family));
  if (pattern === undefined || pattern.includes(undefined)) return undefined;
  return (ip) => {
    if (familyOf(ip) !== family) return false;
    const parts = partsOf(ip.replace(/%.*$/, ""), family);
    if (parts === undefined) return false;
    return parts.every((part, i) => {
      const number = numberOf(part, family);
      return number !== undefined && pattern[i]!.some(([low, high]) => low <= number && number <= high);
    });
  };
}

function familyOf(text: string): Family {
  return text.includes(":") ? V6 : V4;
}

/** The parts as they are written; `::` of IPv6 stands for as many zeros as are missing. */
function partsOf(text: string, { separator, parts: count }: Family): string[] | undefined {
  const halves = text.split("::").map((half) => half === "" ? [] : half.split(separator));
  const [head = [], tail = []] = halves;
  const missing = count - head.length - tail.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  return [...head, ...Array<string>(missing).fill("0"), ...tail].map((part) => part.trim());
}

function numberOf(text: string, { number, base, max }: Family): number | undefined {
  const value = number.test(text) ? Number.parseInt(text, base) : NaN;
  return value <= max ? value : undefined;
}

function rangesOf(part: string, family: Family): Ranges | undefined {
  if (part === "*") return [[0, family.max]];
  const items = /^\{(.*)\}$/.exec(part)?.[1]?.split(",") ?? [part];
  const ranges = items.map((item) => {
    const ends = item.split("-").map((end) => numberOf(end.trim(), family));
    const [low, high = low] = ends;
    if (ends.length > 2 || ends.includes(undefined) || low! > high!) return undefined;
    return [low!, high!] as const;
  });
  return ranges.includes(undefined) ? undefined : ranges as Ranges;
}

/** The form of a setting with such sets. */
export const ADDRESSES: Form = {
  pattern: { test: (text) => parseAddresses(text) !== undefined },
  allowed: "IP addresses such as 10.1.2.3, 10.1.*.*, 10.1.2.10-20, 10.1.2.{4,5}, or * for all",
};
