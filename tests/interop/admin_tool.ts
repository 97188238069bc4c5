/**
 * Our own tool for administrators, run within the test: commands by name, with options as a shell gives them.
 *
 * @module
 */
import { Admin, type AdminOptions, findAdminCommand, readValues, resultData } from "../../src/client/admin/mod.ts";
import { admin as group } from "../../src/cli/admin.ts";
import { readArgs } from "../../src/cli/command.ts";
import { delay } from "../launch.ts";
import { clusterKind, type Kind } from "./cluster.ts";

/** Our tool must work with both: each is a run of its own, unless `$CLUSTER` chooses one. */
export const KINDS: readonly Kind[] = Deno.env.has("CLUSTER") ? [clusterKind()] : ["rocketd", "java"];

/** A part of a result, as `--json` prints it. */
export type Rows = Record<string, unknown>[];
/** A result, as `--json` prints it. */
export type Data = Record<string, unknown> & { failures: Rows };

/** Runs commands against one cluster. */
export class AdminTool implements AsyncDisposable {
  readonly #admin: Admin;

  constructor(options: AdminOptions) {
    this.#admin = new Admin(options);
  }

  /** Runs `topicRoute -t T`, and gives what `--json` would print. Options are read as the program reads them. */
  async run(line: string, ...more: string[]): Promise<Data> {
    const [name = "", ...args] = [...line.split(" "), ...more];
    const command = findAdminCommand(name);
    if (command === undefined) throw new Error(`no command ${name}`);
    const given = readArgs(group.find(name)!, args);
    const values = readValues(command.options, (option) => given.text(option));
    return resultData(await command.run(this.#admin, values)) as Data;
  }

  /** The rows of a part of what a command gives, if nobody failed. */
  async rows(part: string, line: string, ...more: string[]): Promise<Rows> {
    const data = await this.run(line, ...more);
    if (data.failures.length > 0) throw new Error(`${line}: ${JSON.stringify(data.failures)}`);
    return data[part] as Rows;
  }

  /** Columns of those rows, row by row. */
  async cells(part: string, columns: string, line: string, ...more: string[]): Promise<unknown[][]> {
    const names = columns.split(" ");
    return (await this.rows(part, line, ...more)).map((row) => names.map((name) => row[name]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin[Symbol.asyncDispose]();
  }
}

/**
 * Asks again until it holds: other nodes learn of a change a little later. An error is an answer too, and waited out like
 * others: what is asked for may be there only after the change.
 */
export async function until<T>(what: string, ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (holds(answer)) return answer;
      last = JSON.stringify(answer);
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`never came: ${what}; last ${last}`, { cause: last });
    await delay(100);
  }
}
