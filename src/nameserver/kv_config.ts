/**
 * The key-value configuration of a nameserver: text by namespace and key, kept in Java's kvConfig.json.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { KV_CHARACTERS_MAX, KV_ENTRIES_MAX, KV_TEXT_LENGTH_MAX } from "../limits.ts";
import { type Disk, folderOf, makeFolderOn } from "../platform/disk.ts";
import { decodeJson, maybe, object, table, text } from "../protocol/bodies/shape.ts";
import { fastJsonBytes } from "../protocol/fastjson.ts";

const log = getLogger(["rocketd", "nameserver"]);

type Namespaces = Map<string, Map<string, string>>;

const fileShape = object({
  configTable: maybe(
    table(table(text(KV_TEXT_LENGTH_MAX), KV_ENTRIES_MAX), KV_ENTRIES_MAX),
    (): Namespaces => new Map(),
  ),
});

/** The configuration; every change is on disk before it is seen. */
export class KvConfig {
  #namespaces: Namespaces;

  private constructor(readonly disk: Disk, readonly path: string, namespaces: Namespaces) {
    this.#namespaces = namespaces;
  }

  /**
   * Reads the file, or the copy kept beside it when the file is missing or damaged; none of both is an empty
   * configuration. Throws `damagedStore` when what is there cannot be read.
   */
  static open(disk: Disk, path: string): KvConfig {
    let damage: unknown;
    for (const candidate of [path, `${path}.bak`]) {
      if (!disk.existsSync(candidate)) continue;
      try {
        const namespaces = decodeJson(fileShape, disk.readFileSync(candidate)).configTable;
        if (damage !== undefined) {
          log.warn("{path} is damaged ({reason}), {candidate} is used", { path, reason: messageOf(damage), candidate });
        }
        return new KvConfig(disk, path, namespaces);
      } catch (error) {
        damage ??= error;
      }
    }
    if (damage === undefined) return new KvConfig(disk, path, new Map());
    throw new RocketdError("damagedStore", `Cannot read ${path} (kvConfigPath): ${messageOf(damage)}`, {
      field: "kvConfigPath",
      value: path,
      cause: damage,
    });
  }

  get(namespace: string, key: string): string | undefined {
    return this.#namespaces.get(namespace)?.get(key);
  }

  /** The entries of a namespace; undefined when it never had one. */
  list(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.#namespaces.get(namespace);
  }

  /** Throws `invalidArgument` when there are too many or too long ones, and what the disk throws. */
  put(namespace: string, key: string, value: string): void {
    for (const [field, given] of Object.entries({ namespace, key, value })) {
      if (given.length > KV_TEXT_LENGTH_MAX) {
        throw new RocketdError(
          "invalidArgument",
          `the field ${field} has ${given.length} characters, allowed are ${KV_TEXT_LENGTH_MAX}`,
          { field },
        );
      }
    }
    const count = [...this.#namespaces.values()].reduce((sum, entries) => sum + 1 + entries.size, 0);
    if (count >= KV_ENTRIES_MAX && this.get(namespace, key) === undefined) {
      throw new RocketdError("invalidArgument", `no room for the key ${key}: ${count} entries are kept`);
    }
    const growth = this.#growth(namespace, key, value);
    const characters = this.#characters() + growth;
    if (growth > 0 && characters > KV_CHARACTERS_MAX) {
      throw new RocketdError(
        "invalidArgument",
        `no room for the key ${key}: all entries would have ${characters} characters, allowed are ${KV_CHARACTERS_MAX}`,
        { field: "value" },
      );
    }
    this.#change(namespace, (entries) => entries.set(key, value));
  }

  #growth(namespace: string, key: string, value: string): number {
    const entries = this.#namespaces.get(namespace);
    const known = entries?.get(key);
    if (known !== undefined) return value.length - known.length;
    return (entries === undefined ? namespace.length : 0) + key.length + value.length;
  }

  #characters(): number {
    let sum = 0;
    for (const [namespace, entries] of this.#namespaces) {
      sum += namespace.length;
      for (const [key, value] of entries) sum += key.length + value.length;
    }
    return sum;
  }

  /** An emptied namespace stays, as in Java. */
  delete(namespace: string, key: string): void {
    if (this.get(namespace, key) !== undefined) this.#change(namespace, (entries) => entries.delete(key));
  }

  #change(namespace: string, change: (entries: Map<string, string>) => void): void {
    const entries = new Map(this.#namespaces.get(namespace));
    change(entries);
    const next = new Map(this.#namespaces).set(namespace, entries);
    makeFolderOn(this.disk, folderOf(this.path));
    this.disk.writeStateFileSync(this.path, fastJsonBytes({ configTable: next }));
    this.#namespaces = next;
  }
}
