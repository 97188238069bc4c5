/**
 * How a slave finds its master, and what it says about a wrong one.
 *
 * @module
 */
import type { LogRecord } from "@logtape/logtape";
import { configure, reset } from "@logtape/logtape";
import { MasterFinder } from "../../src/broker/master_finder.ts";
import { encodeKvTable } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetBrokerRuntimeInfo } from "../../src/protocol/requests.ts";
import { assertEquals } from "../../src/std.ts";
import { HandClock } from "./workshop.ts";

const OWN = "10.0.0.2:10911";
const MASTER = { masterAddr: "10.0.0.1:10911", haServerAddr: "10.0.0.1:10912" };

/** A finder of broker-a's slave 1, with what it decided. */
class Search {
  readonly clock = new HandClock();
  /** Settings by the address of a broker; others do not answer. */
  readonly brokers = new Map<string, Record<string, string>>();
  readonly asked: string[] = [];
  followed: string | undefined;
  copied: string | undefined;
  nameserversAsked = 0;
  readonly finder;

  constructor(haMasterAddress = "") {
    // deno-lint-ignore no-explicit-any
    const client: any = {
      invoke: (address: string, { name }: { name: string }) => {
        this.asked.push(`${address} ${name}`);
        const known = this.brokers.get(address);
        if (known === undefined) return Promise.reject(new Error("connection refused"));
        const text = Object.entries(known).map(([key, value]) => `${key}=${value}\n`).join("");
        const body = name === GetBrokerRuntimeInfo.name
          ? encodeKvTable(new Map(Object.entries(known)))
          : new TextEncoder().encode(text);
        return Promise.resolve({ code: ResponseCode.SUCCESS, header: {}, body });
      },
    };
    this.finder = new MasterFinder({
      settings: { brokerName: "broker-a", brokerId: 1, haMasterAddress },
      address: OWN,
      client,
      clock: this.clock,
      follow: (address) => this.followed = address,
      copyFrom: (address) => this.copied = address,
      askNameservers: () => this.nameserversAsked++,
    });
  }

  /** Runs, and gives where messages and where settings come from. */
  async start(): Promise<[string | undefined, string | undefined]> {
    this.finder.start();
    return await this.settled();
  }

  async settled(): Promise<[string | undefined, string | undefined]> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
    return [this.followed, this.copied];
  }
}

/** The errors that are logged meanwhile. */
async function errorsOf(run: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await configure({
    sinks: { lines: (record: LogRecord) => void lines.push(record.message.join("")) },
    loggers: [{ category: "rocketd", sinks: ["lines"], lowestLevel: "error" }, {
      category: ["logtape", "meta"],
      lowestLevel: "error",
    }],
  });
  try {
    await run();
  } finally {
    await reset();
  }
  return lines;
}

Deno.test("a slave follows the master that the nameserver has, and goes on when the nameserver has it no more", async () => {
  const search = new Search();
  await search.start();
  search.finder.told(MASTER);
  assertEquals(await search.settled(), [MASTER.haServerAddr, MASTER.masterAddr]);
  search.finder.told({});
  assertEquals(await search.settled(), [MASTER.haServerAddr, undefined]);
  const other = { masterAddr: "10.0.0.3:10911", haServerAddr: "10.0.0.3:10912" };
  search.finder.told(other);
  assertEquals(await search.settled(), [other.haServerAddr, other.masterAddr]);
  search.finder.close();
  assertEquals(search.clock.timers, 0);
});

Deno.test("a slave without a master asks the nameservers again and again", async () => {
  const search = new Search();
  await search.start();
  search.clock.go(5000);
  search.clock.go(5000);
  assertEquals(search.nameserversAsked, 3);
  search.finder.told(MASTER);
  await search.settled();
  search.clock.go(60_000);
  assertEquals(search.nameserversAsked, 3);
  search.finder.close();
});

Deno.test("haMasterAddress comes before what the nameserver says", async () => {
  const search = new Search("10.9.9.9:10912");
  search.finder.told(MASTER);
  assertEquals(await search.start(), ["10.9.9.9:10912", MASTER.masterAddr]);
});

Deno.test("without a nameserver the port below haMasterAddress is where settings come from, if the master answers", async () => {
  const search = new Search("10.9.9.9:10912");
  assertEquals(await search.start(), ["10.9.9.9:10912", undefined]);
  search.brokers.set("10.9.9.9:10911", { brokerName: "broker-a", brokerId: "0", brokerRole: "ASYNC_MASTER" });
  search.clock.go(5000);
  assertEquals(await search.settled(), ["10.9.9.9:10912", "10.9.9.9:10911"]);
});

for (
  const [whose, settings, said] of [
    [
      "another broker's",
      { brokerName: "broker-b", brokerId: "0", brokerRole: "ASYNC_MASTER" },
      "is the address of a broker named broker-b, this slave's brokerName is broker-a",
    ],
    [
      "its own",
      { brokerName: "broker-a", brokerId: "1", brokerRole: "SLAVE" },
      "is this slave itself, or another one with the same brokerId 1",
    ],
  ] as const
) {
  Deno.test(`a haMasterAddress that is ${whose} is not followed, and said once`, async () => {
    const search = new Search("10.9.9.9:10912");
    search.brokers.set("10.9.9.9:10911", settings);
    const lines = await errorsOf(async () => {
      search.finder.told(MASTER);
      assertEquals(await search.start(), [undefined, undefined]);
      search.clock.go(5000);
      assertEquals(await search.settled(), [undefined, undefined]);
    });
    assertEquals(lines, [`Cannot follow a master: haMasterAddress=10.9.9.9:10912 ${said}`]);
    // It may be set right at the other end.
    search.brokers.set("10.9.9.9:10911", { brokerName: "broker-a", brokerId: "0", brokerRole: "SYNC_MASTER" });
    search.clock.go(5000);
    assertEquals(await search.settled(), ["10.9.9.9:10912", MASTER.masterAddr]);
  });
}

Deno.test("a nameserver that has the slave itself as master is not believed", async () => {
  const search = new Search();
  const lines = await errorsOf(async () => {
    search.finder.told({ masterAddr: OWN, haServerAddr: "10.0.0.2:10912" });
    assertEquals(await search.settled(), [undefined, undefined]);
  });
  assertEquals(lines, [
    `Cannot follow a master: the nameserver has ${OWN}, which is this slave itself, as master of broker-a`,
  ]);
});

Deno.test("the master tells from where to where its log goes; nothing is known while it does not answer", async () => {
  const search = new Search();
  search.finder.told(MASTER);
  const unknown = "connection refused";
  assertEquals(await search.finder.masterLog(MASTER.haServerAddr), { oldest: undefined, end: undefined, unknown });
  search.brokers.set(MASTER.masterAddr, { commitLogMinOffset: "1073741824", commitLogMaxOffset: "1073742000" });
  assertEquals(await search.finder.masterLog(MASTER.haServerAddr), { oldest: 1_073_741_824, end: 1_073_742_000 });
  // Without a nameserver it is asked of the port below.
  const alone = new Search("10.9.9.9:10912");
  alone.brokers.set("10.9.9.9:10911", { commitLogMinOffset: "0" });
  assertEquals(await alone.finder.masterLog("10.9.9.9:10912"), { oldest: 0, end: undefined });
});
