/**
 * Free ports for test nodes. A broker takes four that hang together: `listenPort`, its VIP twin two below, the HA port
 * one above and HTTP three above.
 *
 * @module
 */

const LOWEST = 20000;
const HIGHEST = 55000;
const taken = new Set<number>();

/** The kernel hands out ports from here upwards to connecting sockets; a listener below cannot clash with those. */
function ephemeralStart(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range").trim().split(/\s+/)[0]);
  } catch {
    return HIGHEST;
  }
}

function isFree(port: number): boolean {
  if (taken.has(port)) return false;
  try {
    Deno.listen({ hostname: "0.0.0.0", port }).close();
    return true;
  } catch {
    return false;
  }
}

/** A port whose neighbours `port - 2`, `port + 1` and `port + 3` are free too. No two calls in this process give the same ones. */
export function freePort(): number {
  const start = ephemeralStart();
  const end = start > LOWEST + 1000 ? Math.min(start, HIGHEST) : HIGHEST;
  for (let attempt = 0; attempt < 500; attempt++) {
    const base = LOWEST + 2 + Math.floor(Math.random() * (end - LOWEST - 6));
    const wanted = [base - 2, base, base + 1, base + 3];
    if (!wanted.every(isFree)) continue;
    for (const port of wanted) taken.add(port);
    return base;
  }
  throw new Error(`Cannot find a free port between ${LOWEST} and ${end}: 500 attempts failed`);
}
