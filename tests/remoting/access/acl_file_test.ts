/**
 * plain_acl.yml: what it says, and what is refused.
 *
 * @module
 */
import { RocketdError } from "../../../src/errors.ts";
import { accountOf, type AclDocument, readAclFile, writeAclFile } from "../../../src/remoting/access/acl_file.ts";
import { Grant } from "../../../src/remoting/access/permissions.ts";
import { assert, assertEquals, assertThrows } from "../../../src/std.ts";

/** In the form of the file that comes with RocketMQ. */
const SAMPLE = `
globalWhiteRemoteAddresses:
- 10.10.103.*
- 192.168.0.*
accounts:
- accessKey: account-1
  secretKey: 0012345
  whiteRemoteAddress:
  admin: false
  defaultTopicPerm: DENY
  defaultGroupPerm: SUB
  topicPerms:
  - topicA=DENY
  - topicB=PUB|SUB
  groupPerms:
  # the group should convert to retry topic
  - groupA=DENY
- accessKey: account-2
  secretKey: secret-2
  whiteRemoteAddress: 192.168.1.*
  # if it is admin, it could access all resources
  admin: true
dataVersion:
- counter: 3
  timestamp: 1795390186730
`;

/** What the whole of a file means; throws as it is read or understood. */
function understand(text: string): AclDocument {
  const document = readAclFile(text);
  document.accounts.forEach((entry, i) => accountOf(entry, `accounts[${i}]`));
  return document;
}

Deno.test("RocketMQ's sample file is read, keys that look like numbers as they are written", () => {
  const { globalWhiteRemoteAddresses, accounts, version } = understand(SAMPLE);
  assertEquals(globalWhiteRemoteAddresses, ["10.10.103.*", "192.168.0.*"]);
  assertEquals(version, { counter: 3, timestamp: 1795390186730 });
  const [one, two] = accounts.map((entry) => accountOf(entry));
  assertEquals(one!.entry.secretKey, "0012345");
  assertEquals([one!.admin, two!.admin], [false, true]);
  assertEquals([one!.topicsByDefault, one!.groupsByDefault], [Grant.DENY, Grant.SUB]);
  assertEquals([two!.topicsByDefault, two!.groupsByDefault], [Grant.DENY, Grant.DENY]);
  assertEquals(
    [...one!.grants],
    [["%RETRY%groupA", Grant.DENY], ["topicA", Grant.DENY], ["topicB", Grant.PUB | Grant.SUB]],
  );
  assert(!one!.isWhite("192.168.1.7"));
  assert(two!.isWhite("192.168.1.7"));
});

Deno.test("a file that was written is read as the same, keys that RocketMQ does not know with it", () => {
  const document = readAclFile(`${SAMPLE}owner: somebody\n`);
  const text = writeAclFile(document);
  assertEquals(readAclFile(text), document);
  // Java casts these, and takes neither a text for a number nor for a truth.
  for (const line of ["admin: true", "counter: 3", "timestamp: 1795390186730"]) assert(text.includes(line), text);
  assert(text.includes("secretKey: '0012345'"), text);
});

Deno.test("the example config/plain_acl.yml can be used with secrets of one's own, and not as it is", async () => {
  const text = await Deno.readTextFile(new URL("../../../config/plain_acl.yml", import.meta.url));
  assertThrows(() => understand(text), RocketdError, "secretKey has 0 characters");
  const { accounts } = understand(text.replaceAll('secretKey: ""', "secretKey: 8+characters"));
  assertEquals(accounts.map(({ accessKey, admin }) => [accessKey, admin ?? false]), [
    ["operator", true],
    ["replica", false],
    ["orders-service", false],
  ]);
});

Deno.test("a null that Java wrote says nothing", () => {
  const { accounts } = understand(SAMPLE.replace("whiteRemoteAddress:\n", "whiteRemoteAddress: null\n"));
  assertEquals(accounts[0]!.whiteRemoteAddress, undefined);
});

const with1 = (lines: string) => `accounts:\n- accessKey: account-1\n  secretKey: secret-1\n${lines}`;
const REFUSED: readonly (readonly [why: string, text: string, reason: string])[] = [
  ["empty", "", "says nothing"],
  ["comments only", "# accounts\n", "says nothing"],
  ["a text", "accounts", "says nothing"],
  ["no YAML", "accounts: [", "cannot be read as YAML"],
  ["a key twice", `${with1("")}accounts: []\n`, "cannot be read as YAML"],
  ["accounts no list", "accounts: {accessKey: account-1}", "accounts is no list"],
  ["no account", "accounts: [account-1]", "accounts[0] is no account"],
  ["short secret", "accounts:\n- accessKey: account-1\n  secretKey: 123456\n", "secretKey has 6 characters"],
  ["no secret", "accounts:\n- accessKey: account-1\n", "secretKey has 0 characters"],
  ["short name", "accounts:\n- accessKey: abcdef\n  secretKey: 1234567\n", "accessKey has 6 characters"],
  ["admin unclear", with1("  admin: yes\n"), "admin is neither true nor false"],
  ["unknown word", with1("  defaultTopicPerm: PUBSUB\n"), "defaultTopicPerm has"],
  ["unknown word of a topic", with1("  topicPerms: [T=ALL]\n"), "topicPerms has"],
  ["no word", with1("  groupPerms: [G]\n"), "expected NAME=PERMISSION"],
  ["a topic twice", with1("  topicPerms: [T=PUB, T=DENY]\n"), "twice"],
  ["one text for a list", with1("  topicPerms: T=PUB\n"), "topicPerms is no list"],
  ["a key misspelt", with1("  topicPerm: [T=DENY]\n  defaultTopicPerm: PUB\n"), "did you mean topicPerms?"],
  ["a key in another case", with1("  Admin: true\n"), "did you mean admin?"],
  ["a key that means nothing", with1("  remarks: a\n  __proto__: {admin: 'true'}\n"), "an account has accessKey"],
  ["no address", with1("  whiteRemoteAddress: office\n"), "no set of IP addresses"],
];

for (const [why, text, reason] of REFUSED) {
  Deno.test(`a file is refused with the reason, and without a secret: ${why}`, () => {
    const error = assertThrows(() => understand(text), RocketdError);
    assertEquals(error.code, "invalidSettings");
    assert(error.message.includes(reason), error.message);
    assert(!/secret-1|1234567?\b/.test(error.message), error.message);
  });
}
