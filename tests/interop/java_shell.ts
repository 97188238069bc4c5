/**
 * One JVM with an official RocketMQ client, driven by commands (see `java/Interop.java`): its start costs seconds, a
 * command only what it does.
 *
 * @module
 */
import { classPath, type JavaSet } from "../java.ts";

/** How the headers of the client's requests are encoded. */
export type Serialization = "JSON" | "ROCKETMQ";

/** What a command reported: one object a line; `what` says what it is about. */
export type Report = { what: string } & Record<string, unknown>;

/** Long enough for every command, so that a hanging one ends as a failure. */
const COMMAND_TIMEOUT_MS = 180_000;

/** Starts with `JavaShell.start`, and ends when it goes out of scope. */
export class JavaShell implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #dir: string;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #pending = "";

  private constructor(child: Deno.ChildProcess, dir: string) {
    this.#child = child;
    this.#dir = dir;
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.getReader();
  }

  /** Starts a JVM with a client that knows the given nameserver; `more` are flags of the JVM. */
  static async start(
    set: JavaSet,
    serialization: Serialization,
    namesrvAddr: string,
    more: readonly string[] = [],
  ): Promise<JavaShell> {
    const path = await classPath(set);
    const dir = await Deno.makeTempDir({ prefix: "rocketd-java-shell-" });
    const flags = [
      "-Xms64m",
      "-Xmx768m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      `-Duser.home=${dir}`,
      `-Drocketmq.serialize.type=${serialization}`,
      // Members of a group must learn of each other by the broker's notices, not by looking every 20 s.
      "-Drocketmq.client.rebalance.waitInterval=600000",
      ...more,
    ];
    const child = new Deno.Command("sh", {
      args: [
        "-c",
        'exec "$@" 2>"$0"',
        `${dir}/errors.log`,
        "java",
        ...flags,
        "-Dfile.encoding=UTF-8",
        "-Dstdout.encoding=UTF-8",
        "-Dsun.stdout.encoding=UTF-8",
        "-cp",
        path,
        "Interop",
        namesrvAddr,
      ],
      // Some commands of the operator's tool write files where they are started.
      cwd: dir,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const shell = new JavaShell(child, dir);
    try {
      const [ready] = await shell.#answer("start");
      if (ready?.["serialization"] !== serialization) {
        throw new Error(`The client does not use ${serialization} headers`);
      }
      return shell;
    } catch (error) {
      await shell[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a command and gives what it reported. Throws when a check in it failed, with the end of the JVM's log. */
  async run(command: string, ...args: (string | number | boolean)[]): Promise<Report[]> {
    const line = [command, ...args].join(" ");
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.#answer(line);
  }

  async #answer(command: string): Promise<Report[]> {
    const reports: Report[] = [];
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), COMMAND_TIMEOUT_MS);
    try {
      while (true) {
        const line = await this.#line();
        if (line === "OK") return reports;
        if (line === null) throw new Error(`the JVM ended during "${command}"\n${await this.#errors()}`);
        if (line.startsWith("{")) reports.push(JSON.parse(line));
        if (line.startsWith("FAIL ")) throw new Error(`"${command}": ${line.slice(5)}\n${await this.#errors()}`);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #line(): Promise<string | null> {
    while (true) {
      const end = this.#pending.indexOf("\n");
      if (end >= 0) {
        const line = this.#pending.slice(0, end);
        this.#pending = this.#pending.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#output.read();
      if (done) return null;
      this.#pending += this.#decoder.decode(value, { stream: true });
    }
  }

  async #errors(): Promise<string> {
    return (await Deno.readTextFile(`${this.#dir}/errors.log`)).split("\n").slice(-25).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    await this.#input.abort().catch(() => {});
    await this.#output.cancel();
    await Deno.remove(this.#dir, { recursive: true });
  }
}
