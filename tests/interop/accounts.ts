/**
 * Brokers of either kind that obey the accounts of a plain_acl.yml.
 *
 * @module
 */
import type { BrokerOptions, Node, SlaveOptions } from "../launch.ts";
import { type Kind, startBroker, startSlave } from "./cluster.ts";

/** A broker with the file that its accounts are in. */
export interface SecuredBroker extends AsyncDisposable {
  readonly node: Node;
  readonly aclFile: string;
}

/** Starts a master with `aclEnable` and the given text as its plain_acl.yml; a slave with `slave`. `jvm` adds flags. */
export async function startSecured(
  options: BrokerOptions | SlaveOptions,
  kind: Kind,
  accounts: string,
  { slave = false }: { readonly slave?: boolean } = {},
): Promise<SecuredBroker> {
  await using stack = new AsyncDisposableStack();
  const home = await Deno.makeTempDir({ prefix: "rocketd-accounts-" });
  stack.defer(() => Deno.remove(home, { recursive: true }));
  const aclFile = `${home}/conf/plain_acl.yml`;
  await Deno.mkdir(`${home}/conf`);
  await Deno.writeTextFile(aclFile, accounts);
  const isJava = kind.endsWith("java");
  const settings = { ...options.settings, aclEnable: true, ...(isJava ? {} : { aclFile }) };
  // Java looks for its accounts where it is at home, and for the form of its log as well.
  await Deno.writeTextFile(`${home}/conf/logback_broker.xml`, "<configuration/>");
  const jvm = ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", `-Drocketmq.home.dir=${home}`, ...options.jvm ?? []];
  const all = { ...options, settings, ...(isJava ? { jvm } : {}) };
  const node = stack.use(await (slave ? startSlave(all, kind) : startBroker(all, kind)));
  const kept = stack.move();
  return { node, aclFile, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
