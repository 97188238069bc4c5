/**
 * The content of RocketMQ's plain_acl.yml: accounts with their permissions, and addresses that need none. What cannot be
 * read, or read in two ways, is refused as a whole: half of it could open a door.
 *
 * @module
 */
import { type AddressSet, parseAddresses } from "../../config/addresses.ts";
import { nearest } from "../../config/nearest.ts";
import { messageOf, RocketdError, shortened } from "../../errors.ts";
import { ACCESS_KEY_LENGTH_MAX, ACCESS_KEY_LENGTH_MIN } from "../../limits.ts";
import { type DataVersion, NO_VERSION } from "../../protocol/bodies/data_version.ts";
import { retryTopic } from "../../protocol/names.ts";
import { parseYaml, stringifyYaml } from "../../std.ts";
import { Grant, GRANT_WORDS, parseGrant } from "./permissions.ts";
import { type SigningKey, signingKey } from "./signature.ts";

/** An account. */
export interface Account {
  readonly accessKey: string;
  readonly key: SigningKey;
  readonly admin: boolean;
  /** Addresses from which its requests need no signature. */
  readonly isWhite: AddressSet;
  /** Bits for topics and groups without an entry of their own. */
  readonly topicsByDefault: number;
  readonly groupsByDefault: number;
  /** Bits by topic, and by the retry topics of groups. */
  readonly grants: ReadonlyMap<string, number>;
  /** As it is written. */
  readonly entry: AccountEntry;
}

/** An account as the file has it. */
export interface AccountEntry {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly whiteRemoteAddress: string | undefined;
  readonly admin: boolean | undefined;
  readonly defaultTopicPerm: string | undefined;
  readonly defaultGroupPerm: string | undefined;
  readonly topicPerms: string[] | undefined;
  readonly groupPerms: string[] | undefined;
}

/** The keys of an account in the file. */
const ACCOUNT_KEYS: ReadonlySet<string> = new Set<keyof AccountEntry>([
  "accessKey",
  "secretKey",
  "whiteRemoteAddress",
  "admin",
  "defaultTopicPerm",
  "defaultGroupPerm",
  "topicPerms",
  "groupPerms",
]);

/** What a file says; keys beside the accounts that RocketMQ does not know are kept in `others`. */
export interface AclDocument {
  readonly globalWhiteRemoteAddresses: readonly string[];
  readonly accounts: readonly AccountEntry[];
  readonly version: DataVersion;
  readonly others: Readonly<Record<string, unknown>>;
}

function refused(reason: string): RocketdError {
  return new RocketdError("invalidSettings", reason);
}

/** Reads a file's text. Throws `invalidSettings` with the reason, which tells no secret. */
export function readAclFile(text: string): AclDocument {
  let root: unknown;
  try {
    // All scalars stay as they are written: a key 0012345 is not a number.
    root = parseYaml(text, { schema: "failsafe" });
  } catch (error) {
    throw refused(`it cannot be read as YAML: ${yamlFault(messageOf(error))}`);
  }
  if (!isMap(root)) throw refused("it says nothing: it needs accounts, or globalWhiteRemoteAddresses");
  const { globalWhiteRemoteAddresses, accounts, dataVersion, ...others } = root;
  return {
    globalWhiteRemoteAddresses: texts(globalWhiteRemoteAddresses, "globalWhiteRemoteAddresses"),
    accounts: listOf(accounts, "accounts").map((account, i) => readAccount(account, `accounts[${i}]`)),
    version: readVersion(listOf(dataVersion, "dataVersion")[0]),
    others,
  };
}

/** The first line of a YAML reader's complaint and its place; what follows repeats the file. */
function yamlFault(message: string): string {
  return /^[^\n]*?at line \d+, column \d+/.exec(message)?.[0] ?? message.split("\n")[0]!;
}

/** The text of a file that says this. */
export function writeAclFile({ globalWhiteRemoteAddresses, accounts, version, others }: AclDocument): string {
  const { counter, timestamp } = version;
  return stringifyYaml({
    ...others,
    globalWhiteRemoteAddresses,
    accounts: accounts.map((entry) =>
      Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
    ),
    dataVersion: [{ counter, timestamp }],
  });
}

function readAccount(value: unknown, place: string): AccountEntry {
  if (!isMap(value)) throw refused(`${place} is no account`);
  // RocketMQ passes over it: a DENY under a misspelt key would be none.
  const unknown = Object.keys(value).find((key) => !ACCOUNT_KEYS.has(key));
  if (unknown !== undefined) {
    const guess = nearest(unknown, ACCOUNT_KEYS);
    const hint = guess === undefined ? `an account has ${[...ACCOUNT_KEYS].join(", ")}` : `did you mean ${guess}?`;
    throw refused(`${place} has the unknown key ${JSON.stringify(shortened(unknown))}: ${hint}`);
  }
  const text = (name: string) => scalar(value[name], `${place}.${name}`);
  const list = (name: string) => isBlank(value[name]) ? undefined : texts(value[name], `${place}.${name}`);
  const admin = text("admin");
  if (admin !== undefined && !/^(true|false)$/i.test(admin)) throw refused(`${place}.admin is neither true nor false`);
  return {
    accessKey: text("accessKey") ?? "",
    secretKey: text("secretKey") ?? "",
    whiteRemoteAddress: text("whiteRemoteAddress"),
    admin: admin === undefined ? undefined : admin.toLowerCase() === "true",
    defaultTopicPerm: text("defaultTopicPerm"),
    defaultGroupPerm: text("defaultGroupPerm"),
    topicPerms: list("topicPerms"),
    groupPerms: list("groupPerms"),
  };
}

/** What an entry means. Throws `invalidSettings` with the reason; `place` names the entry in it. */
export function accountOf(entry: AccountEntry, place = "the account"): Account {
  const { accessKey, secretKey, whiteRemoteAddress = "", admin = false } = entry;
  checkKey(accessKey, `${place}: accessKey`);
  checkKey(secretKey, `${place} (${accessKey}): secretKey`);
  return {
    accessKey,
    key: signingKey(secretKey),
    admin,
    isWhite: addresses(whiteRemoteAddress, `${place} (${accessKey}): whiteRemoteAddress`),
    topicsByDefault: defaultGrant(entry.defaultTopicPerm, `${place} (${accessKey}): defaultTopicPerm`),
    groupsByDefault: defaultGrant(entry.defaultGroupPerm, `${place} (${accessKey}): defaultGroupPerm`),
    grants: new Map([
      ...readGrants(entry.groupPerms ?? [], `${place} (${accessKey}): groupPerms`, retryTopic),
      ...readGrants(entry.topicPerms ?? [], `${place} (${accessKey}): topicPerms`, (topic) => topic),
    ]),
    entry,
  };
}

/** A set of addresses. Throws `invalidSettings`. */
export function addresses(text: string, place: string): AddressSet {
  const set = parseAddresses(text);
  if (set === undefined) throw refused(`${place} has ${JSON.stringify(text)}, which is no set of IP addresses`);
  return set;
}

function checkKey(key: string, place: string): void {
  if (key.length >= ACCESS_KEY_LENGTH_MIN && key.length <= ACCESS_KEY_LENGTH_MAX && !/\p{Cc}/u.test(key)) return;
  const allowed = `${ACCESS_KEY_LENGTH_MIN} to ${ACCESS_KEY_LENGTH_MAX} characters`;
  throw refused(`${place} has ${key.length} characters, allowed are ${allowed}, none of them a control character`);
}

function defaultGrant(word: string | undefined, place: string): number {
  return word === undefined || word.trim() === "" ? Grant.DENY : grantOf(word, place);
}

function grantOf(word: string, place: string): number {
  const grant = parseGrant(word);
  if (grant === undefined) throw refused(`${place} has ${JSON.stringify(word)}, allowed are ${GRANT_WORDS}`);
  return grant;
}

function readGrants(items: readonly string[], place: string, resource: (name: string) => string): Map<string, number> {
  const grants = new Map<string, number>();
  for (const item of items) {
    const [name = "", word, ...more] = item.split("=").map((part) => part.trim());
    if (name === "" || word === undefined || more.length > 0) {
      throw refused(`${place} has ${JSON.stringify(item)}, expected NAME=PERMISSION`);
    }
    if (grants.has(resource(name))) throw refused(`${place} names ${JSON.stringify(name)} twice`);
    grants.set(resource(name), grantOf(word, place));
  }
  return grants;
}

function readVersion(value: unknown): DataVersion {
  if (!isMap(value)) return NO_VERSION;
  const whole = (text: unknown) => typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return { counter: whole(value["counter"]), timestamp: whole(value["timestamp"]) };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Java writes `null` where it read nothing. */
function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === "null" || value === "~";
}

function listOf(value: unknown, place: string): readonly unknown[] {
  if (isBlank(value)) return [];
  if (!Array.isArray(value)) throw refused(`${place} is no list`);
  return value;
}

function scalar(value: unknown, place: string): string | undefined {
  if (isBlank(value)) return undefined;
  if (typeof value !== "string") throw refused(`${place} is no single value`);
  return value;
}

function texts(value: unknown, place: string): string[] {
  return listOf(value, place).map((item, i) => {
    if (typeof item !== "string") throw refused(`${place}[${i}] is no single value`);
    return item;
  });
}
