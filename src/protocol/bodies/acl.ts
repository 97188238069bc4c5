/**
 * Access control as administrators see it: the accounts of a broker (GET_BROKER_CLUSTER_ACL_CONFIG), and the versions of
 * the files that they are in, which travel as text in a header (GET_BROKER_CLUSTER_ACL_INFO).
 *
 * @module
 */
import { ACL_ACCOUNTS_MAX, ACL_ADDRESSES_LENGTH_MAX, ACL_FILES_MAX, ACL_GRANTS_MAX } from "../../limits.ts";
import { fastJsonBytes, parseFastJson, stringifyFastJson } from "../fastjson.ts";
import { type DataVersion, dataVersionShape } from "./data_version.ts";
import { decodeJson, flag, list, maybe, object, type ShapeOf, table, text } from "./shape.ts";

const grants = maybe(list(text(), ACL_GRANTS_MAX));
const addresses = text(ACL_ADDRESSES_LENGTH_MAX);
const accountShape = object({
  accessKey: text(),
  secretKey: maybe(text()),
  whiteRemoteAddress: maybe(addresses),
  admin: maybe(flag, () => false),
  defaultTopicPerm: maybe(text()),
  defaultGroupPerm: maybe(text()),
  topicPerms: grants,
  groupPerms: grants,
});
const configShape = object({
  globalWhiteAddrs: maybe(list(addresses, ACL_ACCOUNTS_MAX), () => []),
  plainAccessConfigs: maybe(list(accountShape, ACL_ACCOUNTS_MAX), () => []),
});

/** `topicPerms`, `groupPerms`: `NAME=PUB|SUB`. Our brokers hide the secrets, Java's show them. */
export type AclConfig = ShapeOf<typeof configShape>;

export function decodeAclConfig(bytes: Uint8Array): AclConfig {
  return decodeJson(configShape, bytes);
}

export function encodeAclConfig(config: AclConfig): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(config);
}

const versionsShape = maybe(table(maybe(dataVersionShape), ACL_FILES_MAX), () => new Map());

/** Versions of the files of accounts by their paths. Throws `malformed`. */
export function decodeAclVersions(json: string): Map<string, DataVersion | undefined> {
  return versionsShape(parseFastJson(json), "");
}

export function encodeAclVersions(versions: ReadonlyMap<string, DataVersion>): string {
  return stringifyFastJson(Object.fromEntries(versions));
}
