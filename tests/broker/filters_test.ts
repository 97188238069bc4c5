/**
 * @module
 */
import { ConsumerFilters } from "../../src/broker/consumer_filters.ts";
import { ConsumerGroups } from "../../src/broker/consumers.ts";
import { MessageFilters, pullFilter } from "../../src/broker/filters.ts";
import { SqlFilters } from "../../src/broker/sql_filters.ts";
import { SQL_KEPT_CHARACTERS_MAX, SQL_KEPT_MAX, SUBSCRIPTION_LENGTH_MAX } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { PullFlag, ResponseCode } from "../../src/protocol/codes.ts";
import { encodeRecord } from "../../src/protocol/message_record.ts";
import type { MessageFilter } from "../../src/store/mod.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { textOf } from "./sql/sql_cases.ts";
import { HandClock, inFolder, RecordingConnection, settingsIn } from "./workshop.ts";

const { SYSTEM_ERROR, NO_PERMISSION } = ResponseCode;
const { SUBSCRIPTION_PARSE_FAILED, SUBSCRIPTION_NOT_EXIST, SUBSCRIPTION_NOT_LATEST } = ResponseCode;
const { FILTER_DATA_NOT_EXIST, FILTER_DATA_NOT_LATEST } = ResponseCode;
const HOST = new Uint8Array(8);

function record(properties: Record<string, string>): Uint8Array {
  return encodeRecord({
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: HOST,
    storeTimestamp: 0,
    storeHost: HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(3),
    topic: "T",
    properties: textOf(properties),
  });
}

const header = {
  consumerGroup: "CG",
  topic: "T",
  sysFlag: 0,
  subscription: undefined as string | undefined,
  expressionType: undefined as string | undefined,
  subVersion: 10,
};

interface Subscribed {
  subString: string;
  expressionType?: string;
  subVersion?: number;
}

/** The filters of a broker with one group, which is online when it has subscriptions. */
async function broker(
  test: (b: {
    ask: (given?: Partial<typeof header>, broadcastAllowed?: boolean) => ReturnType<typeof pullFilter>;
    heartbeat: (subscriptions: Record<string, Subscribed>, model?: "BROADCASTING") => void;
    /** The same, but the broker's filters do not learn of it. */
    join: (subscriptions: Record<string, Subscribed>, model?: "BROADCASTING") => void;
  }) => void,
  given: Partial<ReturnType<typeof settingsIn>> = {},
): Promise<void> {
  await inFolder((folder) => {
    const settings = { ...settingsIn(folder), enablePropertyFilter: true, ...given };
    const clock = new HandClock();
    const consumers = new ConsumerGroups({ settings, groups: { get: () => undefined }, clock });
    const filters = new MessageFilters(settings);
    const consumerFilters = new ConsumerFilters({ settings, consumers, sql: filters.sql, disk: denoDisk, clock });
    const connection = new RecordingConnection("a");
    const dataOf = (subscriptions: Record<string, Subscribed>) =>
      Object.entries(subscriptions).map(([topic, { subString, expressionType = "TAG", subVersion = 10 }]) => (
        { topic, subString, expressionType, subVersion, tagsSet: [], codeSet: [], classFilterMode: false }
      ));
    const join = (subscriptions: Record<string, Subscribed>, model?: "BROADCASTING") =>
      consumers.register(
        {
          groupName: "CG",
          consumeType: "CONSUME_PASSIVELY",
          messageModel: model ?? "CLUSTERING",
          consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
          subscriptionDataSet: dataOf(subscriptions),
          unitMode: false,
        },
        connection,
        { clientId: "c", language: "JAVA", version: 407 },
      );
    test({
      ask: (given, broadcastAllowed = true) =>
        pullFilter({ settings, consumers, consumerFilters, filters }, { ...header, ...given }, broadcastAllowed),
      join,
      heartbeat: (subscriptions, model) => {
        join(subscriptions, model);
        consumerFilters.register("CG", dataOf(subscriptions));
      },
    });
    consumers.close();
  });
}

/** Whether a filter wants a message, as the store asks it. */
function wants(filtered: ReturnType<typeof pullFilter>, properties: Record<string, string>, tagsCode = 0): boolean {
  assert("filter" in filtered, JSON.stringify(filtered));
  const filter: MessageFilter = filtered.filter ?? {};
  return (filter.entry?.(tagsCode) ?? true) && (filter.record?.(record(properties)) ?? true);
}

function refused(filtered: ReturnType<typeof pullFilter>): [code: number, remark: string] {
  assert("code" in filtered, "it is refused");
  return [filtered.code, filtered.remark];
}

const byItself = (expressionType: string | undefined, subscription: string | undefined) => ({
  sysFlag: PullFlag.SUBSCRIPTION as number,
  expressionType,
  subscription,
});

Deno.test("A pull with an expression of its own gets what it asks for", async () => {
  await broker(({ ask }) => {
    assertEquals(wants(ask(byItself("SQL92", "n > 5")), { n: "6" }), true);
    assertEquals(wants(ask(byItself("SQL92", "n > 5")), { n: "5" }), false);
    assertEquals(wants(ask(byItself("SQL92", "n > 5")), {}), false, "unknown");
    assertEquals(wants(ask(byItself("SQL92", "n > 5")), { n: "x" }), false, "failed");
    for (const type of ["TAG", "", undefined]) {
      assertEquals(wants(ask(byItself(type, "TagA")), {}, 2598919), true);
      assertEquals(wants(ask(byItself(type, "TagA")), {}, 2598920), false);
    }
    for (const all of ["*", "", undefined]) assertEquals(ask(byItself("TAG", all)), { filter: undefined });
  });
});

Deno.test("A pull with a bad expression of its own is told what is wrong and where", async () => {
  await broker(({ ask }) => {
    const [code, remark] = refused(ask(byItself("SQL92", "n > 5 AND")));
    assertEquals(code, SUBSCRIPTION_PARSE_FAILED);
    assertStringIncludes(remark, "found the end, expected a value, at line 1, column 10");
    assertEquals(refused(ask(byItself("SQL92", "")))[0], SUBSCRIPTION_PARSE_FAILED);
    assertStringIncludes(refused(ask(byItself("FOO", "n > 5")))[1], "expressionType is FOO, allowed are TAG and SQL92");
    assertEquals(refused(ask(byItself("TAG", "||||"))), [
      SUBSCRIPTION_PARSE_FAILED,
      "the subscription is made of bars alone: ||||",
    ]);
    const tooLong = "x".repeat(SUBSCRIPTION_LENGTH_MAX + 1);
    for (const type of ["TAG", "SQL92"]) {
      assertEquals(refused(ask(byItself(type, tooLong)))[0], SUBSCRIPTION_PARSE_FAILED);
      assert(refused(ask(byItself(type, tooLong)))[1].length < 200);
    }
    assert(refused(ask(byItself("SQL92", "9".repeat(5000))))[1].length < 300, "no remark repeats all of it");
    assert(refused(ask(byItself("x".repeat(5000), "")))[1].length < 300);
    assertEquals(refused(ask({ sysFlag: PullFlag.CLASS_FILTER | PullFlag.SUBSCRIPTION }))[0], SYSTEM_ERROR);
  });
});

Deno.test("A broker without enablePropertyFilter refuses SQL92, good or bad", async () => {
  const refusal: [number, string] = [SYSTEM_ERROR, "The broker does not support consumer to filter message by SQL92"];
  await broker(({ ask, heartbeat }) => {
    assertEquals(refused(ask(byItself("SQL92", "n > 5"))), refusal);
    assertEquals(refused(ask(byItself("SQL92", "n >"))), refusal);
    heartbeat({ T: { subString: "n > 5", expressionType: "SQL92" } });
    assertEquals(refused(ask()), refusal);
  }, { enablePropertyFilter: false });
});

Deno.test("A pull leans on what its group told with a heartbeat", async () => {
  await broker(({ ask, heartbeat, join }) => {
    assertEquals(refused(ask())[0], SUBSCRIPTION_NOT_EXIST, "nobody is online");
    join({ T: { subString: "n > 5", expressionType: "SQL92" }, U: { subString: "TagA" } });
    assertEquals(refused(ask())[0], FILTER_DATA_NOT_EXIST);
    heartbeat({ T: { subString: "n > 5", expressionType: "SQL92" }, U: { subString: "TagA" } });
    assertEquals([wants(ask(), { n: "6" }), wants(ask(), { n: "5" })], [true, false]);
    assertEquals(wants(ask({ topic: "U" }), {}, 2598920), false);
    assertEquals(refused(ask({ topic: "V" }))[0], SUBSCRIPTION_NOT_EXIST);
    assertEquals(refused(ask({ subVersion: 11 }))[0], SUBSCRIPTION_NOT_LATEST);
    join({ T: { subString: "n > 6", expressionType: "SQL92", subVersion: 11 } });
    assertEquals(refused(ask({ subVersion: 11 }))[0], FILTER_DATA_NOT_LATEST);
    heartbeat({ T: { subString: "n > 6", expressionType: "SQL92", subVersion: 11 } });
    assertEquals([wants(ask({ subVersion: 11 }), { n: "6" }), wants(ask(), { n: "7" })], [false, true]);
    heartbeat({ T: { subString: "n >", expressionType: "SQL92", subVersion: 12 } });
    const [code, remark] = refused(ask());
    assertEquals(code, FILTER_DATA_NOT_EXIST);
    assertStringIncludes(remark, "Your expression may be wrong!: Invalid MessageSelector: found the end");
  });
});

Deno.test("A broadcasting group is refused where its configuration forbids that", async () => {
  await broker(({ ask, heartbeat }) => {
    heartbeat({ T: { subString: "*" } }, "BROADCASTING");
    assertEquals(refused(ask({}, false))[0], NO_PERMISSION);
    assertEquals(ask({}, true), { filter: undefined });
  });
});

Deno.test("Messages that come again are filtered once more, by their real topic, with filterSupportRetry only", async () => {
  for (const filterSupportRetry of [true, false]) {
    await broker(({ ask, heartbeat }) => {
      heartbeat({ T: { subString: "n > 5", expressionType: "SQL92" }, "%RETRY%CG": { subString: "*" } });
      const again = () => ask({ topic: "%RETRY%CG" });
      assertEquals(wants(again(), { RETRY_TOPIC: "T", n: "6" }), true);
      assertEquals(wants(again(), { RETRY_TOPIC: "T", n: "5" }), !filterSupportRetry);
      assertEquals(wants(again(), { RETRY_TOPIC: "U", n: "5" }), true, "no filter for that topic");
      assertEquals(wants(again(), { n: "5" }), true);
      heartbeat({
        T: { subString: "n > 6", expressionType: "SQL92", subVersion: 11 },
        "%RETRY%CG": { subString: "*" },
      });
      assertEquals(wants(again(), { RETRY_TOPIC: "T", n: "6" }), !filterSupportRetry);
      assertEquals(wants(ask({ topic: "%RETRY%CG", ...byItself("TAG", "TagA") }), { n: "9" }, 1), false);
    }, { filterSupportRetry });
  }
});

Deno.test("SqlFilters keeps the filters used last, up to a number and a length", () => {
  const filters = new SqlFilters();
  const first = filters.of("n = 0");
  assert(filters.of("n = 0") === first);
  for (let n = 1; n < SQL_KEPT_MAX; n++) filters.of(`n = ${n}`);
  assert(filters.of("n = 0") === first);
  const second = filters.of("n = 1");
  filters.of("n = -1");
  filters.of("n = -2");
  assert(filters.of("n = 0") === first);
  assert(filters.of("n = 1") === second);
  const long = (n: number) => `n = '${"x".repeat(60_000)}${n}'`;
  for (let n = 0; n <= SQL_KEPT_CHARACTERS_MAX / 60_000; n++) filters.of(long(n));
  const anew = filters.of("n = 0");
  assert(anew !== first);
  filters.of("n = 1");
  assert(filters.of("n = 0") === anew);
  assertThrows(() => filters.of("n >"));
});
