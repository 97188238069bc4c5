/**
 * Named tables of RocketMQ 4.9.7: response codes, language codes, versions, header encodings.
 *
 * @module
 */

/** Response codes (`ResponseCode`, `RemotingSysResponseCode`). */
export const ResponseCode = {
  SUCCESS: 0,
  SYSTEM_ERROR: 1,
  SYSTEM_BUSY: 2,
  REQUEST_CODE_NOT_SUPPORTED: 3,
  TRANSACTION_FAILED: 4,
  FLUSH_DISK_TIMEOUT: 10,
  SLAVE_NOT_AVAILABLE: 11,
  FLUSH_SLAVE_TIMEOUT: 12,
  MESSAGE_ILLEGAL: 13,
  SERVICE_NOT_AVAILABLE: 14,
  VERSION_NOT_SUPPORTED: 15,
  NO_PERMISSION: 16,
  TOPIC_NOT_EXIST: 17,
  TOPIC_EXIST_ALREADY: 18,
  PULL_NOT_FOUND: 19,
  PULL_RETRY_IMMEDIATELY: 20,
  PULL_OFFSET_MOVED: 21,
  QUERY_NOT_FOUND: 22,
  SUBSCRIPTION_PARSE_FAILED: 23,
  SUBSCRIPTION_NOT_EXIST: 24,
  SUBSCRIPTION_NOT_LATEST: 25,
  SUBSCRIPTION_GROUP_NOT_EXIST: 26,
  FILTER_DATA_NOT_EXIST: 27,
  FILTER_DATA_NOT_LATEST: 28,
  TRANSACTION_SHOULD_COMMIT: 200,
  TRANSACTION_SHOULD_ROLLBACK: 201,
  TRANSACTION_STATE_UNKNOW: 202,
  TRANSACTION_STATE_GROUP_WRONG: 203,
  NO_BUYER_ID: 204,
  NOT_IN_CURRENT_UNIT: 205,
  CONSUMER_NOT_ONLINE: 206,
  CONSUME_MSG_TIMEOUT: 207,
  NO_MESSAGE: 208,
  UPDATE_AND_CREATE_ACL_CONFIG_FAILED: 209,
  DELETE_ACL_CONFIG_FAILED: 210,
  UPDATE_GLOBAL_WHITE_ADDRS_CONFIG_FAILED: 211,
  FLOW_CONTROL: 215,
} as const;

/** The name of a response code, or its number as text. */
export function responseCodeName(code: number): string {
  return Object.entries(ResponseCode).find(([, value]) => value === code)?.[0] ?? String(code);
}

/**
 * How a header is written: the top byte of a frame's header word (`SerializeType`).
 *
 * @example
 * ```ts
 * import { HeaderEncoding, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers, encoding: HeaderEncoding.ROCKETMQ });
 * const { status } = await producer.send({ topic: "orders", body: "one pizza" });
 * assertEquals(status, "SEND_OK");
 * ```
 */
export const HeaderEncoding = {
  /** Text, which every RocketMQ understands. */
  JSON: 0,
  /** Binary and shorter. */
  ROCKETMQ: 1,
} as const;
/**
 * A value of {@linkcode HeaderEncoding}.
 *
 * @example
 * ```ts
 * import { HeaderEncoding } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const encodingOf = (isOld: boolean): HeaderEncoding => isOld ? HeaderEncoding.JSON : HeaderEncoding.ROCKETMQ;
 * assertEquals(encodingOf(true), HeaderEncoding.JSON);
 * ```
 */
export type HeaderEncoding = typeof HeaderEncoding[keyof typeof HeaderEncoding];

/** Bits of a header's flag: an answer, a one-way request. */
export const Flag = { ANSWER: 1, ONE_WAY: 2 } as const;

/** `LanguageCode`, by its number. */
export const LANGUAGES = [
  "JAVA",
  "CPP",
  "DOTNET",
  "PYTHON",
  "DELPHI",
  "ERLANG",
  "RUBY",
  "OTHER",
  "HTTP",
  "GO",
  "PHP",
  "OMS",
  "RUST",
] as const;

/** `MQVersion` ordinals that decide something. */
export const MQVersion = {
  V3_0_7_SNAPSHOT: 28,
  V3_0_11: 37,
  V3_1_8_SNAPSHOT: 62,
  V3_4_9: 121,
  V4_1_0_SNAPSHOT: 232,
  V4_9_4: 401,
  V4_9_7: 407,
} as const;

/** What we say we are: the version whose behaviour we follow. */
export const OUR_VERSION: number = MQVersion.V4_9_7;
export const OUR_VERSION_NAME = "V4_9_7";

/** Role ids: a broker's id 0 is the master. */
export const MASTER_ID = 0;

/** Permission bits of a topic or broker (`PermName`). */
export const Permission = { INHERIT: 1, WRITE: 2, READ: 4, PRIORITY: 8 } as const;

/** Bits of a message's sysFlag (`MessageSysFlag`). */
export const SysFlag = {
  COMPRESSED: 0x1,
  MULTI_TAGS: 0x2,
  TRANSACTION_MASK: 0xc,
  TRANSACTION_PREPARED: 0x4,
  TRANSACTION_COMMIT: 0x8,
  TRANSACTION_ROLLBACK: 0xc,
  BORN_HOST_V6: 0x10,
  STORE_HOST_V6: 0x20,
} as const;

/** Bits of a pull's sysFlag (`PullSysFlag`). */
export const PullFlag = { COMMIT_OFFSET: 1, SUSPEND: 2, SUBSCRIPTION: 4, CLASS_FILTER: 8, LITE_PULL: 16 } as const;
