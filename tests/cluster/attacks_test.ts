/**
 * The attacks on RocketMQ that are known by number, played against real nodes: from this machine, whose requests are
 * obeyed, and from another one.
 *
 * CVE-2023-33246: UPDATE_BROKER_CONFIG put a command into `rocketmqHome`, which the start of filter servers then ran.
 * CVE-2023-37582: UPDATE_NAMESRV_CONFIG set `configStorePath`, and the nameserver wrote what it was sent to that file.
 * CVE-2024-23321: GET_BROKER_CLUSTER_ACL_CONFIG told every account the secrets of all.
 *
 * @module
 */
import {
  DeleteAclConfig,
  GetBrokerClusterAclConfig,
  GetBrokerClusterAclInfo,
  GetNamesrvConfig,
  UpdateAndCreateAclConfig,
  UpdateBrokerConfig,
  UpdateGlobalWhiteAddrsConfig,
  UpdateNamesrvConfig,
} from "../../src/protocol/admin_requests.ts";
import { decodeAclConfig } from "../../src/protocol/bodies/acl.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import type { RequestInput, RequestType } from "../../src/protocol/request.ts";
import {
  GetAllTopicConfig,
  GetBrokerConfig,
  GetBrokerRuntimeInfo,
  GetMaxOffset,
  UpdateAndCreateTopic,
} from "../../src/protocol/requests.ts";
import { signer } from "../../src/remoting/access/signature.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { hasTools } from "../cache.ts";
import { Authority } from "../certificates.ts";
import { type Node, startRocketd } from "../launch.ts";
import { ForeignMachine, type ForeignRequest } from "./foreign.ts";

const TIMEOUT_MS = 30_000;

/** Asks, and gives what was answered with the body as text. */
async function ask<R extends RequestType>(
  client: RemotingClient,
  { address }: Node,
  type: R,
  header: RequestInput<R>,
  body?: string,
) {
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
  const answer = await client.invoke(address, type, header, bytes, TIMEOUT_MS);
  return { ...answer, text: new TextDecoder().decode(answer.body) };
}

/** All files below a folder. */
function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}

/** Every value of an answer, the header's too. */
function allOf(answer: unknown): string {
  return JSON.stringify(answer, (_, value) => value instanceof Uint8Array ? undefined : value);
}

Deno.test("CVE-2023-33246: no request makes a broker run a program", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address });
  await using folder = await temporaryFolder();
  using client = new RemotingClient();
  const before = (await ask(client, broker, GetBrokerConfig, {})).text;
  const loot = `${folder.path}/pwned`;
  const bodies = [
    `filterServerNums=1\nrocketmqHome=-c $@|sh . echo touch ${loot};\n`,
    `rocketmqHome=-c $@|sh . echo touch ${loot};\n`,
    `brokerConfigPath=${loot}\n`,
    `storePathRootDir=${folder.path}\n`,
    `aclFile=${loot}\nbrokerPermission=6\n`,
    `aclEnable=false\nadminRequestsFrom=*\n`,
    `namesrvAddr=10.0.0.1:9876\n`,
    `tlsServerKeyPath=${loot}\n`,
    `httpListen=0.0.0.0:80\n`,
  ];
  for (const body of bodies) {
    const { code, remark } = await ask(client, broker, UpdateBrokerConfig, {}, body);
    assert(code !== ResponseCode.SUCCESS, `${body} was obeyed`);
    assertStringIncludes(remark ?? "", "no setting was changed");
  }
  assertEquals((await ask(client, broker, GetBrokerConfig, {})).text, before);
  assertEquals(filesBelow(folder.path), []);
});

Deno.test("CVE-2023-37582: no request makes a nameserver write to another file", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  await using folder = await temporaryFolder();
  using client = new RemotingClient();
  const before = (await ask(client, nameserver, GetNamesrvConfig, {})).text;
  const files = filesBelow(nameserver.dir);
  const loot = `${folder.path}/crontab`;
  const bodies = [
    `configStorePath=${loot}\nproductEnvName=x\\n* * * * * root touch ${loot}\n`,
    `configStorePath=${loot}\n`,
    `kvConfigPath=${loot}\n`,
    `rocketmqHome=${folder.path}\n`,
    `storePathRootDir=${folder.path}\norderMessageEnable=true\n`,
    `aclFile=${loot}\n`,
    `adminRequestsFrom=*\n`,
  ];
  for (const body of bodies) {
    const { code, remark } = await ask(client, nameserver, UpdateNamesrvConfig, {}, body);
    assert(code !== ResponseCode.SUCCESS, `${body} was obeyed`);
    assertStringIncludes(remark ?? "", "no setting was changed");
  }
  assertEquals((await ask(client, nameserver, GetNamesrvConfig, {})).text, before);
  assertEquals(filesBelow(folder.path), []);
  assertEquals(filesBelow(nameserver.dir), files);
});

Deno.test("CVE-2024-23321: no answer tells a secret, to whomever", async (t) => {
  await using folder = await temporaryFolder();
  const aclFile = `${folder.path}/plain_acl.yml`;
  const secrets = ["secret-of-admin", "secret-of-user", "secret-of-white", "secret-of-broker"];
  await Deno.writeTextFile(
    aclFile,
    `accounts:
- {accessKey: the-admin, secretKey: secret-of-admin, admin: true}
- {accessKey: the-user, secretKey: secret-of-user, defaultTopicPerm: PUB|SUB, defaultGroupPerm: SUB}
- {accessKey: the-white, secretKey: secret-of-white, whiteRemoteAddress: 127.0.0.1}
`,
  );
  const settings = { aclEnable: true, aclFile, aclAccessKey: "the-broker", aclSecretKey: "secret-of-broker" };
  await using nameserver = await startRocketd({ role: "nameserver", settings: { aclEnable: true, aclFile } });
  await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
  const as = (accessKey: string, secretKey: string) => new RemotingClient({ sign: signer({ accessKey, secretKey }) });
  const harmless = [
    GetBrokerClusterAclConfig,
    GetBrokerClusterAclInfo,
    GetBrokerConfig,
    GetBrokerRuntimeInfo,
    GetAllTopicConfig,
  ];
  /** Everything that could tell a secret; gives the answers' codes by name. */
  const look = async (client: RemotingClient) => {
    const codes: Record<string, number> = {};
    for (const type of harmless) {
      const answer = await ask(client, broker, type, {});
      codes[type.name] = answer.code;
      for (const secret of secrets) assert(!allOf(answer).includes(secret), `${type.name} tells ${secret}`);
    }
    const answer = await ask(client, nameserver, GetNamesrvConfig, {});
    for (const secret of secrets) assert(!allOf(answer).includes(secret), `the nameserver tells ${secret}`);
    return { ...codes, [GetNamesrvConfig.name]: answer.code };
  };
  /** What would make somebody an admin, or let everybody in. */
  const takeOver = async (client: RemotingClient) => [
    await ask(client, broker, UpdateAndCreateAclConfig, { accessKey: "the-user", secretKey: "my-secret", admin: true }),
    await ask(client, broker, UpdateGlobalWhiteAddrsConfig, { globalWhiteAddrs: "*" }),
    await ask(client, broker, DeleteAclConfig, { accessKey: "the-admin" }),
    await ask(client, broker, UpdateBrokerConfig, {}, "brokerPermission=0\n"),
    await ask(client, nameserver, UpdateNamesrvConfig, {}, "orderMessageEnable=true\n"),
  ];
  const before = await Deno.readTextFile(aclFile);

  for (const [name, secret] of [["the-user", "secret-of-user"], ["the-white", "not-its-secret"]] as const) {
    await t.step(`${name} sees no list of accounts, and cannot change it`, async () => {
      using client = as(name, secret);
      const codes = await look(client);
      assertEquals(codes[GetBrokerClusterAclConfig.name], ResponseCode.SYSTEM_ERROR);
      assertEquals(codes[GetNamesrvConfig.name], ResponseCode.SUCCESS);
      assertEquals(codes[GetBrokerConfig.name], ResponseCode.SUCCESS);
      for (const { code, remark } of await takeOver(client)) {
        assertEquals(code, ResponseCode.SYSTEM_ERROR);
        assertStringIncludes(remark ?? "", "Need admin permission");
      }
      assertEquals(await Deno.readTextFile(aclFile), before);
    });
  }
  await t.step("nobody sees anything", async () => {
    using client = new RemotingClient();
    for (const code of Object.values(await look(client))) assertEquals(code, ResponseCode.SYSTEM_ERROR);
    for (const { code } of await takeOver(client)) assertEquals(code, ResponseCode.SYSTEM_ERROR);
    assertEquals(await Deno.readTextFile(aclFile), before);
  });
  await t.step("an admin sees the accounts, with their secrets hidden", async () => {
    using client = as("the-admin", "secret-of-admin");
    for (const code of Object.values(await look(client))) assertEquals(code, ResponseCode.SUCCESS);
    const { body } = await ask(client, broker, GetBrokerClusterAclConfig, {});
    const { plainAccessConfigs } = decodeAclConfig(body);
    assertEquals(
      plainAccessConfigs.map(({ accessKey, secretKey }) => [accessKey, secretKey]),
      [["the-admin", "******"], ["the-user", "******"], ["the-white", "******"]],
    );
  });
  await t.step("nor does a white address see a secret", async () => {
    using client = as("the-admin", "secret-of-admin");
    const white = { globalWhiteAddrs: "127.0.0.1" };
    assertEquals((await ask(client, broker, UpdateGlobalWhiteAddrsConfig, white)).code, ResponseCode.SUCCESS);
    using unsigned = new RemotingClient();
    const codes = await look(unsigned);
    assertEquals(codes[GetBrokerClusterAclConfig.name], ResponseCode.SUCCESS);
  });
  for (const secret of secrets) {
    for (const node of [nameserver, broker]) assert(!(await node.log()).includes(secret), "a secret is in the log");
  }
});

const topic = { topic: "Attack", readQueueNums: 4, writeQueueNums: 4, perm: 6, topicFilterType: "SINGLE_TAG" };
const AT_BROKER: readonly ForeignRequest[] = [
  ["UpdateBrokerConfig", {}, "brokerPermission=0\n"],
  ["UpdateAndCreateTopic", topic],
  ["DeleteTopicInBroker", { topic: "Kept" }],
  ["DeleteSubscriptionGroup", { groupName: "G" }],
  ["CleanUnusedTopic", {}],
  ["DeleteExpiredCommitlog", {}],
  ["InvokeBrokerToResetOffset", { topic: "Kept", group: "G", timestamp: -1, isForce: true }],
  ["UpdateGlobalWhiteAddrsConfig", { globalWhiteAddrs: "*" }],
];
const AT_NAMESERVER: readonly ForeignRequest[] = [
  ["UpdateNamesrvConfig", {}, "orderMessageEnable=true\n"],
  ["WipeWritePermOfBroker", { brokerName: "broker-a" }],
  ["DeleteTopicInNamesrv", { topic: "Kept" }],
  ["PutKvConfig", { namespace: "N", key: "k", value: "v" }],
  ["DeleteKvConfig", { namespace: "N", key: "k" }],
];
const HARMLESS: readonly ForeignRequest[] = [["GetMaxOffset", { topic: "Kept", queueId: 0 }], ["GetBrokerConfig", {}]];

Deno.test("from another machine nothing is changed, deleted or wiped, unless adminRequestsFrom has its address", async (t) => {
  const foreign = await ForeignMachine.make();
  if ("reason" in foreign) {
    Deno.stderr.writeSync(new TextEncoder().encode(`NOT TESTED from another machine: ${foreign.reason}\n`));
    return;
  }
  await using machine = foreign;
  await using nameserver = await startRocketd({ role: "nameserver" });
  const namesrvAddr = nameserver.address;
  await using authority = hasTools("openssl") ? await Authority.create() : undefined;
  const pair = await authority?.issue("broker", `IP:${machine.gateway}`);
  const tls = pair === undefined ? {} : { tlsServerCertPath: pair.cert, tlsServerKeyPath: pair.key };
  await using broker = await startRocketd({ role: "master", namesrvAddr, settings: tls });
  const settings = { adminRequestsFrom: `192.0.2.*;${machine.address}` };
  await using open = await startRocketd({ role: "master", namesrvAddr, brokerName: "broker-b", settings });
  using client = new RemotingClient();
  const kept = { ...topic, topic: "Kept" };
  assertEquals((await ask(client, broker, UpdateAndCreateTopic, kept)).code, ResponseCode.SUCCESS);
  const topicsOf = async (node: Node) => (await ask(client, node, GetAllTopicConfig, {})).text;
  const before = await topicsOf(broker);

  await t.step("the broker refuses, by the main port and the VIP port", async () => {
    for (const port of [broker.port, broker.port - 2]) {
      for (const [i, { code, remark }] of (await machine.ask(port, AT_BROKER)).entries()) {
        assertEquals(code, ResponseCode.NO_PERMISSION, AT_BROKER[i]![0]);
        for (const word of ["adminRequestsFrom", machine.address]) assertStringIncludes(remark ?? "", word);
      }
    }
    assertEquals(await topicsOf(broker), before);
  });
  await t.step({
    name: "the broker refuses over TLS, which goes through a connection of this machine to itself",
    ignore: pair === undefined,
    fn: async () => {
      for (const port of [broker.port, broker.port - 2]) {
        for (const [i, { code, remark }] of (await machine.ask(port, AT_BROKER, "tls")).entries()) {
          assertEquals(code, ResponseCode.NO_PERMISSION, AT_BROKER[i]![0]);
          assertStringIncludes(remark ?? "", machine.address);
        }
      }
    },
  });
  await t.step("the nameserver refuses", async () => {
    for (const [i, { code }] of (await machine.ask(nameserver.port, AT_NAMESERVER)).entries()) {
      assertEquals(code, ResponseCode.NO_PERMISSION, AT_NAMESERVER[i]![0]);
    }
  });
  await t.step("what clients and consoles read with is answered", async () => {
    for (const { code } of await machine.ask(broker.port, HARMLESS)) assertEquals(code, ResponseCode.SUCCESS);
  });
  await t.step("a broker that lists the address obeys", async () => {
    const [answer] = await machine.ask(open.port, [["UpdateAndCreateTopic", topic]]);
    assertEquals(answer?.code, ResponseCode.SUCCESS, answer?.remark);
    assertStringIncludes(await topicsOf(open), "Attack");
  });
  const { code } = await ask(client, broker, GetMaxOffset, { topic: "Kept", queueId: 0 });
  assertEquals(code, ResponseCode.SUCCESS);
});

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "rocketd-attack-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
