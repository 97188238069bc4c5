/**
 * Administrators' requests without access control: obeyed for this machine and for the addresses that are named.
 *
 * @module
 */
import { ResponseCode } from "../../../src/protocol/codes.ts";
import * as admin from "../../../src/protocol/admin_requests.ts";
import type { RequestType } from "../../../src/protocol/request.ts";
import * as requests from "../../../src/protocol/requests.ts";
import { guardAdministration } from "../../../src/remoting/access/administration.ts";
import { type Answer, HandlerTable, type Incoming } from "../../../src/remoting/handlers.ts";
import { assert, assertEquals } from "../../../src/std.ts";

const ALL: readonly RequestType[] = [...new Set([...Object.values(requests), ...Object.values(admin)])]
  .filter((value): value is RequestType => typeof value === "object" && "code" in value);

/** What the check before a request's handler says to a peer; undefined: nothing against it. */
function asked(type: RequestType, peerIp: string, from: readonly string[] = []): Answer | undefined {
  const table = new HandlerTable();
  table.on(type, () => undefined);
  guardAdministration(table, from);
  const connection = { peerIp, isLocal: peerIp === "127.0.0.1" };
  return table.get(type.code)?.check?.({ type, connection } as Incoming);
}

Deno.test("what changes, deletes or wipes is refused to a peer from elsewhere, with the setting that allows it", () => {
  const answer = asked(admin.UpdateBrokerConfig, "10.0.0.5")!;
  assertEquals(answer.code, ResponseCode.NO_PERMISSION);
  for (const word of ["UPDATE_BROKER_CONFIG", "10.0.0.5", "adminRequestsFrom", "aclEnable"]) {
    assert(answer.remark!.includes(word), answer.remark);
  }
});

Deno.test("a peer on this machine may send all of it", () => {
  for (const type of ALL) assertEquals(asked(type, "127.0.0.1"), undefined, type.name);
});

Deno.test("a peer of an address in adminRequestsFrom may send it, its neighbour may not", () => {
  const from = ["10.9.*.*", "fe80::1-5"];
  assertEquals(asked(admin.DeleteAclConfig, "10.9.1.2", from), undefined);
  assertEquals(asked(admin.DeleteAclConfig, "fe80::4", from), undefined);
  assertEquals(asked(admin.DeleteAclConfig, "10.8.1.2", from)?.code, ResponseCode.NO_PERMISSION);
});

/** Read with by clients, slaves, brokers and consoles, or what clients and brokers live on. */
const OPEN = `
  SEND_MESSAGE SEND_MESSAGE_V2 SEND_BATCH_MESSAGE SEND_REPLY_MESSAGE SEND_REPLY_MESSAGE_V2 CONSUMER_SEND_MSG_BACK
  PULL_MESSAGE LITE_PULL_MESSAGE END_TRANSACTION QUERY_CONSUMER_OFFSET UPDATE_CONSUMER_OFFSET HEART_BEAT
  UNREGISTER_CLIENT CHECK_CLIENT_CONFIG LOCK_BATCH_MQ UNLOCK_BATCH_MQ GET_CONSUMER_LIST_BY_GROUP QUERY_MESSAGE
  VIEW_MESSAGE_BY_ID GET_ALL_TOPIC_CONFIG GET_ALL_CONSUMER_OFFSET GET_ALL_DELAY_OFFSET GET_ALL_SUBSCRIPTIONGROUP_CONFIG
  REGISTER_BROKER UNREGISTER_BROKER QUERY_DATA_VERSION GET_ROUTEINFO_BY_TOPIC GET_BROKER_CLUSTER_INFO
  GET_BROKER_RUNTIME_INFO GET_BROKER_CONFIG GET_CONSUME_STATS GET_TOPIC_STATS_INFO
`.trim().split(/\s+/);
const CLOSED = `
  UPDATE_BROKER_CONFIG UPDATE_NAMESRV_CONFIG UPDATE_AND_CREATE_TOPIC DELETE_TOPIC_IN_BROKER DELETE_TOPIC_IN_NAMESRV
  UPDATE_AND_CREATE_SUBSCRIPTIONGROUP DELETE_SUBSCRIPTIONGROUP UPDATE_AND_CREATE_ACL_CONFIG DELETE_ACL_CONFIG
  UPDATE_GLOBAL_WHITE_ADDRS_CONFIG INVOKE_BROKER_TO_RESET_OFFSET CLONE_GROUP_OFFSET CLEAN_EXPIRED_CONSUMEQUEUE
  CLEAN_UNUSED_TOPIC DELETE_EXPIRED_COMMITLOG PUT_KV_CONFIG DELETE_KV_CONFIG WIPE_WRITE_PERM_OF_BROKER
  ADD_WRITE_PERM_OF_BROKER CONSUME_MESSAGE_DIRECTLY RESUME_CHECK_HALF_MESSAGE
`.trim().split(/\s+/);

Deno.test("clients, slaves and brokers are served wherever they are, and only administrators are not", () => {
  const refused = ALL.filter((type) => asked(type, "10.0.0.5") !== undefined).map(({ name }) => name);
  assertEquals(refused.filter((name) => OPEN.includes(name)), []);
  assertEquals(CLOSED.filter((name) => !refused.includes(name)), []);
});

Deno.test("a request that needs no administrator has no check on its way", () => {
  const table = new HandlerTable().on(requests.SendMessage, () => undefined);
  guardAdministration(table, []);
  assertEquals(table.get(requests.SendMessage.code)?.check, undefined);
});
