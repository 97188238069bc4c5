/**
 * A strict reader of Prometheus' text format 0.0.4: what it lets pass, every scraper understands.
 *
 * @module
 */

/** One line with a value. */
export interface ReadSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its samples. */
export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  /** The names of its labels, in the order in which they stand. */
  readonly labels: readonly string[];
  readonly samples: readonly ReadSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const VALUE = /^([-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|NaN|[-+]Inf)$/;

class Reader {
  readonly families = new Map<string, ReadFamily & { samples: ReadSample[] }>();
  #open = "";
  #help = "";
  #seen = new Set<string>();

  line(line: string): void {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === "HELP") {
      if (!NAME.test(name!)) throw new Error(`${name} is no name`);
      if (!/^(?:[^\\]|\\[\\n])*$/.test(rest!)) throw new Error(`the help of ${name} has an unknown escape`);
      this.#help = `${name} ${rest}`;
    } else if (kind === "TYPE") {
      this.#begin(name!, rest!);
    } else {
      this.#sample(line);
    }
  }

  #begin(name: string, type: string): void {
    if (this.families.has(name)) throw new Error(`${name} stands in two places`);
    if (!["counter", "gauge"].includes(type)) throw new Error(`${name} has the type ${type}`);
    if (!this.#help.startsWith(`${name} `)) throw new Error(`${name} has no help in front of its type`);
    if (type === "counter" && !name.endsWith("_total")) throw new Error(`the counter ${name} does not end in _total`);
    this.families.set(name, { type, help: this.#help.slice(name.length + 1), labels: [], samples: [] });
    this.#open = name;
    this.#seen = new Set();
  }

  #sample(line: string): void {
    const [, name = "", text, valueText = ""] = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name !== this.#open) throw new Error(`not a value of ${this.#open}: ${line}`);
    if (!VALUE.test(valueText)) throw new Error(`no number: ${line}`);
    const pairs = text === undefined ? [] : labelsOf(text);
    const names = pairs.map(([label]) => label);
    if (new Set(names).size < names.length) throw new Error(`a label stands twice: ${line}`);
    const family = this.families.get(name)!;
    if (family.samples.length === 0) Object.assign(family, { labels: names });
    else if (names.join() !== family.labels.join()) throw new Error(`other labels than in the lines before: ${line}`);
    if (this.#seen.has(text ?? "")) throw new Error(`the same labels stand twice: ${line}`);
    this.#seen.add(text ?? "");
    family.samples.push({ labels: Object.fromEntries(pairs), value: Number(valueText.replace("Inf", "Infinity")) });
  }

  end(): void {
    for (const [name, { samples }] of this.families) if (samples.length === 0) throw new Error(`${name} has no value`);
  }
}

function labelsOf(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  const pattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,|$)/y;
  while (pattern.lastIndex < text.length) {
    const [all, name, value, comma] = pattern.exec(text) ?? [];
    if (all === undefined) throw new Error(`no labels: ${text}`);
    if (comma === "," && pattern.lastIndex === text.length) throw new Error(`a comma at the end: ${text}`);
    pairs.push([name!, value!.replace(/\\(.)/g, (_, char: string) => char === "n" ? "\n" : char)]);
  }
  return pairs;
}

/** Reads a whole text, metrics by name. Throws at the first thing that is not as it must be. */
export function readMetrics(text: string): ReadonlyMap<string, ReadFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const reader = new Reader();
  for (const line of text.slice(0, -1).split("\n")) reader.line(line);
  reader.end();
  return reader.families;
}

/** The value of the sample with these labels, among others; undefined when there is none. */
export function valueOf(
  families: ReadonlyMap<string, ReadFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return families.get(name)?.samples.find((sample) => {
    return Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
  })?.value;
}
