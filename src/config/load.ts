/**
 * From what an operator wrote to the settings that a node runs with: flags before environment before file before
 * default. All mistakes are gathered, not only the first.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import type { BrokerSettings } from "./broker.ts";
import { JAVA_ABSENT, JAVA_ONLY } from "./java_only.ts";
import type { NameserverSettings } from "./nameserver.ts";
import { nearest } from "./nearest.ts";
import { type Origin, type Place, type Problem, shown, shownKey, shownValue } from "./problem.ts";
import { partOf, type Role, TABLES } from "./roles.ts";
import { type Given, ruleBreaches } from "./rules.ts";
import type { Setting } from "./setting.ts";
import { type Entry, type Part, PARTS, readSets, readSource, type Source } from "./source.ts";
import { type Machine, thisMachine } from "./surroundings.ts";

/**
 * What settings are made from: `sets` beat the environment, which beats the file, which beats the defaults.
 *
 * @example
 * ```ts
 * import { type LoadOptions, loadSettings } from "@rocketd/rocketd";
 * import { assert } from "@std/assert";
 *
 * const options: LoadOptions = { roles: ["master"], sets: ["brokerName=broker-a"], env: { NAMESRV_ADDR: "10.0.0.1:9876" } };
 * const loaded = await loadSettings(options);
 * assert(loaded.ok && loaded.settings.broker?.namesrvAddr[0] === "10.0.0.1:9876");
 * ```
 */
export interface LoadOptions {
  /** What the node is to be. */
  readonly roles: readonly Role[];
  /** Path of a YAML file, or of a Java properties file named `.conf` or `.properties`. */
  readonly file?: string;
  /** `key=value` texts of the command line. */
  readonly sets?: readonly string[];
  /** Environment variables, as `Deno.env.toObject()` gives them. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The settings of one process, as `startNode` takes them; a part that no role needs is missing.
 *
 * @example
 * ```ts
 * import { loadSettings, type NodeSettings } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const loaded = await loadSettings({ roles: ["nameserver"] });
 * if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
 * const { nameserver, broker }: NodeSettings = loaded.settings;
 * assertEquals([nameserver?.listenPort, broker], [9876, undefined]);
 * ```
 */
export interface NodeSettings {
  /** What the node is to be. */
  readonly roles: readonly Role[];
  /**
   * The nameserver's part.
   *
   * @internal
   */
  readonly nameserver?: NameserverSettings;
  /**
   * The part of master or slave.
   *
   * @internal
   */
  readonly broker?: BrokerSettings;
}

/**
 * Settings with what is odd but harmless about them, or else all mistakes.
 *
 * @example
 * ```ts
 * import { type Loaded, loadSettings } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const loaded: Loaded = await loadSettings({ roles: ["nameserver"], sets: ["listenPort=ninety"] });
 * assertEquals(loaded.ok ? [] : loaded.problems.map(({ key, value }) => `${key} ${value}`), ["listenPort ninety"]);
 * ```
 */
export type Loaded =
  | { readonly ok: true; readonly settings: NodeSettings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads file, environment and command line. Never throws: a file that cannot be read is a problem as well.
 *
 * @example
 * ```ts
 * import { loadSettings } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const loaded = await loadSettings({ roles: ["master"], file: "/etc/rocketd/no-such-file.yaml" });
 * if (loaded.ok) throw new Error("there is no such file");
 * assertEquals(loaded.problems.length, 1);
 * ```
 */
export async function loadSettings(options: LoadOptions): Promise<Loaded> {
  let text = "";
  if (options.file !== undefined) {
    try {
      text = await Deno.readTextFile(options.file);
    } catch (error) {
      const message = `Cannot read the file: ${messageOf(error)}`;
      const problem: Problem = {
        origin: "file",
        key: "",
        value: options.file,
        allowed: "a file that can be read",
        message,
      };
      return { ok: false, problems: [problem] };
    }
  }
  return checkSettings(text, options);
}

/** As {@linkcode loadSettings}, with the text of `options.file` in hand. */
export function checkSettings(text: string, options: LoadOptions): Loaded {
  const { roles, file = "", sets = [], env = {} } = options;
  const sources: readonly Source[] = [readSource(file, text), readEnvironment(env), readSets(sets)];
  const parts = [...new Set(roles.map(partOf))];
  const loader = new Loader(parts);
  for (const source of sources) loader.take(source);
  const machine = thisMachine(env);
  const settings: { -readonly [K in keyof NodeSettings]: NodeSettings[K] } = { roles };
  for (const role of roles) Object.assign(settings, { [partOf(role)]: loader.settings(role, machine, env) });
  loader.problems.push(...ruleBreaches(settings, loader.given));
  if (loader.problems.length > 0) return { ok: false, problems: loader.problems };
  return { ok: true, settings, warnings: loader.warnings };
}

/** The variables that settings name, as entries under the names of the variables. */
function readEnvironment(env: Readonly<Record<string, string>>): Source {
  const names = new Set(PARTS.flatMap((part) => Object.values(TABLES[part]).flatMap((setting) => setting.env ?? [])));
  const entries: Entry[] = [];
  for (const key of names) {
    const value = env[key];
    if (value !== undefined && value !== "") entries.push({ origin: "environment", key, value: value.trim() });
  }
  return { entries, problems: [] };
}

/** A key taken apart: the setting it means in each part that has it. */
interface Meaning {
  readonly prefix: Part | undefined;
  readonly bare: string;
  readonly targets: readonly { part: Part; name: string; setting: Setting<unknown> }[];
}

class Loader {
  readonly problems: Problem[] = [];
  readonly #ignored = new Set<string>();
  readonly given: Given = { nameserver: new Map(), broker: new Map() };
  private readonly values: Record<Part, Map<string, unknown>> = { nameserver: new Map(), broker: new Map() };

  constructor(private readonly parts: readonly Part[]) {}

  /** What is odd but harmless. */
  get warnings(): string[] {
    if (this.#ignored.size === 0) return [];
    return [`settings of RocketMQ that mean nothing to rocketd are ignored: ${[...this.#ignored].join(", ")}`];
  }

  /** Takes the entries of one source; a later source overrides an earlier one. */
  take(source: Source): void {
    this.problems.push(...source.problems);
    const meant = source.entries.map((entry) => ({ entry, meaning: meaningOf(entry) }));
    // What is said of one part counts more than what is said of all.
    for (const { entry, meaning } of meant) if (meaning.prefix === undefined) this.set(entry, meaning);
    for (const { entry, meaning } of meant) if (meaning.prefix !== undefined) this.set(entry, meaning);
  }

  private set(entry: Entry, { prefix, bare, targets }: Meaning): void {
    if (targets.length === 0) return this.unknown(entry, prefix, bare);
    const secret = targets.find(({ setting }) => setting.secret)?.setting;
    if (secret !== undefined && entry.origin === "--set") {
      const allowed = `it in the configuration file${secret.env === undefined ? "" : ` or as $${secret.env}`}`;
      return this.problem(entry, entry.keyAt, allowed, `would be seen in the list of processes: expected ${allowed}`);
    }
    const running = targets.filter(({ part }) => this.parts.includes(part));
    if (running.length === 0 && prefix === undefined && entry.origin !== "environment") {
      const owner = targets[0]!.part;
      const allowed = `settings of ${this.parts.join(" and ")}`;
      return this.problem(
        entry,
        entry.keyAt,
        allowed,
        `is a setting of a ${owner}, which this process is not: expected ${allowed}`,
      );
    }
    if (prefix === undefined && running.length > 1 && running.some(({ setting }) => setting.perRole)) {
      const allowed = running.map(({ part, name }) => `${part}.${name}`).join(" or ");
      return this.problem(
        entry,
        entry.keyAt,
        allowed,
        `${shown(entry.value)} could be for each role: expected ${allowed}`,
      );
    }
    // What is said of a role that does not run here is checked, too.
    const concerned = running.length > 0 ? running : targets;
    const values = concerned.map(({ setting }) => setting.parse(entry.value));
    const wrong = concerned.find((_, index) => values[index] === undefined);
    if (wrong) {
      const { allowed } = wrong.setting;
      return this.problem(entry, entry.valueAt, allowed, `${shownValue(entry.key, entry.value)}: expected ${allowed}`);
    }
    concerned.forEach(({ part, name }, index) => {
      this.values[part].set(name, values[index]);
      this.given[part].set(name, entry);
    });
  }

  private unknown(entry: Entry, prefix: Part | undefined, bare: string): void {
    const absent = JAVA_ABSENT.get(bare);
    if (JAVA_ONLY.has(bare) || absent?.off.test(entry.value)) {
      this.#ignored.add(shownKey(entry.key));
      return;
    }
    if (absent !== undefined) {
      return this.problem(
        entry,
        entry.valueAt,
        "",
        `${shownValue(bare, entry.value)} is not possible here: ${absent.reason}`,
      );
    }
    const names = (prefix ? [prefix] : this.parts).flatMap((part) => Object.keys(TABLES[part]));
    const guess = nearest(bare, names);
    const allowed = guess ?? `settings of ${(prefix ? [prefix] : this.parts).join(" and ")}`;
    const hint = guess === undefined ? `expected ${allowed}` : `did you mean ${guess}?`;
    // What was meant to be a secret is one.
    const value = shownValue(`${entry.key} ${guess ?? ""}`, entry.value);
    this.problem(entry, entry.keyAt, allowed, `= ${value} is not a setting: ${hint}`);
  }

  private problem({ origin, key, value }: Entry, place: Place | undefined, allowed: string, text: string): void {
    this.problems.push({ origin, ...place, key, value, allowed, message: `${shownKey(key)} ${text}` });
  }

  /** All values of the table that a role brings, with defaults where nothing was given. */
  settings(role: Role, machine: Machine, env: Readonly<Record<string, string>>): Record<string, unknown> {
    const part = partOf(role);
    const values = this.values[part];
    const settings: Record<string, unknown> = {};
    const surroundings = { ...machine, env, role, chosen: (name: string) => settings[name] };
    for (const [name, setting] of Object.entries(TABLES[part])) {
      const standard: unknown = typeof setting.default === "function" ? setting.default(surroundings) : setting.default;
      settings[name] = values.has(name) ? values.get(name) : standard;
    }
    // Each message asks for some: V8 finds them faster in an object that was not put together key by key.
    return { ...settings };
  }
}

function meaningOf({ origin, key }: { origin: Origin; key: string }): Meaning {
  const prefix = PARTS.find((part) => key.startsWith(`${part}.`));
  const bare = prefix === undefined ? key : key.slice(prefix.length + 1);
  const targets = (prefix === undefined ? PARTS : [prefix]).flatMap((part) =>
    Object.entries(TABLES[part])
      .filter(([name, { env, aliases }]) =>
        origin === "environment" ? env === bare : name === bare || aliases?.includes(bare)
      )
      .map(([name, setting]) => ({ part, name, setting }))
  );
  return { prefix, bare, targets };
}
