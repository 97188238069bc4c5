/**
 * @module
 */
import { OFFSETS_MAX } from "../../src/limits.ts";
import { CloneGroupOffset, QueryCorrectionOffset } from "../../src/protocol/admin_requests.ts";
import { decodeCorrectionOffsets } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { AdminDesk, consumerData } from "./admin_desk.ts";

const { SUCCESS, SYSTEM_ERROR } = ResponseCode;
const CLONE = { srcGroup: "CG", destGroup: "DG" };

Deno.test("a clone gives a group the offsets of another in place of its own, of one topic or of all", async () => {
  await AdminDesk.with(async (desk, ask) => {
    for (const topic of ["T", "U", "%RETRY%CG"]) {
      await desk.topic(topic, 2);
      desk.commit("CG", topic, 5);
      if (topic !== "U") desk.commit("DG", topic, 1, 1);
    }
    const clone = async (given: object) => (await ask(CloneGroupOffset, { ...CLONE, ...given })).code;
    assertEquals(await clone({ topic: "T" }), SUCCESS);
    assertEquals([desk.offsetsOf("DG", "T"), desk.offsetsOf("DG", "U")], [[5], []]);
    assertEquals(await clone({ topic: "" }), SUCCESS);
    assertEquals([desk.offsetsOf("DG", "T"), desk.offsetsOf("DG", "U")], [[5], [5]]);
    // The source's retry topic is its own, unless it is named.
    assertEquals(desk.offsetsOf("DG", "%RETRY%CG"), [1, 1]);
    assertEquals(await clone({ topic: "%RETRY%CG" }), SUCCESS);
    assertEquals(desk.offsetsOf("DG", "%RETRY%CG"), [5]);
    // They go their own ways from here.
    desk.commit("DG", "T", 9);
    assertEquals([desk.offsetsOf("CG", "T"), desk.offsetsOf("DG", "T")], [[5], [9]]);
    assertEquals(await clone({ srcGroup: "none" }), SUCCESS);
    assertEquals(await clone({ srcGroup: "DG" }), SUCCESS);
    assertEquals(desk.offsetsOf("DG", "T"), [9]);
  });
});

Deno.test("a clone passes over topics that the source, online, does not subscribe to, unless it is to", async () => {
  await AdminDesk.with(async (desk, ask) => {
    for (const topic of ["T", "U"]) {
      await desk.topic(topic, 1);
      desk.commit("CG", topic, 5);
    }
    desk.member("c1", consumerData("CG", "U"));
    assertEquals((await ask(CloneGroupOffset, CLONE)).code, SUCCESS);
    assertEquals([desk.offsetsOf("DG", "T"), desk.offsetsOf("DG", "U")], [[], [5]]);
    assertEquals((await ask(CloneGroupOffset, { ...CLONE, offline: true })).code, SUCCESS);
    assertEquals(desk.offsetsOf("DG", "T"), [5]);
  });
});

Deno.test("a clone is refused for an illegal group, and on a slave; topics that are gone are passed over", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.topic("T", 1);
    desk.commit("CG", "T", 5);
    const illegal = await ask(CloneGroupOffset, { ...CLONE, destGroup: "a/b" });
    assertEquals(illegal.code, SYSTEM_ERROR);
    assertStringIncludes(illegal.remark ?? "", "CLONE_GROUP_OFFSET of T: the specified group contains illegal");
    desk.topics.delete("T");
    assertEquals((await ask(CloneGroupOffset, CLONE)).code, SUCCESS);
    assertEquals(desk.offsetsOf("DG", "T"), []);
  });
  await AdminDesk.with(async (_, ask) => {
    const { code, remark } = await ask(CloneGroupOffset, CLONE);
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "from slave broker");
  }, { brokerRole: "SLAVE" });
});

Deno.test("clones count towards the bound of all offsets, and what is deleted no more", async () => {
  await AdminDesk.with(({ topics, offsets }) => {
    const queues = 65_536, groups = Math.floor(OFFSETS_MAX / queues);
    const table = { readQueueNums: queues, writeQueueNums: queues };
    topics.update({ ...topics.get("BenchmarkTest")!, topicName: "T", ...table });
    for (let queueId = 0; queueId < queues; queueId++) offsets.commit("G0", "T", queueId, 1);
    for (let n = 1; n < groups; n++) assertEquals(offsets.clone("G0", `G${n}`, "T"), undefined);
    assertStringIncludes(offsets.clone("G0", "more", "T") ?? "", `allowed are ${OFFSETS_MAX}`);
    offsets.deleteGroup("G1");
    assertEquals(offsets.clone("G0", "more", "T"), undefined);
    offsets.deleteTopic("T");
    assertEquals([offsets.topicsOf("G0"), offsets.groupsOf("T")], [[], []]);
    for (let n = 1; n < groups; n++) assertEquals(offsets.clone("G0", `G${n}`, "T"), undefined);
    return Promise.resolve();
  });
});

Deno.test("the correction offsets are the least of all groups, and those that are left out keep theirs", async () => {
  await AdminDesk.with(async (desk, ask) => {
    await desk.topic("T", 3, 9);
    desk.commit("A", "T", 3, 7, 2);
    desk.commit("B", "T", 5, 1, 2);
    desk.commit("C", "T", 4);
    const query = async (compareGroup: string, filterGroups?: string) => {
      const { code, body } = await ask(QueryCorrectionOffset, { topic: "T", compareGroup, filterGroups });
      assertEquals(code, SUCCESS);
      return [...decodeCorrectionOffsets(body)];
    };
    assertEquals(await query("A"), [[0, 3], [1, 1], [2, 2]]);
    assertEquals(await query("A", "B,A"), [[0, 2 ** 63]]);
    assertEquals(await query("none", "A"), [[0, 4], [1, 1], [2, 2]]);
    assertEquals(["A", "B", "C"].map((group) => desk.offsetsOf(group, "T")), [[3, 7, 2], [5, 1, 2], [4]]);
  });
});

Deno.test("a query over many groups lets others have their turn", async () => {
  await AdminDesk.with(async (desk, ask) => {
    const groups = 200;
    await desk.topic("T", 1, 1);
    for (let n = 0; n < groups; n++) desk.commit(`G${n}`, "T", 1);
    let calls = 0, most = 0;
    const timer = setInterval(() => calls = 0, 0);
    desk.store.minOffset = () => {
      const end = Date.now() + 1;
      while (Date.now() < end);
      most = Math.max(most, ++calls);
      return 0;
    };
    const { code, body } = await ask(QueryCorrectionOffset, { topic: "T", compareGroup: "none", filterGroups: "G0" });
    clearInterval(timer);
    assertEquals([code, [...decodeCorrectionOffsets(body)]], [SUCCESS, [[0, 1]]]);
    assert(most < groups / 2, `${most} groups in one turn`);
  });
});
