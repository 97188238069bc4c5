/**
 * Access control: accounts, white addresses, versions of the brokers' files.
 *
 * @module
 */
import {
  DeleteAclConfig,
  GetBrokerClusterAclConfig,
  GetBrokerClusterAclInfo,
  UpdateAndCreateAclConfig,
  UpdateGlobalWhiteAddrsConfig,
} from "../../../protocol/admin_requests.ts";
import { decodeAclConfig, decodeAclVersions } from "../../../protocol/bodies/mod.ts";
import type { Admin, Peer, Target } from "../admin.ts";
import { changes, reads } from "../command.ts";
import { doAt, doneResult } from "../doing.ts";
import { text, truth, word } from "../options.ts";
import { column, result, table } from "../result.ts";
import { BROKER_OR_CLUSTER, namedMasters, whereTo } from "../targets.ts";

/** Each broker has a file of its own: slaves of a cluster are told too. */
const EVERY_BROKER = {
  ...BROKER_OR_CLUSTER,
  clusterName: { ...BROKER_OR_CLUSTER.clusterName, help: "all masters and slaves of this cluster" },
};
const ACCESS_KEY = text({ short: "a", value: "KEY", required: true, help: "the account's access key" });

async function everyBroker(admin: Admin, target: Target): Promise<Peer[]> {
  const masters = await namedMasters(admin, target);
  return target.clusterName === undefined ? masters : await admin.brokers(target.clusterName);
}

const whiteTable = table("whiteAddresses", {
  broker: column("BROKER", "text"),
  globalWhiteAddrs: column("WHITE ADDRESSES", "texts"),
});
const accountTable = table("accounts", {
  broker: column("BROKER", "text"),
  accessKey: column("ACCESS KEY", "text"),
  admin: column("ADMIN", "flag"),
  whiteRemoteAddress: column("WHITE ADDRESS", "text"),
  defaultTopicPerm: column("TOPICS", "text"),
  defaultGroupPerm: column("GROUPS", "text"),
  topicPerms: column("TOPIC PERMS", "texts"),
  groupPerms: column("GROUP PERMS", "texts"),
});

const getAclConfig = reads({
  name: "getAclConfig",
  aliases: ["getAccessConfigSubCommand"],
  area: "access",
  summary: "List the accounts and white addresses of brokers, without secrets",
  options: BROKER_OR_CLUSTER,
  notes: ["Java brokers without aclEnable do not answer this."],
  run: async (admin, target) => {
    const { rows, failures } = await admin.each(await admin.masters(target), async (broker) => {
      const { body } = await admin.ask(broker, GetBrokerClusterAclConfig, {});
      return [{ broker: broker.name, config: decodeAclConfig(body) }];
    });
    const white = rows.map(({ broker, config }) => ({ broker, globalWhiteAddrs: config.globalWhiteAddrs }));
    const accounts = rows.flatMap(({ broker, config }) =>
      config.plainAccessConfigs.map((account) => ({
        broker,
        accessKey: account.accessKey ?? null,
        admin: account.admin,
        whiteRemoteAddress: account.whiteRemoteAddress ?? null,
        defaultTopicPerm: account.defaultTopicPerm ?? null,
        defaultGroupPerm: account.defaultGroupPerm ?? null,
        topicPerms: account.topicPerms ?? [],
        groupPerms: account.groupPerms ?? [],
      }))
    );
    return result([accountTable(accounts), whiteTable(white)], failures);
  },
});

const versionTable = table("versions", {
  cluster: column("CLUSTER", "text"),
  broker: column("BROKER", "text"),
  address: column("ADDRESS", "text"),
  file: column("FILE", "text"),
  version: column("VERSION", "count"),
  changed: column("CHANGED", "time"),
});

const clusterAclConfigVersion = reads({
  name: "clusterAclConfigVersion",
  area: "access",
  summary: "Show which version of its accounts each broker has",
  options: BROKER_OR_CLUSTER,
  notes: ["Java brokers without aclEnable do not answer this."],
  run: async (admin, target) => {
    const { rows, failures } = await admin.each(await admin.masters(target), async (broker) => {
      const { header } = await admin.ask(broker, GetBrokerClusterAclInfo, {});
      return [...decodeAclVersions(header.allAclFileVersion ?? "{}")].map(([file, version]) => ({
        cluster: header.clusterName ?? null,
        broker: header.brokerName ?? broker.name,
        address: header.brokerAddr ?? broker.address,
        file,
        version: version?.counter ?? null,
        changed: version?.timestamp ?? null,
      }));
    });
    return result(versionTable(rows), failures);
  },
});

const PERMS = ["DENY", "PUB", "SUB", "PUB|SUB"] as const;

const updateAclConfig = changes({
  name: "updateAclConfig",
  area: "access",
  summary: "Make an account, or change the one that is there",
  options: {
    ...EVERY_BROKER,
    accessKey: ACCESS_KEY,
    secretKey: text({
      short: "s",
      value: "SECRET|@FILE",
      secret: true,
      help: "its secret; @FILE and @- (standard input) keep it out of the list of processes",
    }),
    whiteRemoteAddress: text({ short: "w", value: "ADDRESS", help: "from there it needs no signature" }),
    defaultTopicPerm: word(...PERMS)({ short: "i", help: "what it may do with topics that are not listed" }),
    defaultGroupPerm: word(...PERMS)({ short: "u", help: "what it may do with groups that are not listed" }),
    topicPerms: text({ short: "t", value: "T=PERM,...", help: "what it may do with topics: A=DENY,B=PUB|SUB" }),
    groupPerms: text({ short: "g", value: "G=PERM,...", help: "what it may do with groups: A=DENY,B=SUB" }),
    admin: truth({ short: "m", help: "an administrator's account" }),
  },
  run: async (admin, { brokerAddr, clusterName, ...account }) => {
    const given = Object.fromEntries(Object.entries(account).filter(([, value]) => value !== undefined));
    return doneResult(
      await doAt(admin, await everyBroker(admin, { brokerAddr, clusterName }), async (broker) => {
        await admin.ask(broker, UpdateAndCreateAclConfig, { accessKey: account.accessKey, ...given });
        return `account ${account.accessKey} is set`;
      }),
    );
  },
});

const deleteAclConfig = changes({
  name: "deleteAclConfig",
  aliases: ["deleteAccessConfig"],
  area: "access",
  summary: "Delete an account",
  options: { ...EVERY_BROKER, accessKey: ACCESS_KEY },
  asks: ({ accessKey, ...target }) => `Delete the account ${accessKey} from ${whereTo(target)}?`,
  run: async (admin, { accessKey, ...target }) =>
    doneResult(
      await doAt(admin, await everyBroker(admin, target), async (broker) => {
        await admin.ask(broker, DeleteAclConfig, { accessKey });
        return `account ${accessKey} is deleted`;
      }),
    ),
});

const updateGlobalWhiteAddr = changes({
  name: "updateGlobalWhiteAddr",
  area: "access",
  summary: "Set the addresses from which nobody needs an account",
  options: {
    ...EVERY_BROKER,
    globalWhiteRemoteAddresses: text({ short: "g", value: "A,B", required: true, help: "10.10.103.*,192.168.0.*" }),
    aclFileFullPath: text({
      short: "p",
      value: "FILE",
      help: "which file of the broker's, of Java brokers with several",
    }),
  },
  run: async (admin, { globalWhiteRemoteAddresses, aclFileFullPath, ...target }) => {
    const header = {
      globalWhiteAddrs: globalWhiteRemoteAddresses,
      ...(aclFileFullPath !== undefined && { aclFileFullPath }),
    };
    return doneResult(
      await doAt(admin, await everyBroker(admin, target), async (broker) => {
        await admin.ask(broker, UpdateGlobalWhiteAddrsConfig, header);
        return "white addresses are set";
      }),
    );
  },
});

/** Commands about access control. */
export const ACCESS_COMMANDS = [
  getAclConfig,
  clusterAclConfigVersion,
  updateAclConfig,
  deleteAclConfig,
  updateGlobalWhiteAddr,
];
