/**
 * Hosts as message records and ids keep them: 4 or 16 bytes of address, then 4 bytes of port.
 *
 * @module
 */

/** The bytes of an IPv4 or IPv6 address, a v4-mapped one as IPv4; undefined for a text that is neither. */
export function parseIp(ip: string): Uint8Array | undefined {
  return ip.includes(":") ? parseIpv6(ip) : parseIpv4(ip);
}

function parseIpv4(ip: string): Uint8Array | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(ip)) return undefined;
  const bytes = ip.split(".").map(Number);
  return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined;
}

function parseIpv6(ip: string): Uint8Array | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped) return parseIpv4(mapped[1]!);
  const text = ip.replace(/%.*$/, "");
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const [head = [], tail = []] = groups;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

/** The bytes of a host. Give {@linkcode parseIp}'s address. */
export function encodeHost(address: Uint8Array, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(address.length + 4);
  bytes.set(address);
  new DataView(bytes.buffer).setInt32(address.length, port);
  return bytes;
}

/** A host as `ip:port`, or `[v6]:port` with every group written. */
export function formatHost(host: Uint8Array): string {
  const view = new DataView(host.buffer, host.byteOffset, host.byteLength);
  const addressLength = host.length - 4;
  const port = view.getInt32(addressLength);
  if (addressLength === 4) return `${host.subarray(0, 4).join(".")}:${port}`;
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16));
  return `[${groups.join(":")}]:${port}`;
}
