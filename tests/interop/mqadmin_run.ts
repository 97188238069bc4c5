/**
 * Runs the steps of an operator against a cluster, and keeps what mqadmin printed.
 *
 * @module
 */
import { delay } from "../launch.ts";
import { type Kind, startBroker, startNameserver, startSlave, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";
import { jsonShape } from "./mqadmin_shape.ts";
import { type Act, type Step, STEPS } from "./mqadmin_steps.ts";

const PATIENCE_MS = 20_000;

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
  const line = filled(step.run, known);
  const command = step.lines === undefined ? ["mqadmin", line] : ["mqadmin-endless", step.lines, line];
  const deadline = Date.now() + PATIENCE_MS;
  while (true) {
    const [report] = await java.run(command[0] as string, ...command.slice(1));
    const text = String(report?.["text"]);
    if (step.until !== undefined && !step.until.test(text)) {
      if (Date.now() > deadline) return { step, text: `waited in vain for ${step.until}\n${text}` };
      await delay(100);
      continue;
    }
    for (const [name, pattern] of Object.entries(step.keep ?? {})) {
      known[name] = pattern.exec(text)?.[1] ?? `no-${name}`;
    }
    const body = /Message Body Path: +(\S+)/.exec(text)?.[1];
    if (body !== undefined) await Deno.remove(body).catch(() => {});
    if (step.file === undefined) return { step, text };
    const written = await Deno.readTextFile(`${known["dir"]}/${step.file}`).catch(() => "null");
    return { step, text, file: jsonShape(JSON.parse(written)) };
  }
}

function isAct(step: Step | Act): step is Act {
  return "java" in step;
}

/** A directory for the tool's settings and files; without one of the former it logs nothing. */
async function toolHome(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "rocketd-mqadmin-" });
  await Deno.mkdir(`${dir}/conf`);
  await Deno.writeTextFile(`${dir}/conf/logback_tools.xml`, "<configuration/>");
  return dir;
}

/** Runs all steps against a nameserver, a master and a slave of a kind. */
export async function operate(kind: Kind, steps: readonly (Step | Act)[] = STEPS): Promise<Printed[]> {
  const dir = await toolHome();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const nameserver = stack.use(await startNameserver(kind));
  const namesrvAddr = nameserver.address;
  const master = stack.use(await startBroker({ namesrvAddr }, kind));
  const slave = stack.use(await startSlave({ namesrvAddr }, kind));
  const flags = [`-Drocketmq.home.dir=${dir}`, "-Drocketmq.client.rebalance.waitInterval=1000"];
  const java = stack.use(await JavaShell.start("server-4.9.7", "JSON", namesrvAddr, flags));
  const known: Record<string, string> = {
    dir,
    cluster: "DefaultCluster",
    brokerName: "broker-a",
    namesrv: namesrvAddr,
    master: master.address,
    slave: slave.address,
  };
  return await withLogs([nameserver, master, slave], async () => {
    const printed: Printed[] = [];
    for (const step of steps) {
      if (isAct(step)) await java.run(step.java);
      else printed.push(await runStep(java, { ...step, run: `${step.run} -n $namesrv` }, known));
    }
    return printed;
  });
}
