/**
 * A host as messages carry it: 4 or 16 bytes of address, then the port in 4 bytes.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";

/** The bytes of an address and a port. Throws `invalidArgument` when the address is no IPv4 or IPv6 address. */
export function encodeHost(ip: string, port: number): Uint8Array<ArrayBuffer> {
  const address = ipBytes(ip);
  if (address === undefined) {
    throw new RocketdError("invalidArgument", `Cannot encode the host ${ip}: allowed is an IPv4 or IPv6 address`, {
      value: ip,
    });
  }
  const host = new Uint8Array(address.length + 4);
  host.set(address);
  new DataView(host.buffer).setInt32(address.length, port);
  return host;
}

/** `ip:port` (or `[v6]:port`) of the bytes. */
export function formatHost(host: Uint8Array): string {
  const port = new DataView(host.buffer, host.byteOffset).getInt32(host.length - 4);
  const ip = host.subarray(0, host.length - 4);
  if (ip.length === 4) return `${ip.join(".")}:${port}`;
  const groups = Array.from({ length: 8 }, (_, i) => (ip[2 * i]! << 8 | ip[2 * i + 1]!).toString(16));
  return `[${groups.join(":")}]:${port}`;
}

/** The bytes of an IPv4 or IPv6 address in text, or undefined. */
export function ipBytes(ip: string): number[] | undefined {
  if (!ip.includes(":")) return v4Bytes(ip);
  const halves = ip.replace(/%.*$/, "").split("::");
  if (halves.length > 2) return undefined;
  const parts = halves.map((half) => half === "" ? [] : groupBytes(half));
  const [head, tail] = parts;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 16 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return [...head, ...new Array(halves.length === 2 ? missing : 0).fill(0), ...(tail ?? [])];
}

function v4Bytes(ip: string): number[] | undefined {
  const parts = ip.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.map(Number);
}

function groupBytes(text: string): number[] | undefined {
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) bytes.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff);
    else {
      const v4 = i === groups.length - 1 ? v4Bytes(group) : undefined;
      if (v4 === undefined) return undefined;
      bytes.push(...v4);
    }
  }
  return bytes;
}
