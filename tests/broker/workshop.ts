/**
 * What the tests of a broker's tables share: settings, a clock moved by hand, connections that record notices, a server
 * with some handlers and a client to ask it.
 *
 * @module
 */
import type { MemberConnection } from "../../src/broker/memberships.ts";
import { BrokerStats } from "../../src/broker/stats/mod.ts";
import type { Clock, Timer } from "../../src/platform/clock.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { PutFigures } from "../../src/store/put_figures.ts";

export { until } from "../until.ts";

/** Where most tests' clocks begin, ms. */
export const START = 1_795_390_186_730;

/** Stands still until it is told to go on; timers fire in their order. */
export class HandClock implements Clock {
  #now = START;
  #timers: { at: number; every: number; fn: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  every(ms: number, fn: () => void): Timer {
    return this.#add(ms, ms, fn);
  }

  after(ms: number, fn: () => void): Timer {
    return this.#add(ms, 0, fn);
  }

  #add(ms: number, every: number, fn: () => void): Timer {
    const timer = { at: this.#now + ms, every, fn };
    this.#timers.push(timer);
    return { cancel: () => this.#timers = this.#timers.filter((other) => other !== timer) };
  }

  get timers(): number {
    return this.#timers.length;
  }

  go(ms: number): void {
    const end = this.#now + ms;
    while (true) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#now = next.at;
      if (next.every > 0) next.at += next.every;
      else this.#timers = this.#timers.filter((other) => other !== next);
      next.fn();
    }
    this.#now = end;
  }
}

/** Counters of a broker of DefaultCluster, which take no samples before they are started. */
export function statsOf(clock: Clock, puts = new PutFigures(clock)): BrokerStats {
  return new BrokerStats({ settings: { brokerClusterName: "DefaultCluster" }, puts, clock });
}

/** Settings of a small broker whose store lies in `storePathRootDir`. */
export function settingsIn(storePathRootDir: string) {
  return {
    storePathRootDir,
    autoCreateTopicEnable: true,
    autoCreateSubscriptionGroup: true,
    defaultTopicQueueNums: 8,
    brokerClusterName: "DefaultCluster",
    brokerName: "broker-a",
    clusterTopicEnable: true,
    brokerTopicEnable: true,
    traceTopicEnable: false,
    msgTraceTopicName: "RMQ_SYS_TRACE_TOPIC",
    flushConsumerOffsetInterval: 5000,
    notifyConsumerIdsChangedEnable: true,
    enablePropertyFilter: false,
    filterSupportRetry: false,
    filterDataCleanTimeSpan: 24 * 3600 * 1000,
    maxErrorRateOfBloomFilter: 20,
    expectConsumerNumUseFilter: 32,
    brokerRole: "ASYNC_MASTER" as "ASYNC_MASTER" | "SLAVE",
    accessMessageInMemoryMaxRatio: 40,
  };
}

/** Gives a test a folder, and removes it. */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "rocketd-broker-" });
  try {
    await test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Writes config/NAME into a store's folder. */
export function writeConfig(folder: string, name: string, text: string): void {
  Deno.mkdirSync(`${folder}/config`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/config/${name}`, text);
}

export function readConfig(folder: string, name: string): string {
  return Deno.readTextFileSync(`${folder}/config/${name}`);
}

/** A connection that writes down what it is told, into a list that several may share. */
export class RecordingConnection implements MemberConnection {
  closed = false;
  congested = false;
  #onClose: (() => void)[] = [];

  constructor(readonly peer: string, readonly notices: string[] = []) {}

  notify: MemberConnection["notify"] = (type, header) => {
    const { consumerGroup } = header as { consumerGroup?: string };
    this.notices.push(`${this.peer} ${type.name} ${consumerGroup}`);
  };

  request: MemberConnection["request"] = () => Promise.reject(new Error("nobody asks these"));

  onClose(callback: () => void): void {
    if (this.closed) callback();
    else this.#onClose.push(callback);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const callback of this.#onClose) callback();
  }
}

/** A server with the given handlers, and a client for it. */
export class Desk {
  readonly #server: RemotingServer;
  readonly #clients: RemotingClient[] = [];

  constructor(add: (table: HandlerTable) => void) {
    const handlers = new HandlerTable();
    add(handlers);
    this.#server = new RemotingServer({
      hostname: "127.0.0.1",
      port: 0,
      handlers,
      connectionsMax: 100,
      idleMs: 60_000,
    });
  }

  /** A client with a connection of its own; `handlers` obey what the server tells it. */
  client(handlers = new HandlerTable()): { ask: Ask; close(): void } {
    const client = new RemotingClient({ handlers });
    this.#clients.push(client);
    const address = `127.0.0.1:${this.#server.port}`;
    return {
      ask: (type, header, body) => client.invoke(address, type, header, body, 30_000),
      close: () => client.close(),
    };
  }

  get connections(): number {
    return this.#server.connections.size;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#server.close();
  }
}

type Invoke = RemotingClient["invoke"];
/** Asks the desk and gives its whole answer. */
export type Ask = <R extends Parameters<Invoke>[1]>(
  type: R,
  header: Parameters<typeof RemotingClient.prototype.invoke<R>>[2],
  body?: Uint8Array,
) => ReturnType<typeof RemotingClient.prototype.invoke<R>>;

/**
 * Lets the event loop turn some times, so that what has come to a socket is read: for what shows nothing that could be
 * waited for. A machine that is busy with other things makes it longer, and not wrong.
 */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}
