/**
 * Starts real nodes for tests, ours or Java's: on free ports, in a directory of their own, with their output in a log
 * file that is shown when they fail. Nodes are stopped by process id when they go out of scope.
 *
 * @module
 */
import { SERVER_VERSION, serverPath, type ServerVersion } from "./java.ts";
import { freePort } from "./ports.ts";
import { brokerAnswers, nameserverAnswers, register } from "./probe.ts";

/** Settings by their broker.conf or namesrv.conf names. */
export type Settings = Record<string, string | number | boolean>;

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

const running = new Set<Deno.ChildProcess>();
addEventListener("unload", () => {
  for (const child of running) signal(child, "SIGKILL");
});

/** To a process that may have ended in this very moment. */
function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended: what the signal was for.
  }
}

/** Resolves after some milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A process that can be stopped, killed and started again on the same ports and files. */
export class Node implements AsyncDisposable {
  #child: Deno.ChildProcess | undefined;
  #exited = false;

  /** Use the start functions below; they know which command makes which node. */
  constructor(
    readonly name: string,
    /** Where the node listens; a broker's VIP port is two below, its HA port one above. */
    readonly port: number,
    /** Removed on dispose: home directory, log and, if none was given, the store. */
    readonly dir: string,
    /** The store of a broker, which outlives the node if the test chose the place. */
    readonly storeDir: string,
    readonly command: string[],
    readonly env: Record<string, string>,
    readonly ready: () => Promise<boolean>,
  ) {}

  /** `127.0.0.1:port`, as clients want it. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The process id of the last start. */
  get pid(): number {
    if (!this.#child) throw new Error(`Cannot tell the pid of ${this.name}: it was never started`);
    return this.#child.pid;
  }

  /** All that the node wrote to its standard output and error since its first start. */
  log(): Promise<string> {
    return Deno.readTextFile(`${this.dir}/output.log`).catch(() => "");
  }

  /** Starts the process, and waits until it answers requests. Throws with the log if it ends or stays silent. */
  async start(): Promise<this> {
    // The shell hands its process over to the command, so that the pid is the node's own and no pipe needs a reader.
    this.#child = new Deno.Command("sh", {
      args: ["-c", 'exec "$@" >>"$0" 2>&1', `${this.dir}/output.log`, ...this.command],
      env: this.env,
      stdin: "null",
    }).spawn();
    const child = this.#child;
    running.add(child);
    this.#exited = false;
    child.status.then(() => {
      running.delete(child);
      if (this.#child === child) this.#exited = true;
    });
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!await this.ready()) {
      if (this.#exited) throw new Error(`${this.name} ended instead of starting:\n${await this.log()}`);
      if (Date.now() > deadline) {
        await this.kill();
        throw new Error(`${this.name} does not answer after ${START_TIMEOUT_MS} ms:\n${await this.log()}`);
      }
      await delay(POLL_MS);
    }
    return this;
  }

  /** Ends the process in order (SIGTERM); by SIGKILL, and with an error, if it does not obey. Gives its exit code. */
  async stop(): Promise<number> {
    if (!this.#child) return 0;
    const child = this.#child;
    signal(child, "SIGTERM");
    let obeyed = true;
    const timer = setTimeout(() => {
      obeyed = false;
      signal(child, "SIGKILL");
    }, STOP_TIMEOUT_MS);
    const { code } = await child.status;
    clearTimeout(timer);
    if (!obeyed) throw new Error(`${this.name} did not stop ${STOP_TIMEOUT_MS} ms after SIGTERM:\n${await this.log()}`);
    return code;
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    if (!this.#child) return;
    signal(this.#child, "SIGKILL");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** To make a certificate takes a Java node seconds: those that are to speak TLS are told so by a later flag. */
const WITHOUT_TLS = "-Dtls.server.mode=disabled";
/** Flag of a Java node that speaks TLS as well, with a certificate of its own making. */
export const WITH_TLS = "-Dtls.server.mode=permissive";
const LEAN_JVM = ["-Xms64m", "-Xmx512m", "-XX:MaxDirectMemorySize=512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

function javaCommand(path: string, dir: string, jvm: readonly string[], main: string, ...args: string[]): string[] {
  const open = [
    "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
  ];
  // A full disk of the machine that runs the tests is not what they are about.
  const disk = ["-Drocketmq.broker.diskSpaceWarningLevelRatio=0.99"];
  return ["java", WITHOUT_TLS, ...jvm, ...disk, ...open, `-Duser.home=${dir}`, "-cp", path, main, ...args];
}

/** `shading`: what stands before the names of logback's classes, which 5.x has copies of. */
function logback(shading = ""): string {
  return `<configuration>
  <appender name="out" class="${shading}ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <logger name="RocketmqPop" level="ERROR"/>
  <logger name="RocketmqTransaction" level="ERROR"/>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
`;
}

/** What a Java node runs in. */
interface JavaOptions {
  /** Flags of Java's machine, instead of those that start fast. */
  readonly jvm?: readonly string[] | undefined;
  readonly version?: ServerVersion | undefined;
}

async function javaNode(
  name: string,
  port: number,
  main: string,
  settings: Settings,
  storeDir: string | undefined,
  ready: () => Promise<boolean>,
  { jvm = LEAN_JVM, version = SERVER_VERSION }: JavaOptions = {},
): Promise<Node> {
  const dir = await Deno.makeTempDir({ prefix: "rocketd-java-" });
  const store = storeDir ?? `${dir}/store`;
  await Deno.mkdir(`${dir}/conf`);
  for (const part of ["broker", "namesrv", "tools"]) {
    await Deno.writeTextFile(`${dir}/conf/logback_${part}.xml`, logback());
  }
  await Deno.writeTextFile(`${dir}/conf/logback_5.xml`, logback("org.apache.rocketmq.logging."));
  const logging = `-Drmq.logback.configurationFile=${dir}/conf/logback_5.xml`;
  const lines = Object.entries({ ...settings, listenPort: port, storePathRootDir: store });
  await Deno.writeTextFile(`${dir}/conf/node.conf`, lines.map(([key, value]) => `${key}=${value}\n`).join(""));
  const command = javaCommand(await serverPath(version), dir, [...jvm, logging], main, "-c", `${dir}/conf/node.conf`);
  return await started(new Node(name, port, dir, store, command, { ROCKETMQ_HOME: dir }, ready));
}

async function started(node: Node): Promise<Node> {
  try {
    return await node.start();
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts a Java nameserver. */
export async function startJavaNameserver(
  settings: Settings = {},
  { jvm = [], trust, version }: JavaOptions & { trust?: string } = {},
): Promise<Node> {
  const port = freePort();
  const main = "org.apache.rocketmq.namesrv.NamesrvStartup";
  const ready = () => nameserverAnswers(port, undefined, trust);
  return await javaNode("Java nameserver", port, main, settings, undefined, ready, {
    jvm: [...LEAN_JVM, ...jvm],
    version,
  });
}

/** What a broker needs to know. Without a store directory it gets one that goes with it. */
export interface BrokerOptions {
  /** `host:port`, of a nameserver on this machine; several joined by `;`. */
  namesrvAddr: string;
  brokerName?: string;
  settings?: Settings;
  storeDir?: string;
  /** To take the place of a node that was stopped; else a free one. */
  port?: number;
  /** Flags of Java's machine, instead of those that start fast. */
  jvm?: readonly string[];
  /** The version of a Java node; that which ours are compared with unless told otherwise. */
  version?: ServerVersion;
  /** Certificates to trust, as PEM, of nodes that take nothing but TLS. */
  trust?: string;
}

/** What a slave needs to know besides: it follows the master of its broker name. */
export interface SlaveOptions extends BrokerOptions {
  /** Tells slaves of one master apart; 1 if there is but one. */
  brokerId?: number;
  /** Where replication goes instead of to the address that the nameserver tells: a proxy, or a wrong place. */
  haMasterAddress?: string;
}

function brokerSettings(options: BrokerOptions): { brokerName: string; settings: Settings } {
  const brokerName = options.brokerName ?? "broker-a";
  const { namesrvAddr, settings } = options;
  return {
    brokerName,
    settings: { namesrvAddr, brokerName, brokerIP1: "127.0.0.1", brokerIP2: "127.0.0.1", ...settings },
  };
}

/** A slow test machine must not look like an overloaded broker. */
const PATIENCE: Settings = { waitTimeMillsInSendQueue: 60000, osPageCacheBusyTimeOutMills: 60000 };

function slaveSettings({ brokerId = 1, haMasterAddress, settings, ...options }: SlaveOptions): BrokerOptions {
  const fixed: Settings = haMasterAddress === undefined ? {} : { haMasterAddress };
  return { ...options, settings: { brokerRole: "SLAVE", brokerId, ...fixed, ...settings } };
}

/**
 * A broker is up when it answers, and each of its nameservers knows it. `isForgetful`: one of 5.x that has not found its
 * nameservers when it starts registers 10 s later.
 */
function brokerReady(port: number, namesrvAddr: string, trust?: string, isForgetful = false): () => Promise<boolean> {
  const nameservers = namesrvAddr.split(";").map((address) => Number(address.split(":")[1]));
  return async () => {
    if (!await brokerAnswers(port, trust)) return false;
    const known = await Promise.all(nameservers.map((nameserver) => nameserverAnswers(nameserver, `:${port}`, trust)));
    const isKnown = known.every((one) => one);
    if (!isKnown && isForgetful) await register(port, trust);
    return isKnown;
  };
}

/** Starts a Java master, and waits until its nameserver knows it. */
export async function startJavaBroker(options: BrokerOptions): Promise<Node> {
  const port = options.port ?? freePort();
  const { brokerName, settings } = brokerSettings(options);
  const { jvm, version = SERVER_VERSION, namesrvAddr, trust } = options;
  const ready = brokerReady(port, namesrvAddr, trust, version.startsWith("5."));
  const main = "org.apache.rocketmq.broker.BrokerStartup";
  const all = { ...PATIENCE, diskMaxUsedSpaceRatio: 95, ...settings };
  return await javaNode(`Java broker ${brokerName}`, port, main, all, options.storeDir, ready, { jvm, version });
}

/** Starts a Java slave, and waits until its nameserver knows it. It asks its master for messages 5 s later. */
export async function startJavaSlave(options: SlaveOptions): Promise<Node> {
  return await startJavaBroker(slaveSettings(options));
}

/** What one of our own nodes needs to know; a master without a nameserver in its process needs `namesrvAddr`. */
export type RocketdOptions =
  | { role: "nameserver"; settings?: Settings; trust?: string }
  | ({ role: "master" } & BrokerOptions)
  | ({ role: "slave" } & SlaveOptions);

/** Starts our own node: `$ROCKETD_BIN` if set, else from source. */
export async function startRocketd(options: RocketdOptions): Promise<Node> {
  const { role } = options;
  if (role === "nameserver") {
    const port = freePort();
    const ready = () => nameserverAnswers(port, undefined, options.trust);
    return await rocketdNode(role, role, port, options.settings ?? {}, undefined, ready);
  }
  const broker = role === "slave" ? slaveSettings(options) : options;
  const port = broker.port ?? freePort();
  const { brokerName, settings } = brokerSettings(broker);
  const ready = brokerReady(port, broker.namesrvAddr, broker.trust);
  const all = { ...PATIENCE, ...settings };
  return await rocketdNode(`${role} ${brokerName}`, role, port, all, broker.storeDir, ready);
}

async function rocketdNode(
  name: string,
  role: RocketdOptions["role"],
  port: number,
  settings: Settings,
  storeDir: string | undefined,
  ready: () => Promise<boolean>,
): Promise<Node> {
  const dir = await Deno.makeTempDir({ prefix: "rocketd-" });
  const store = storeDir ?? `${dir}/store`;
  const all: Settings = { ...settings, listenPort: port, storePathRootDir: store };
  const { aclSecretKey, ...open } = all;
  const flags = Object.entries(open).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const env: Record<string, string> = aclSecretKey === undefined ? {} : { ROCKETD_SECRET_KEY: String(aclSecretKey) };
  const program = Deno.env.get("ROCKETD_BIN") ?? new URL("../scripts/rocketd", import.meta.url).pathname;
  const command = [program, "--role", role, ...flags];
  return await started(new Node(`rocketd ${name}`, port, dir, store, command, env, ready));
}
