/**
 * Runs the steps of an operator against a cluster, and keeps what mqadmin printed.
 *
 * @module
 */
import { delay, type Node } from "../launch.ts";
import { type Kind, startBroker, startNameserver, startSlave, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";
import { jsonShape } from "./mqadmin_shape.ts";
import { type Act, type Step, STEPS } from "./mqadmin_steps.ts";

const PATIENCE_MS = 60_000;
/** The tool waits five seconds for an answer, which a machine that has much else to do may need for the first ones. */
const TOO_SLOW = /Remoting(Timeout|Connect|SendRequest|TooMuchRequest)Exception/;

/** What a step printed, or why the tool was not even able to fail in order. */
export interface Printed {
  readonly step: Step;
  readonly text: string;
  /** The shape of the file it wrote. */
  readonly file?: unknown;
}

function filled(line: string, known: Readonly<Record<string, string>>): string {
  return line.replace(/\$(\w+)/g, (_, name: string) => known[name] ?? `no-${name}`);
}

async function runStep(java: JavaShell, step: Step, known: Record<string, string>): Promise<Printed> {
  const line = filled(`${step.run} -n $namesrv`, known);
  const command = step.lines === undefined ? ["mqadmin", line] : ["mqadmin-endless", step.lines, line];
  const deadline = Date.now() + PATIENCE_MS;
  while (true) {
    const [report] = await java.run(command[0] as string, ...command.slice(1));
    const text = String(report?.["text"]).split("\n").slice(0, step.lines).join("\n");
    if (step.until !== undefined && !step.until.test(text)) {
      if (Date.now() > deadline) return { step, text: `waited in vain for ${step.until}\n${text}` };
      await delay(100);
      continue;
    }
    if (!step.fails && TOO_SLOW.test(text) && Date.now() < deadline) continue;
    for (const [name, pattern] of Object.entries(step.keep ?? {})) {
      known[name] = pattern.exec(text)?.[1] ?? `no-${name}`;
    }
    for (const [, body] of text.matchAll(/Message Body Path: +(\S+)/g)) {
      await Deno.remove(body as string).catch(() => {});
    }
    if (step.file === undefined) return { step, text };
    const written = await Deno.readTextFile(`${known["dir"]}/${step.file}`).catch(() => "null");
    return { step, text, file: jsonShape(JSON.parse(written)) };
  }
}

function isAct(step: Step | Act): step is Act {
  return "java" in step;
}

/** What the steps meet. */
export interface Scene {
  readonly steps: readonly (Step | Act)[];
  /** The account that the tool signs with, as in its tools.yml. */
  readonly account?: { readonly accessKey: string; readonly secretKey: string };
  /** Starts the nodes on a nameserver, in order: a master, and slaves. */
  start(kind: Kind, namesrvAddr: string, stack: AsyncDisposableStack): Promise<Node[]>;
}

/** A master and a slave, open to everybody on this machine. */
export const PLAIN: Scene = {
  steps: STEPS,
  async start(kind, namesrvAddr, stack) {
    const master = stack.use(await startBroker({ namesrvAddr }, kind));
    return [master, stack.use(await startSlave({ namesrvAddr }, kind))];
  },
};

/** A directory for the tool's settings and files; without an appender in the former it logs nothing. */
export async function toolHome({ account }: Pick<Scene, "account"> = {}): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "rocketd-mqadmin-" });
  await Deno.mkdir(`${dir}/conf`);
  await Deno.writeTextFile(`${dir}/conf/logback_tools.xml`, "<configuration/>");
  if (account !== undefined) {
    const { accessKey, secretKey } = account;
    await Deno.writeTextFile(`${dir}/conf/tools.yml`, `accessKey: ${accessKey}\nsecretKey: ${secretKey}\n`);
  }
  return dir;
}

/** Runs all steps of a scene against nodes of a kind. */
export async function operate(kind: Kind, scene: Scene = PLAIN): Promise<Printed[]> {
  const dir = await toolHome(scene);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const nameserver = stack.use(await startNameserver(kind));
  const brokers = await scene.start(kind, nameserver.address, stack);
  // A client that loses a notice of the other members must not wait for its own look, which the shell makes rare.
  const flags = [`-Drocketmq.home.dir=${dir}`, "-Drocketmq.client.rebalance.waitInterval=1000"];
  const java = stack.use(await JavaShell.start("server-4.9.7", "JSON", nameserver.address, flags));
  const known: Record<string, string> = { dir, cluster: "DefaultCluster", brokerName: "broker-a" };
  const [master, slave] = brokers;
  Object.assign(known, { namesrv: nameserver.address, master: master?.address, slave: slave?.address });
  return await withLogs([nameserver, ...brokers], async () => {
    const printed: Printed[] = [];
    for (const step of scene.steps) {
      if (!isAct(step)) printed.push(await runStep(java, step, known));
      else {
        const reports = await java.run(step.java);
        if (step.keep !== undefined) {
          known[step.keep] = String(reports.find((report) => step.keep! in report)?.[step.keep]);
        }
      }
    }
    return printed;
  });
}
