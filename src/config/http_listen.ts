/**
 * The setting `httpListen`: where a node answers HTTP, if it does.
 *
 * @module
 */
import { ADDRESS } from "./forms.ts";
import { adjusted, string } from "./setting.ts";

/** Where to listen; port 0 takes any free one. */
export interface HttpAddress {
  readonly hostname: string;
  readonly port: number;
}

const LOOPBACK = "127.0.0.1";
const OFF = "0";
/** How far the port lies above `listenPort`: the three of a broker (VIP, its own, for slaves) lie below. */
const PORT_ABOVE = 3;
const PORT_MAX = 65535;

/** The port is the role's plus three, so that nodes which share a machine need no setting of their own. */
function standard(listenPort: number): string {
  if (listenPort === 0) return `${LOOPBACK}:0`;
  return listenPort + PORT_ABOVE > PORT_MAX ? OFF : `${LOOPBACK}:${listenPort + PORT_ABOVE}`;
}

/** For the table of a role, after its `listenPort`. */
export const httpListen = adjusted(
  string({
    // An address may have port 0 here: any free one.
    pattern: { test: (text) => text === OFF || ADDRESS.pattern.test(withHost(text).replace(/:0$/, ":1")) },
    allowed: "host:port, a port of 127.0.0.1, or 0 for none",
  }, {
    default: ({ chosen }) => standard(Number(chosen("listenPort"))),
    help: "where /healthz, /readyz, /metrics and /api answer; by default 127.0.0.1 and listenPort + 3; 0: nowhere",
  }),
  withHost,
);

function withHost(text: string): string {
  return /^[1-9]\d*$/.test(text) ? `${LOOPBACK}:${text}` : text;
}

/** Reads a value of the setting; undefined: nowhere. */
export function httpAddressOf(value: string): HttpAddress | undefined {
  if (value === OFF) return undefined;
  const at = value.lastIndexOf(":");
  return { hostname: value.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(value.slice(at + 1)) };
}
