/**
 * Which names a request may call this node by. A page that a browser on this machine shows could otherwise have its own
 * name lead here and read what is answered (DNS rebinding); by an address it cannot.
 *
 * @module
 */

/** The names that count, in lower case, besides addresses and localhost. */
export type HostNames = ReadonlySet<string>;

/** Names from settings and from the machine. */
export function hostNames(names: readonly string[]): HostNames {
  return new Set(names.map((name) => name.toLowerCase()));
}

/** Whether a Host header is one of ours; a request of HTTP/1.0 has none, and no browser sends such. */
export function isOurHost(host: string | undefined, names: HostNames): boolean {
  if (host === undefined) return true;
  const [, name] = /^(\[[0-9a-fA-F:.]+\]|[^:]*)(?::\d{1,5})?$/.exec(host) ?? [];
  if (name === undefined) return false;
  const plain = name.toLowerCase().replace(/\.$/, "");
  return plain === "localhost" || /^\d{1,3}(\.\d{1,3}){3}$/.test(plain) || plain.startsWith("[") || names.has(plain);
}
