/**
 * Reads what an operator wrote - a YAML file, a Java properties file, `key=value` of the command line - into keys and
 * texts with their places. What the texts mean is up to the tables of settings.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { parseYaml } from "../std.ts";
import { type Origin, type Place, printable, type Problem, shownKey, shownValue } from "./problem.ts";

/** One `key: value` as it was written. */
export interface Entry {
  readonly origin: Origin;
  /** Where the key begins, and where the value does. */
  readonly keyAt?: Place;
  readonly valueAt?: Place;
  /** May start with the part of the process that it is for: `broker.listenPort`. */
  readonly key: string;
  readonly value: string;
}

/** What was read, and what could not be. */
export interface Source {
  readonly entries: Entry[];
  readonly problems: Problem[];
}

/** Parts of a process that a key can be for. */
export const PARTS = ["nameserver", "broker"] as const;
export type Part = typeof PARTS[number];

/** Reads a file's text; the file's name tells its form: `.conf` and `.properties` are Java's, all else is YAML. */
export function readSource(name: string, text: string): Source {
  const plain = text.replace(/^\uFEFF/, "");
  return /\.(conf|properties)$/i.test(name) ? readProperties(plain) : readYaml(plain);
}

function broken(origin: Origin, place: Place | undefined, key: string, value: string, allowed: string): Problem {
  const what = `${key === "" ? "" : `${shownKey(key)} `}${shownValue(key, value)}`;
  const message = `${what}: expected ${allowed}`;
  return { origin, ...place, key, value, allowed, message };
}

// ---- YAML: a flat map, or one map below the name of each part ----

function readYaml(text: string): Source {
  let root: unknown;
  try {
    // This schema leaves all scalars as they were written: 04 stays "04".
    root = parseYaml(text, { schema: "failsafe" });
  } catch (error) {
    const [, reason, line, column] = /^(.*?)(?: at line (\d+), column (\d+)[^]*)?$/s.exec(messageOf(error)) ?? [];
    // What stands in quotes or brackets there is of the file, and may be a secret.
    const message = `Cannot read the file as YAML: ${printable(/^[^\n"<!]*/.exec(reason ?? "")![0].trimEnd())}`;
    const allowed = '"key: value" on each line';
    const place = line === undefined ? {} : { line: Number(line), column: Number(column) };
    return { entries: [], problems: [{ origin: "file", ...place, key: "", value: "", allowed, message }] };
  }
  const source: Source = { entries: [], problems: [] };
  if (root === null || root === undefined || root === "") return source;
  if (!isMap(root)) {
    source.problems.push(broken("file", { line: 1, column: 1 }, "", textOf(root), '"key: value" on each line'));
    return source;
  }
  const places = placesOfKeys(text);
  const placeOf = (above: string, key: string) =>
    places.get(above === "" ? key : `${above}.${key}`) ?? placeInBraces(text, above, key);
  for (const [key, given] of Object.entries(root)) {
    if (isMap(given) && PARTS.some((part) => part === key)) {
      for (const [inner, value] of Object.entries(given)) {
        addYaml(source, placeOf(key, inner), `${key}.${inner}`, value);
      }
    } else {
      addYaml(source, placeOf("", key), key, given);
    }
  }
  return source;
}

function addYaml(
  { entries, problems }: Source,
  place: Pick<Entry, "keyAt" | "valueAt">,
  key: string,
  value: unknown,
): void {
  const items = Array.isArray(value) ? value : [value ?? ""];
  if (items.every((item) => typeof item === "string")) {
    entries.push({ origin: "file", ...place, key, value: items.join(";").trim() });
  } else {
    problems.push(broken("file", place.valueAt, key, textOf(value), "one value, or a list of values"));
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Places = ReadonlyMap<string, Pick<Entry, "keyAt" | "valueAt">>;

/** Where each key and its value stand, where a line has no more than that; a key within `broker:` is `broker.key`. */
function placesOfKeys(text: string): Places {
  const places = new Map<string, Pick<Entry, "keyAt" | "valueAt">>();
  let above = "";
  text.split(/\r\n|\r|\n/).forEach((content, index) => {
    const [found = "", indent = "", , key, rest] =
      /^(\s*)(["']?)([^\s"'#:][^"'#:]*?)\2\s*:(?:\s+([^#]?)|$)/.exec(content) ?? [];
    if (key === undefined) return;
    if (indent === "") above = key;
    const full = indent === "" ? key : `${above}.${key}`;
    if (places.has(full)) return;
    const line = index + 1, keyAt = { line, column: indent.length + 1 };
    // A list below its key has no place of its own.
    places.set(full, { keyAt, valueAt: rest ? { line, column: found.length } : keyAt });
  });
  return places;
}

/** Where a key stands that shares its line with others, within braces; `above` is the key before these. */
function placeInBraces(text: string, above: string, key: string): Pick<Entry, "keyAt" | "valueAt"> {
  const from = above === "" ? 0 : text.search(new RegExp(`^${above}\\s*:`, "m"));
  const name = key.replace(/\W/g, "\\$&");
  const found = new RegExp(`[{,\\s]["']?(?=${name}["']?\\s*:)`, "g").exec(text.slice(Math.max(from, 0)));
  if (found === null) return {};
  const lines = text.slice(0, Math.max(from, 0) + found.index + found[0].length).split(/\r\n|\r|\n/);
  const keyAt = { line: lines.length, column: lines.at(-1)!.length + 1 };
  return { keyAt, valueAt: keyAt };
}

// ---- Java properties ----

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

/** A value as Java's `Properties.load` reads it: Latin-1 whatever the bytes are, on one line, `\` before what is odd. */
export function escapeProperty(value: string): string {
  return value.replace(/[^ -~]|\\/g, (char) => {
    return char === "\\" ? "\\\\" : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** What {@linkcode escapeProperty} was given. */
export function unescapeProperty(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.?))/gs, (_, code: string | undefined, char: string) => {
    return code === undefined ? ESCAPES[char] ?? char : String.fromCharCode(parseInt(code, 16));
  });
}

/** Reads the text of a Java properties file, or what comes in its form over the wire. */
export function readProperties(text: string): Source {
  const source: Source = { entries: [], problems: [] };
  const seen = new Set<string>();
  const lines = text.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1, first = lines[at]!;
    let piece = first.trimStart(), logical = piece;
    if (logical === "" || /^[#!]/.test(logical)) continue;
    const keyAt = { line, column: first.length - logical.length + 1 };
    // An odd number of backslashes at its end continues a line on the next.
    while (/(?<!\\)(\\\\)*\\$/.test(piece) && at + 1 < lines.length) {
      piece = lines[++at]!.trimStart();
      logical = logical.slice(0, -1) + piece;
    }
    const [, key, value] = /^((?:\\.|[^\\\s=:])+)\s*(?:[=:]\s*|(?<=\s))(.*)$/s.exec(logical) ?? [];
    if (key === undefined || value === undefined) {
      source.problems.push(broken("file", keyAt, "", logical, "key=value"));
      continue;
    }
    const column = keyAt.column + logical.length - value.length;
    const name = unescapeProperty(key);
    if (seen.has(name)) source.problems.push(broken("file", keyAt, name, value, "each key only once"));
    seen.add(name);
    const valueAt = column <= first.length ? { line, column } : keyAt;
    source.entries.push({ origin: "file", keyAt, valueAt, key: name, value: unescapeProperty(value).trim() });
  }
  return source;
}

// ---- the command line ----

/** Reads the `key=value` texts of `--set`; where a key comes twice, the later one counts. */
export function readSets(sets: readonly string[]): Source {
  const source: Source = { entries: [], problems: [] };
  for (const text of sets) {
    const at = text.indexOf("=");
    const key = text.slice(0, Math.max(at, 0)).trim();
    if (key === "") source.problems.push(broken("--set", undefined, "", text, "key=value"));
    else source.entries.push({ origin: "--set", key, value: text.slice(at + 1).trim() });
  }
  return source;
}
