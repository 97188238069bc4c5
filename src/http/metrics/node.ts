/**
 * Metrics of the process, and of the nameserver in it.
 *
 * @module
 */
import type { Nameserver } from "../../nameserver/mod.ts";
import { VERSION } from "../../version.ts";
import type { NodeView } from "../node_view.ts";
import { type Family, single } from "./family.ts";

/** Seconds since 1970 when this process began, near enough. */
const STARTED = (Date.now() - performance.now()) / 1000;

export const NODE_FAMILIES: readonly Family<NodeView>[] = [
  {
    name: "rocketd_build_info",
    type: "gauge",
    help: "always 1; what runs",
    labels: ["version", "deno"],
    samples: () => [[[VERSION, Deno.version.deno], 1]],
  },
  {
    name: "rocketd_role_serves",
    type: "gauge",
    help: "1 for a role that serves, 0 while it starts or stops",
    labels: ["role"],
    *samples({ roles, nameserver, broker }) {
      for (const role of roles) yield [[role], (role === "nameserver" ? nameserver : broker) === undefined ? 0 : 1];
    },
  },
  single("process_start_time_seconds", "gauge", "when the process began, in seconds since 1970", () => STARTED),
  single(
    "process_resident_memory_bytes",
    "gauge",
    "memory of the process that is in RAM",
    () => Deno.memoryUsage().rss,
  ),
  single("rocketd_heap_used_bytes", "gauge", "memory of the JavaScript heap that is in use", () => {
    return Deno.memoryUsage().heapUsed;
  }),
];

type Served = Pick<Nameserver, "routes" | "counts">;

export const NAMESERVER_FAMILIES: readonly Family<Served>[] = [
  single("rocketd_nameserver_brokers", "gauge", "brokers that are registered, by address", ({ routes }) => {
    return routes.counts.brokers;
  }),
  single("rocketd_nameserver_topics", "gauge", "topics that are routed", ({ routes }) => routes.counts.topics),
  single("rocketd_nameserver_connections_accepted_total", "counter", "connections that were taken", ({ counts }) => {
    return counts.accepted;
  }),
  single(
    "rocketd_nameserver_connections_refused_total",
    "counter",
    "connections beyond maxConnections",
    ({ counts }) => {
      return counts.refused;
    },
  ),
  single(
    "rocketd_nameserver_connections_malformed_total",
    "counter",
    "connections closed for bytes that are no frames",
    (one) => {
      return one.counts.malformed;
    },
  ),
  single(
    "rocketd_nameserver_connections_idle_total",
    "counter",
    "connections closed because nothing was said",
    (one) => {
      return one.counts.idle;
    },
  ),
];
