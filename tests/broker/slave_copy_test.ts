/**
 * A slave's copy of its master's tables, from a master whose answers the tests give.
 *
 * @module
 */
import { DelayOffsets } from "../../src/broker/delay_offsets.ts";
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { SlaveCopy } from "../../src/broker/slave_copy.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { denoDisk as disk } from "../../src/platform/disk.ts";
import {
  encodeConsumerOffsets,
  encodeDelayOffsets,
  encodeKvTable,
  encodeSubscriptionGroupTable,
  encodeTopicConfigTable,
  subscriptionGroup,
  topicConfig,
} from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import {
  GetAllConsumerOffset,
  GetAllDelayOffset,
  GetAllSubscriptionGroupConfig,
  GetAllTopicConfig,
  GetBrokerRuntimeInfo,
} from "../../src/protocol/requests.ts";
import { assertEquals } from "../../src/std.ts";
import { HandClock, inFolder, readConfig, settingsIn, START } from "./workshop.ts";

const MASTER = "10.0.0.1:10911";
const VERSION = { counter: 7, timestamp: START };

/** A slave with a log of 1000 bytes, and its master. */
class Pair {
  readonly clock = new HandClock();
  readonly topics;
  readonly groups;
  readonly offsets;
  readonly delays;
  readonly copy;
  /** Whether the master is seen to have the slave's log. */
  sameLog = true;
  /** Called with each request that the master answers. */
  asking: (name: string) => void = () => {};
  /** The master's answers by request; a missing one is a refusal. */
  readonly answers = new Map<string, Uint8Array>();
  readonly asked: string[] = [];
  /** What the master was told: topic@group queue offset. */
  readonly told: string[] = [];
  readonly store = {
    maxLogOffset: 1000,
    onArrival: (listener: (topic: string, queueId: number, maxOffset: number) => void) => this.arrived = listener,
  };
  arrived: (topic: string, queueId: number, maxOffset: number) => void = () => {};

  constructor(readonly folder: string) {
    const { clock, store } = this;
    const settings = { ...settingsIn(folder), brokerRole: "SLAVE" as const };
    const topics = this.topics = new TopicTable({ settings, disk, clock });
    const groups = this.groups = new SubscriptionGroupTable({ settings, disk, clock });
    const offsets = this.offsets = new ConsumerOffsets({ settings, topics, disk, clock });
    this.delays = new DelayOffsets({ settings, store: { sync: () => Promise.resolve(true) }, disk });
    // deno-lint-ignore no-explicit-any
    const client: any = {
      invoke: (address: string, { name }: { name: string }) => {
        this.asked.push(`${address} ${name}`);
        this.asking(name);
        const body = this.answers.get(name);
        const code = body === undefined ? ResponseCode.SYSTEM_ERROR : ResponseCode.SUCCESS;
        return Promise.resolve({ code, remark: "not now", header: {}, body: body ?? new Uint8Array() });
      },
      notify: (
        _address: string,
        _type: unknown,
        { topic, consumerGroup, queueId, commitOffset }: Record<string, string>,
      ) => {
        this.told.push(`${topic}@${consumerGroup} ${queueId} ${commitOffset}`);
        return Promise.resolve();
      },
    };
    const sameLog = () => this.sameLog;
    this.copy = new SlaveCopy({ topics, groups, offsets, clock, store, client, delayOffsets: this.delays, sameLog });
    this.setTopics(["T"]);
    this.setGroups(["CG"]);
    this.setOffsets({ 0: 5, 1: 9 }, 100);
  }

  setTopics(names: string[], dataVersion = VERSION): void {
    const topicConfigTable = new Map(names.map((name) => [name, topicConfig(name)]));
    this.answers.set(GetAllTopicConfig.name, encodeTopicConfigTable({ dataVersion, topicConfigTable }));
  }

  setGroups(names: string[], dataVersion = VERSION): void {
    const subscriptionGroupTable = new Map(names.map((name) => [name, subscriptionGroup(name)]));
    const body = encodeSubscriptionGroupTable({ dataVersion, subscriptionGroupTable });
    this.answers.set(GetAllSubscriptionGroupConfig.name, body);
  }

  /** Offsets of CG in T by queue, level 3 delivered up to 4, and the end of the master's log after that. */
  setOffsets(ofQueues: Record<number, number>, end: number): void {
    const queues = new Map(Object.entries(ofQueues).map(([queueId, offset]) => [Number(queueId), offset]));
    this.answers.set(GetAllConsumerOffset.name, encodeConsumerOffsets([["T@CG", queues]]));
    this.answers.set(GetAllDelayOffset.name, encodeDelayOffsets(new Map([[3, 4]])));
    this.answers.set(GetBrokerRuntimeInfo.name, encodeKvTable(new Map([["commitLogMaxOffset", String(end)]])));
  }

  async copied(): Promise<this> {
    this.copy.setMaster(MASTER);
    await this.copy.copy();
    return this;
  }

  offset(queueId: number): number {
    return this.offsets.get("CG", "T", queueId);
  }
}

function paired(test: (pair: Pair) => Promise<void>): () => Promise<void> {
  return () => inFolder((folder) => test(new Pair(folder)));
}

Deno.test(
  "a slave takes topics, groups, consumer offsets and delay offsets of its master, and keeps them in files",
  paired(async (pair) => {
    await pair.copied();
    const { topics, groups, delays, offsets, folder } = pair;
    assertEquals([topics.get("T")?.topicName, topics.version()], ["T", VERSION]);
    assertEquals([groups.get("CG")?.groupName, groups.version()], ["CG", VERSION]);
    assertEquals([pair.offset(0), pair.offset(1), delays.get(3)], [5, 9, 4]);
    offsets.save();
    for (
      const [file, text] of [["topics", '"T"'], ["subscriptionGroup", '"CG"'], ["consumerOffset", "T@CG"]] as const
    ) {
      assertEquals(readConfig(folder, `${file}.json`).includes(text), true, file);
    }
    assertEquals(readConfig(folder, "delayOffset.json").replace(/\s/g, ""), '{"offsetTable":{3:4}}');
  }),
);

Deno.test(
  "built-in topics and groups stay where the master does not have them",
  paired(async (pair) => {
    const { topics, groups } = await pair.copied();
    assertEquals([topics.get("SCHEDULE_TOPIC_XXXX")?.readQueueNums, groups.get("TOOLS_CONSUMER")?.groupName], [
      18,
      "TOOLS_CONSUMER",
    ]);
  }),
);

Deno.test(
  "a table of the same version is not taken again",
  paired(async (pair) => {
    await pair.copied();
    pair.setTopics(["U"]);
    pair.setGroups(["DG"]);
    await pair.copied();
    assertEquals([pair.topics.get("U"), pair.groups.get("DG")], [undefined, undefined]);
  }),
);

Deno.test(
  "topics that the master deleted are deleted, with their offsets",
  paired(async (pair) => {
    const { topics, offsets } = pair;
    pair.setTopics(["T", "U"]);
    await pair.copied();
    assertEquals(offsets.commit("CG", "U", 0, 7), undefined);
    pair.setTopics(["T"], { counter: 8, timestamp: START });
    await pair.copied();
    assertEquals([topics.get("U"), topics.get("T")?.topicName], [undefined, "T"]);
    assertEquals([offsets.topicsOf("CG"), pair.offset(0)], [["T"], 5]);
  }),
);

Deno.test(
  "nothing is taken, nor asked for, from a master that has another log, and all at once when it has the same",
  paired(async (pair) => {
    await pair.copied();
    const known = () => [pair.topics.get("T")?.topicName, pair.groups.get("CG")?.groupName, pair.offset(0)];
    const before = known();
    pair.setTopics(["U"], { counter: 8, timestamp: START });
    pair.setGroups([], { counter: 8, timestamp: START });
    pair.setOffsets({ 0: 0 }, 0);
    pair.sameLog = false;
    const { length } = pair.asked;
    pair.copy.start();
    pair.clock.go(60_000);
    await pair.copied();
    assertEquals([known(), pair.asked.length], [before, length]);
    pair.sameLog = true;
    pair.copy.logFits();
    await pair.copy.copy();
    assertEquals(known(), [undefined, undefined, 0]);
    await pair.copy.close();
  }),
);

for (
  const [asked, taken] of [[GetAllTopicConfig, []], [GetAllSubscriptionGroupConfig, ["T"]], [GetAllConsumerOffset, [
    "T",
    "CG",
  ]], [GetBrokerRuntimeInfo, ["T", "CG"]]] as const
) {
  for (const comesBack of [false, true]) {
    Deno.test(
      `a master's answers do not count from where its log is lost (${asked.name}${
        comesBack ? ", and comes back" : ""
      })`,
      paired(async (pair) => {
        pair.asking = (name) => {
          if (name !== asked.name) return;
          pair.sameLog = comesBack;
          if (comesBack) pair.copy.logFits();
        };
        const { topics, groups, delays } = await pair.copied();
        const names = [topics.get("T")?.topicName, groups.get("CG")?.groupName].filter((name) => name !== undefined);
        assertEquals<unknown[]>([names, pair.offset(0), delays.get(3)], [taken, -1, 0]);
      }),
    );
  }
}

Deno.test(
  "offsets that wait for the log count though the master goes, but not where its log was looked at anew",
  paired(async (pair) => {
    pair.setOffsets({ 0: 5 }, 1001);
    await pair.copied();
    pair.copy.logFits();
    pair.setOffsets({ 0: 6 }, 1002);
    pair.store.maxLogOffset = 1001;
    await pair.copied();
    assertEquals(pair.offset(0), -1);
    pair.offsets.commit("CG", "T", 1, 7);
    pair.store.maxLogOffset = 1002;
    pair.sameLog = false;
    await pair.copy.close();
    assertEquals([pair.offset(0), pair.told], [6, []]);
  }),
);

for (
  const refused of [
    GetAllTopicConfig,
    GetAllSubscriptionGroupConfig,
    GetAllConsumerOffset,
    GetAllDelayOffset,
    GetBrokerRuntimeInfo,
  ]
) {
  Deno.test(
    `what a master refuses (${refused.name}) keeps nothing else from being copied`,
    paired(async (pair) => {
      pair.answers.delete(refused.name);
      const { topics, groups, delays } = await pair.copied();
      const isCopied = {
        [GetAllTopicConfig.name]: topics.get("T") !== undefined,
        [GetAllSubscriptionGroupConfig.name]: groups.get("CG") !== undefined,
        [GetAllConsumerOffset.name]: pair.offset(0) === 5,
        [GetAllDelayOffset.name]: delays.get(3) === 4,
      };
      const needsEnd: string[] = [GetAllConsumerOffset.name, GetAllDelayOffset.name];
      for (const [name, done] of Object.entries(isCopied)) {
        const expected = name !== refused.name && !(refused === GetBrokerRuntimeInfo && needsEnd.includes(name));
        assertEquals(done, expected, name);
      }
    }),
  );
}

Deno.test(
  "offsets do not count before the slave has the log that they tell of",
  paired(async (pair) => {
    pair.setOffsets({ 0: 5 }, 1001);
    pair.copy.start();
    await pair.copied();
    assertEquals([pair.offset(0), pair.delays.get(3)], [-1, 0]);
    // Newer ones do not push them back for ever.
    pair.setOffsets({ 0: 50 }, 5000);
    await pair.copied();
    pair.store.maxLogOffset = 1001;
    pair.clock.go(1000);
    await Promise.resolve();
    assertEquals([pair.offset(0), pair.delays.get(3)], [5, 4]);
    await pair.copy.close();
  }),
);

Deno.test(
  "what was committed on the slave and is ahead of the master is told to it, the rest is overwritten",
  paired(async (pair) => {
    await pair.copied();
    pair.copy.setMaster(undefined);
    pair.offsets.commit("CG", "T", 0, 8);
    pair.offsets.commit("CG", "T", 1, 7);
    pair.offsets.commit("CG", "T", 2, 1);
    await pair.copied();
    assertEquals([pair.offset(0), pair.offset(1), pair.offset(2)], [8, 9, 1]);
    assertEquals(pair.told, ["T@CG 0 8", "T@CG 2 1"]);
    // From then on the master's count again.
    pair.setOffsets({ 0: 6, 1: 9, 2: 1 }, 100);
    await pair.copied();
    assertEquals([pair.offset(0), pair.told.length], [6, 2]);
  }),
);

Deno.test(
  "the copy runs every ten seconds, at once from a new master, and soon after a message of an unknown topic",
  paired(async (pair) => {
    const rounds = () => pair.asked.filter((what) => what.endsWith(GetAllTopicConfig.name)).length;
    const settle = () => pair.copy.copy();
    pair.copy.start();
    assertEquals(rounds(), 0);
    pair.copy.setMaster(MASTER);
    await settle();
    assertEquals(rounds(), 1);
    pair.clock.go(10_000);
    await settle();
    assertEquals(rounds(), 2);
    pair.arrived("T", 0, 1);
    pair.clock.go(2000);
    assertEquals(rounds(), 2);
    pair.arrived("U", 0, 1);
    pair.arrived("U", 0, 2);
    pair.clock.go(1000);
    await settle();
    assertEquals(rounds(), 3);
    // Another master, in the middle of a round.
    const old = pair.copy.copy();
    pair.copy.setMaster("10.0.0.9:10911");
    await old;
    await settle();
    assertEquals(pair.asked.filter((what) => what === `10.0.0.9:10911 ${GetAllTopicConfig.name}`).length, 1);
    const before = rounds();
    await pair.copy.close();
    pair.clock.go(60_000);
    assertEquals([rounds(), pair.clock.timers], [before, 0]);
  }),
);
