/**
 * Metrics of a broker as a whole. Names that begin with `rocketmq_` are rocketmq-exporter's, with its labels.
 *
 * @module
 */
import type { BrokerView } from "../../broker/mod.ts";
import type { ServerCounts } from "../../remoting/server.ts";
import { type Family, single } from "./family.ts";

/** Labels that rocketmq-exporter tells brokers by. */
const BROKER_LABELS = ["cluster", "brokerIP", "broker"];

function labelsOf({ settings, address }: BrokerView): [string, string, string] {
  return [settings.brokerClusterName, address, settings.brokerName];
}

function brokerGauge(name: string, help: string, value: (broker: BrokerView) => number): Family<BrokerView> {
  return {
    name,
    type: "gauge",
    help,
    labels: BROKER_LABELS,
    samples: (broker) => [[labelsOf(broker), value(broker)]],
  };
}

/** Connections of clients, on the port and on its VIP twin. */
function connectionCounter(name: string, help: string, count: keyof ServerCounts): Family<BrokerView> {
  return single(`rocketd_broker_${name}_total`, "counter", help, ({ servers }) => {
    return servers.reduce((sum, { counts }) => sum + counts[count], 0);
  });
}

export const BROKER_FAMILIES: readonly Family<BrokerView>[] = [
  brokerGauge(
    "rocketmq_broker_tps",
    "messages a second that came in over the last minute",
    ({ stats }) => stats.put.in(0, "nums").tps,
  ),
  brokerGauge(
    "rocketmq_broker_qps",
    "messages a second that consumers got over the last minute",
    ({ stats }) => stats.got.in(0, "nums").tps,
  ),
  {
    name: "rocketmq_broker_commitlog_diff",
    type: "gauge",
    help: "bytes of the log that a slave has not reported yet; brokerIP is where the slave comes from",
    labels: BROKER_LABELS,
    *samples(broker) {
      const [cluster, , name] = labelsOf(broker);
      for (const { peer, lag } of broker.slaves()) yield [[cluster, peer, name], lag];
    },
  },
  single("rocketd_broker_messages_in_total", "counter", "messages that came into the log", ({ stats }) => {
    return stats.throughput.puts.messages;
  }),
  single(
    "rocketd_broker_message_bytes_in_total",
    "counter",
    "bytes of messages that came into the log",
    ({ stats }) => {
      return stats.throughput.puts.bytes;
    },
  ),
  single(
    "rocketd_broker_puts_failed_total",
    "counter",
    "puts that were not stored, the sender's fault aside",
    (broker) => {
      return broker.stats.throughput.puts.failed;
    },
  ),
  single("rocketd_broker_messages_out_total", "counter", "messages that were read for consumers", ({ stats }) => {
    return stats.throughput.transferred;
  }),
  single("rocketd_broker_reads_found_total", "counter", "reads for consumers that found messages", ({ stats }) => {
    return stats.throughput.found;
  }),
  single("rocketd_broker_reads_missed_total", "counter", "reads for consumers that found none", ({ stats }) => {
    return stats.throughput.missed;
  }),
  single("rocketd_broker_connections", "gauge", "connections of clients", ({ servers }) => {
    return servers.reduce((sum, { connections }) => sum + connections.size, 0);
  }),
  connectionCounter("connections_accepted", "connections that were taken", "accepted"),
  connectionCounter("connections_refused", "connections beyond maxConnections, closed at once", "refused"),
  connectionCounter("connections_malformed", "connections closed for bytes that are no frames", "malformed"),
  connectionCounter("connections_idle", "connections closed because nothing was said on them", "idle"),
  single("rocketd_broker_topics", "gauge", "topics, built-in ones too", ({ topics }) => topics.size),
  single("rocketd_broker_groups", "gauge", "consumer groups that are known", ({ groups }) => groups.size),
  single("rocketd_broker_groups_online", "gauge", "consumer groups with a member", (broker) => {
    return broker.consumers.size;
  }),
  single("rocketd_broker_slaves", "gauge", "slaves that are being sent the log", (broker) => broker.slaves().length),
  single("rocketd_store_writable", "gauge", "1 while the store takes writes, else 0", ({ store }) => {
    return store.trouble === "" ? 1 : 0;
  }),
  single("rocketd_store_log_begin_bytes", "gauge", "log offset of the oldest byte", ({ store }) => store.minLogOffset),
  single(
    "rocketd_store_log_end_bytes",
    "gauge",
    "log offset behind the newest byte",
    ({ store }) => store.maxLogOffset,
  ),
];
