/**
 * The settings of a running node: told as the lines of a properties file, and changed in place, which is how they apply
 * at once: whoever needs one reads it where it is used. The file that the node was started with stays as it is.
 *
 * @module
 */
import { JAVA_ABSENT, JAVA_ONLY } from "./java_only.ts";
import { nearest } from "./nearest.ts";
import { shownKey, shownValue } from "./problem.ts";
import { settingNamed, TABLES } from "./roles.ts";
import { type Entry, escapeProperty, type Part, readProperties } from "./source.ts";

/** A setting that has another value now; both as text. */
export interface SettingChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** Why one key of a request is not obeyed. */
export interface Refusal {
  readonly message: string;
  /** Whether it is because of the key, whatever the value. */
  readonly fixed: boolean;
}

/** All that was asked, or nothing at all; of many refusals only the first few are told. */
export type LiveChange =
  | { readonly ok: true; readonly changes: readonly SettingChange[] }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

/** One `name=value` line for each setting that is no secret, in the form that Java's Properties reads. */
export function settingLines(part: Part, settings: object): string {
  const values = new Map<string, unknown>(Object.entries(settings));
  return Object.entries(TABLES[part])
    .filter(([name, { secret }]) => secret !== true && values.has(name))
    .map(([name, setting]) => `${name}=${escapeProperty(setting.format(values.get(name)))}\n`)
    .join("");
}

/**
 * Changes settings as the lines of a properties file say.
 *
 * @param settings changed in place
 * @param fixed settings that the operator does not want to be changed, though they could
 * @param refusalsMax how many refusals are told
 */
export function changeSettings(
  part: Part,
  settings: object,
  text: string,
  { fixed, refusalsMax }: { readonly fixed: readonly string[]; readonly refusalsMax: number },
): LiveChange {
  const values = settings as Record<string, unknown>;
  const { entries, problems } = readProperties(text);
  const refusals: Refusal[] = problems.map(({ message }) => ({ message, fixed: false }));
  const wanted = new Map<string, unknown>();
  for (const entry of entries) {
    if (refusals.length >= refusalsMax) break;
    const read = readChange(part, entry, fixed);
    if ("message" in read) refusals.push(read);
    else wanted.set(read.name, read.value);
  }
  if (refusals.length > 0) return { ok: false, refusals: refusals.slice(0, refusalsMax) };
  const changes: SettingChange[] = [];
  for (const [name, value] of wanted) {
    const { format } = TABLES[part][name]!;
    const from = format(values[name]), to = format(value);
    if (from === to) continue;
    values[name] = value;
    changes.push({ name, from, to });
  }
  return { ok: true, changes };
}

function readChange(
  part: Part,
  { key, value }: Entry,
  fixed: readonly string[],
): { name: string; value: unknown } | Refusal {
  const name = settingNamed(part, key);
  if (name === undefined) return { message: unknown(part, key), fixed: false };
  const { hot, parse, allowed } = TABLES[part][name]!;
  if (hot !== true) return { message: `${name} is read at the start only`, fixed: true };
  if (fixed.includes(name)) return { message: `${name} is in configBlackList`, fixed: true };
  const read = parse(value);
  if (read === undefined) return { message: `${name} ${shownValue(key, value)}: expected ${allowed}`, fixed: false };
  return { name, value: read };
}

function unknown(part: Part, key: string): string {
  const absent = JAVA_ABSENT.get(key);
  if (absent !== undefined) return `${key} is not possible here: ${absent.reason}`;
  if (JAVA_ONLY.has(key)) return `${key} means nothing to rocketd`;
  const guess = nearest(key, Object.keys(TABLES[part]));
  const hint = guess === undefined ? "" : `: did you mean ${guess}?`;
  return `${shownKey(key)} is not a setting of a ${part}${hint}`;
}
