/**
 * Pulls with SQL92 expressions, over real connections from a real store.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { bodies, put } from "../store/kit.ts";
import { type Broker, recordsIn, served } from "./pull_broker.ts";

const { SUCCESS, PULL_NOT_FOUND, PULL_RETRY_IMMEDIATELY, SUBSCRIPTION_PARSE_FAILED } = ResponseCode;

const bySql = (subscription: string) => ({ subscription, expressionType: "SQL92" });

function putNumber(broker: Broker, n: number) {
  return put(broker.store, { body: new TextEncoder().encode(`m${n}`), properties: `n\u0001${n}` });
}

async function withSql(test: (broker: Broker) => Promise<void>): Promise<void> {
  await served(test, {}, { enablePropertyFilter: true });
}

Deno.test("A pull by SQL92 gives what it wants, and says where to go on when that is nothing", async () => {
  await withSql(async (broker) => {
    for (let n = 0; n < 40; n++) await putNumber(broker, n);
    assertEquals(await broker.pulled(bySql("n IN ('3', '30')")), [SUCCESS, 40, ["m3", "m30"]]);
    assertEquals(await broker.pulled({ ...bySql("n >= 10 AND n < 20"), queueOffset: 15, maxMsgNums: 2 }), [
      SUCCESS,
      17,
      ["m15", "m16"],
    ]);
    assertEquals(await broker.pulled(bySql("n > 100")), [PULL_RETRY_IMMEDIATELY, 40, []]);
    assertEquals(await broker.pulled({ ...bySql("n > 100"), queueOffset: 40 }), [PULL_NOT_FOUND, 40, []]);
    const { code, remark } = await broker.pull(bySql("n > 1 OR"));
    assertEquals(code, SUBSCRIPTION_PARSE_FAILED);
    assertStringIncludes(remark ?? "", "line 1, column 9");
  });
});

Deno.test("A held pull by SQL92 waits on when messages come that it does not want, and answers with one that it does", async () => {
  await withSql(async (broker) => {
    await putNumber(broker, 0);
    const [wanted, unwanted] = await broker.hold(
      { ...bySql("n > 5"), queueOffset: 1 },
      { ...bySql("n > 50"), queueOffset: 1 },
    );
    for (const n of [1, 5, 2]) await putNumber(broker, n);
    assertEquals(broker.pulling.held.size, 2);
    await putNumber(broker, 6);
    const found = await wanted!;
    assertEquals([found.code, found.header.nextBeginOffset], [SUCCESS, 5]);
    assertEquals(bodies([...recordsIn(found.body)]), ["m6"]);
    assertEquals(broker.pulling.held.size, 1);
    broker.clock.go(6_000);
    const none = await unwanted!;
    assertEquals([none.code, none.header.nextBeginOffset], [PULL_RETRY_IMMEDIATELY, 5], "it may move on after a while");
  });
});
