/**
 * The broker: opens its store and tables, listens on `listenPort` and the VIP port two below, registers with the
 * nameservers, and stops in order.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { systemClock } from "../platform/clock.ts";
import { denoDisk } from "../platform/disk.ts";
import { LitePullMessage, PullMessage } from "../protocol/requests.ts";
import { accountsOf } from "../remoting/access/accounts.ts";
import { guard, permitsOf } from "../remoting/access/guard.ts";
import { signerOf } from "../remoting/access/signature.ts";
import { HandlerTable } from "../remoting/handlers.ts";
import { RemotingServer } from "../remoting/server.ts";
import { clientTlsOf, openServerTls } from "../remoting/tls/settings.ts";
import { MessageStore } from "../store/mod.ts";
import { aclHandlers } from "./acl_handlers.ts";
import { administrationHandlers } from "./administration.ts";
import { clientHandlers } from "./client_handlers.ts";
import { ConsumerFilters } from "./consumer_filters.ts";
import { ConsumerGroups } from "./consumers.ts";
import type { BrokerContext } from "./context.ts";
import { Delays } from "./delays.ts";
import { MessageFilters } from "./filters.ts";
import { figureHandlers } from "./figures.ts";
import { findingHandlers } from "./finding.ts";
import { SubscriptionGroupTable } from "./groups.ts";
import { offsetHandlers } from "./offset_handlers.ts";
import { ConsumerOffsets } from "./offsets.ts";
import { FlowControl } from "./flow_control.ts";
import { Intake } from "./intake.ts";
import { lockHandlers, QueueLocks } from "./locks.ts";
import { ProducerGroups } from "./producers.ts";
import { Pulling } from "./pulling.ts";
import { groupHandlers } from "./group_handlers.ts";
import { queueHandlers } from "./queue_handlers.ts";
import { Registration } from "./registration.ts";
import { BrokerStats } from "./stats/mod.ts";
import { Following, serveSlaves } from "./replication.ts";
import { replyHandlers } from "./reply.ts";
import { runtimeInfoHandlers, runtimeInfoOf } from "./runtime_info.ts";
import { sendBackHandlers } from "./send_back.ts";
import { sendingHandlers } from "./sending.ts";
import { settingsHandlers } from "./settings_handlers.ts";
import { storeHostOf, storeOptionsOf } from "./store_options.ts";
import { topicHandlers } from "./topic_handlers.ts";
import { TopicTable } from "./topics.ts";
import { Transactions } from "./transactions.ts";
import { type BrokerView, viewOf } from "./view.ts";

export type { BrokerView } from "./view.ts";

const log = getLogger(["rocketd", "broker"]);

/** How far the VIP port lies below `listenPort` (`fastListenPort` 4.9.7). */
const VIP_PORT_BELOW = 2;

const disk = denoDisk, clock = systemClock;

/** Parts of a broker to close, the newest first. */
type Opened = { close(): unknown }[];

/** A broker that serves. */
export interface RunningBroker {
  readonly port: number;
  readonly view: BrokerView;
  close(): Promise<void>;
}

/**
 * Starts a broker. Throws RocketdError: `inUse` for a store or a port that is taken, `damagedStore` for a store that an
 * operator must look at, `invalidSettings`.
 */
export async function startBroker(settings: BrokerSettings): Promise<RunningBroker> {
  const accounts = accountsOf(settings, { disk, clock });
  const store = await MessageStore.open(storeOptionsOf(settings), { disk, clock });
  /** What was begun, the store first. */
  const opened: Opened = [store];
  const closeAll = async () => {
    for (const part of opened.toReversed()) await part.close();
  };
  const isSlave = settings.brokerRole === "SLAVE";
  try {
    // Closed last but for the store: the answers in hand may wait for slaves.
    const slaves = isSlave ? undefined : serveSlaves({ settings, store, clock });
    if (slaves !== undefined) opened.push(slaves);
    if (accounts !== undefined) opened.push(accounts);
    accounts?.watch();
    const broker = openTables(settings, store, opened);
    let following: Following | undefined;
    const security = { tls: clientTlsOf(settings), sign: signerOf(settings) };
    const registration = new Registration({ ...broker, security, onMaster: (master) => following?.told(master) });
    opened.push(registration);
    const permitOf = permitsOf(accounts);
    const table = new HandlerTable();
    answerRequests(table, broker, permitOf);
    aclHandlers(table, broker, accounts);
    opened.push(administrationHandlers(table, broker));
    const pulling = new Pulling(broker);
    pulling.handlers(table);
    const locks = new QueueLocks(broker);
    lockHandlers(table, locks);
    locks.start();
    opened.push(locks);

    const transactions = new Transactions(broker, permitOf);
    transactions.handlers(table);
    opened.push(transactions);

    const delays = new Delays(broker);
    delays.handlers(table);
    opened.push(delays);

    const flow = new FlowControl(broker);
    flow.limit(table);
    opened.push(flow);
    const runtimeInfo = runtimeInfoOf({ ...broker, delayOffsets: delays.offsets, flow });
    runtimeInfoHandlers(table, runtimeInfo);
    guard(table, { accounts, adminRequestsFrom: settings.adminRequestsFrom, concerns: () => true });

    const tls = await openServerTls(settings);
    if (tls !== undefined) opened.push(tls);
    const servers: RemotingServer[] = [];
    opened.push({
      // Pulls that wait get their answers before the connections go.
      close: async () => {
        pulling.close();
        for (const server of servers) await server.close();
      },
    });
    servers.push(listen(settings, settings.listenPort, table, tls));
    const vipTable = table.without(PullMessage, LitePullMessage);
    servers.push(listen(settings, settings.listenPort - VIP_PORT_BELOW, vipTable, tls));
    const { offsets, producers, consumers, consumerFilters, stats } = broker;
    for (const part of [offsets, producers, consumers, consumerFilters, flow, transactions, stats]) part.start();
    if (!isSlave) delays.start();
    else opened.push(following = new Following(broker, delays, () => void registration.registerNow(), security));
    await registration.start();
    following?.start();
    log.info("broker {name} serves on {address}", { name: settings.brokerName, address: broker.address });
    return {
      port: servers[0]!.port,
      view: viewOf({ broker, runtimeInfo, registration, following, slaves, servers }),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What the broker knows of topics, groups and clients. */
function openTables(settings: BrokerSettings, store: MessageStore, opened: Opened): BrokerContext {
  const topics = new TopicTable({ settings, disk, clock });
  const groups = new SubscriptionGroupTable({ settings, disk, clock });
  const offsets = new ConsumerOffsets({ settings, topics, disk, clock });
  opened.push(topics, groups, offsets);
  const producers = new ProducerGroups(clock);
  const consumers = new ConsumerGroups({ settings, groups, clock });
  opened.push(producers, consumers);
  const filters = new MessageFilters(settings);
  const consumerFilters = new ConsumerFilters({ settings, consumers, sql: filters.sql, disk, clock });
  const stats = new BrokerStats({ settings, puts: store.figures, clock });
  opened.push(consumerFilters, stats);
  return {
    settings,
    address: `${settings.brokerIP1}:${settings.listenPort}`,
    storeHost: storeHostOf(settings),
    store,
    intake: new Intake(store),
    topics,
    groups,
    offsets,
    consumers,
    consumerFilters,
    filters,
    producers,
    stats,
    disk,
    clock,
  };
}

/** Answers all requests that need nothing but the tables. */
function answerRequests(table: HandlerTable, broker: BrokerContext, permitOf: ReturnType<typeof permitsOf>): void {
  sendingHandlers(table, broker);
  replyHandlers(table, broker);
  sendBackHandlers(table, broker, permitOf);
  findingHandlers(table, broker, permitOf);
  offsetHandlers(table, broker);
  queueHandlers(table, broker);
  clientHandlers(table, broker, permitOf);
  topicHandlers(table, broker);
  groupHandlers(table, broker);
  figureHandlers(table, broker);
  settingsHandlers(table, broker);
}

function listen(
  settings: BrokerSettings,
  port: number,
  handlers: HandlerTable,
  tls: Awaited<ReturnType<typeof openServerTls>>,
): RemotingServer {
  return new RemotingServer({
    hostname: settings.bindAddress,
    port,
    tls,
    handlers,
    connectionsMax: settings.maxConnections,
    idleMs: settings.serverChannelMaxIdleTimeSeconds * 1000,
  });
}
