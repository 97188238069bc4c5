/**
 * The accounts of a broker by request (codes 50 to 54).
 *
 * @module
 */
import { aclHandlers } from "../../src/broker/acl_handlers.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import {
  DeleteAclConfig,
  GetBrokerClusterAclConfig,
  GetBrokerClusterAclInfo,
  UpdateAndCreateAclConfig,
  UpdateGlobalWhiteAddrsConfig,
} from "../../src/protocol/admin_requests.ts";
import { decodeAclConfig, decodeAclVersions } from "../../src/protocol/bodies/acl.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { Accounts } from "../../src/remoting/access/accounts.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { type Ask, Desk, HandClock, inFolder, settingsIn, START } from "./workshop.ts";

const FILE = `globalWhiteRemoteAddresses: [10.1.1.*]
accounts:
- accessKey: account-1
  secretKey: secret-1
  admin: true
  topicPerms: [T=PUB]
`;

async function withAccounts(test: (ask: Ask, accounts: Accounts, file: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const aclFile = `${folder}/plain_acl.yml`;
    Deno.writeTextFileSync(aclFile, FILE);
    const accounts = new Accounts({ aclFile, disk: denoDisk, clock: new HandClock() });
    const broker = { settings: settingsIn(folder) as never, address: "10.0.0.1:10911" };
    const desk = new Desk((table) => aclHandlers(table, broker, accounts));
    await test(desk.client().ask, accounts, aclFile);
    await desk.close();
  });
}

Deno.test("the accounts are shown in RocketMQ's shape, their secrets hidden", () =>
  withAccounts(async (ask) => {
    const { body } = await ask(GetBrokerClusterAclConfig, {});
    assertEquals(
      new TextDecoder().decode(body),
      '{"globalWhiteAddrs":["10.1.1.*"],"plainAccessConfigs":[' +
        '{"accessKey":"account-1","admin":true,"secretKey":"******","topicPerms":["T=PUB"]}]}',
    );
  }));

Deno.test("the versions of the files are told, with whose they are", () =>
  withAccounts(async (ask, _, file) => {
    await ask(UpdateAndCreateAclConfig, { accessKey: "account-2", secretKey: "secret-2" });
    const { header } = await ask(GetBrokerClusterAclInfo, {});
    assertEquals(JSON.parse(header.version!), { counter: 1, timestamp: START });
    assertEquals([...decodeAclVersions(header.allAclFileVersion!)], [[file, { counter: 1, timestamp: START }]]);
    assertEquals([header.brokerName, header.brokerAddr, header.clusterName], [
      "broker-a",
      "10.0.0.1:10911",
      "DefaultCluster",
    ]);
  }));

Deno.test("an account is made, changed in what is given, and removed", () =>
  withAccounts(async (ask, accounts) => {
    const made = { accessKey: "account-2", secretKey: "secret-2", admin: false, topicPerms: "A=PUB,B=SUB|PUB" };
    assertEquals((await ask(UpdateAndCreateAclConfig, { ...made, groupPerms: "G=SUB" })).code, ResponseCode.SUCCESS);
    const account = () => accounts.book.byKey.get("account-2")!;
    assertEquals([...account().grants.keys()].sort(), ["%RETRY%G", "A", "B"]);
    const changed = { accessKey: "account-2", whiteRemoteAddress: "10.2.2.2", secretKey: "", topicPerms: "" };
    assertEquals((await ask(UpdateAndCreateAclConfig, changed)).code, ResponseCode.SUCCESS);
    assertEquals([account().entry.secretKey, [...account().grants.keys()].length], ["secret-2", 3]);
    assert(account().isWhite("10.2.2.2"));
    assertEquals((await ask(DeleteAclConfig, { accessKey: "account-2" })).code, ResponseCode.SUCCESS);
    assertEquals([...accounts.book.byKey.keys()], ["account-1"]);
  }));

Deno.test("a tool that sends back what it was shown does not change the secret", () =>
  withAccounts(async (ask, accounts) => {
    const { plainAccessConfigs: [shown] } = decodeAclConfig((await ask(GetBrokerClusterAclConfig, {})).body);
    const { accessKey, secretKey } = shown!;
    await ask(UpdateAndCreateAclConfig, { accessKey, secretKey, defaultTopicPerm: "SUB" });
    const account = accounts.book.byKey.get("account-1")!;
    assertEquals([account.entry.secretKey, account.topicsByDefault], ["secret-1", 8]);
  }));

Deno.test("white addresses are replaced, in the files that are there only", () =>
  withAccounts(async (ask, accounts, file) => {
    const set = { globalWhiteAddrs: "10.3.*.*, 10.4.4.4", aclFileFullPath: file };
    assertEquals((await ask(UpdateGlobalWhiteAddrsConfig, set)).code, ResponseCode.SUCCESS);
    assertEquals(accounts.globalWhiteAddresses, ["10.3.*.*", "10.4.4.4"]);
    const elsewhere = await ask(UpdateGlobalWhiteAddrsConfig, {
      globalWhiteAddrs: "*",
      aclFileFullPath: "/etc/passwd",
    });
    assertEquals(elsewhere.code, ResponseCode.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG_FAILED);
    assertStringIncludes(elsewhere.remark ?? "", "/etc/passwd");
    assertEquals(accounts.globalWhiteAddresses, ["10.3.*.*", "10.4.4.4"]);
  }));

Deno.test("what cannot be done has RocketMQ's code, and the reason", () =>
  withAccounts(async (ask) => {
    const short = await ask(UpdateAndCreateAclConfig, { accessKey: "account-2", secretKey: "short" });
    assertEquals(short.code, ResponseCode.UPDATE_AND_CREATE_ACL_CONFIG_FAILED);
    assertStringIncludes(short.remark ?? "", "secretKey has 5 characters");
    const nobody = await ask(DeleteAclConfig, { accessKey: "account-9" });
    assertEquals(nobody.code, ResponseCode.DELETE_ACL_CONFIG_FAILED);
    assertStringIncludes(nobody.remark ?? "", "account-9");
  }));

Deno.test("without aclEnable all of it says that there are no accounts", async () => {
  const broker = { settings: settingsIn("/nowhere") as never, address: "10.0.0.1:10911" };
  const desk = new Desk((table) => aclHandlers(table, broker, undefined));
  const { ask } = desk.client();
  const answers = [
    await ask(UpdateAndCreateAclConfig, { accessKey: "account-1", secretKey: "secret-1" }),
    await ask(DeleteAclConfig, { accessKey: "account-1" }),
    await ask(UpdateGlobalWhiteAddrsConfig, { globalWhiteAddrs: "*" }),
    await ask(GetBrokerClusterAclInfo, {}),
    await ask(GetBrokerClusterAclConfig, {}),
  ];
  assertEquals(answers.map(({ code }) => code), [209, 210, 211, 1, 1]);
  for (const { remark } of answers) assertStringIncludes(remark ?? "", "aclEnable is false");
  await desk.close();
});
