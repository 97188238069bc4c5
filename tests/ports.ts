/**
 * Free ports for test nodes. A broker takes four that hang together: `listenPort`, its VIP twin two below, the HA port
 * one above and HTTP three above. Other tests run at the same time, in other threads and processes, and a port is used
 * a good while after it was chosen, and again after a restart: so each thread has a block of ports for itself.
 *
 * @module
 */

const LOWEST = 20000;
const HIGHEST = 55000;
/** From the port of one node to that of the next, so that no two have one in common. */
const STEP = 6;
/** As many nodes as the tests of a file, or all measurements, may start. */
const NODES = 100;
/** Ports of a block. Whoever listens on the first has all of them. */
const BLOCK = 1 + STEP * NODES;

/** The kernel hands out ports from here upwards to connecting sockets; a listener below cannot clash with those. */
function ephemeralStart(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range").trim().split(/\s+/)[0]);
  } catch {
    return HIGHEST;
  }
}

function listen(port: number): Deno.TcpListener | undefined {
  try {
    return Deno.listen({ hostname: "0.0.0.0", port });
  } catch {
    return undefined;
  }
}

function isFree(port: number): boolean {
  const listener = listen(port);
  listener?.close();
  return listener !== undefined;
}

/** A block that nobody else has; the listener that says so ends with this thread. */
function claimBlock(): { first: number; claim: Deno.TcpListener } {
  const start = ephemeralStart();
  const end = start > LOWEST + 10 * BLOCK ? Math.min(start, HIGHEST) : HIGHEST;
  const blocks = Math.floor((end - LOWEST) / BLOCK);
  const chosen = Math.floor(Math.random() * blocks);
  for (let i = 0; i < blocks; i++) {
    const first = LOWEST + BLOCK * ((chosen + i) % blocks);
    const claim = listen(first);
    if (claim === undefined) continue;
    claim.unref();
    return { first, claim };
  }
  throw new Error(`Cannot find free ports: all ${blocks} blocks between ${LOWEST} and ${end} are taken`);
}

// Now, and not in a test: there it would look like a listener that the test forgot.
const block = claimBlock();
let nodes = 0;

/** A port whose neighbours `port - 2`, `port + 1` and `port + 3` are free too. No two calls in this thread give the same ones. */
export function freePort(): number {
  while (nodes < NODES) {
    const base = block.first + 3 + STEP * nodes++;
    if ([base - 2, base, base + 1, base + 3].every(isFree)) return base;
  }
  throw new Error(`Cannot find a free port: ${NODES} nodes were started here, and their ports are not used again`);
}
