/**
 * Slaves under access control: of our master one of ours that signs, and one of Java's, which cannot and is let in by its
 * address; of a Java master one of ours. The Java ones are left out where there is no Java.
 *
 * @module
 */
import { Producer } from "../../src/client/mod.ts";
import { UpdateAndCreateTopic, UpdateConsumerOffset } from "../../src/protocol/requests.ts";
import { signer } from "../../src/remoting/access/signature.ts";
import { RemotingClient, succeed } from "../../src/remoting/client.ts";
import { assert } from "../../src/std.ts";
import { startSecured } from "../interop/accounts.ts";
import { type Kind, startNameserver, startSlave, withLogs } from "../interop/cluster.ts";
import { hasJava } from "../java.ts";
import { eventually } from "./replication.ts";

const TIMEOUT_MS = 30_000;
const TOPIC = "Secured", GROUP = "secured-group";

/** The slave needs no more than to read: SUB, by which it also tells its master what consumers committed to it. */
const accounts = (white: string) => `
globalWhiteRemoteAddresses: [${white}]
accounts:
- {accessKey: the-admin, secretKey: secret-of-admin, admin: true}
- {accessKey: the-slave, secretKey: secret-of-slave, defaultTopicPerm: SUB, defaultGroupPerm: SUB}
`;
const SIGNING = { aclAccessKey: "the-slave", aclSecretKey: "secret-of-slave" };

async function follows(masterKind: Kind, slaveKind: Kind): Promise<void> {
  await using nodes = new AsyncDisposableStack();
  const { address: namesrvAddr } = nodes.use(await startNameserver("rocketd"));
  const white = slaveKind === "java" ? "127.0.0.1" : "10.250.0.1";
  const { node: master } = nodes.use(await startSecured({ namesrvAddr }, masterKind, accounts(white)));
  const settings = slaveKind === "java" ? {} : SIGNING;
  const slave = nodes.use(await startSlave({ namesrvAddr, settings }, slaveKind));
  const sign = signer({ accessKey: "the-admin", secretKey: "secret-of-admin" });
  const client = nodes.use(new RemotingClient({ sign }));
  const producer = nodes.use(new Producer({ nameservers: namesrvAddr, sign }));
  await withLogs([master, slave], async () => {
    const topic = { topic: TOPIC, defaultTopic: "TBW102", readQueueNums: 1, writeQueueNums: 1, perm: 6 };
    const made = { ...topic, topicFilterType: "SINGLE_TAG", topicSysFlag: 0, order: false };
    succeed(await client.invoke(master.address, UpdateAndCreateTopic, made, undefined, TIMEOUT_MS));
    await eventually("a message is taken", async () => {
      return await producer.send({ topic: TOPIC, body: "secret message" }).then(() => undefined, String);
    });
    const offset = { consumerGroup: GROUP, topic: TOPIC, queueId: 0, commitOffset: 1 };
    succeed(await client.invoke(master.address, UpdateConsumerOffset, offset, undefined, TIMEOUT_MS));
    const has = (file: string, text: string) =>
      eventually(`${text} is in ${file} of the slave`, async () => {
        const content = await Deno.readTextFile(`${slave.storeDir}/config/${file}`);
        return content.includes(text) ? undefined : content;
      });
    await has("topics.json", TOPIC);
    await has("consumerOffset.json", `${TOPIC}@${GROUP}`);
    if (slaveKind === "rocketd") {
      const log = await slave.log();
      assert(!log.includes("AclException") && !log.includes("secret-of"), log);
    }
  });
}

Deno.test("a slave of ours that signs follows our master with accounts", () => follows("rocketd", "rocketd"));

Deno.test({
  name: "a slave of ours that signs follows a Java master with accounts",
  ignore: !hasJava(),
  fn: () => follows("java", "rocketd"),
});

Deno.test({
  name: "a Java slave follows our master with accounts by its white address",
  ignore: !hasJava(),
  fn: () => follows("rocketd", "java"),
});

Deno.test("a slave that does not sign is refused its master's tables, and says so", async () => {
  await using nodes = new AsyncDisposableStack();
  const { address: namesrvAddr } = nodes.use(await startNameserver("rocketd"));
  nodes.use(await startSecured({ namesrvAddr }, "rocketd", accounts("10.250.0.1")));
  const slave = nodes.use(await startSlave({ namesrvAddr }, "rocketd"));
  await eventually("the log of the slave tells", async () => {
    const log = await slave.log();
    return log.includes("No accessKey is configured") ? undefined : log;
  });
});
