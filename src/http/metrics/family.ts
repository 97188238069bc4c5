/**
 * A metric as data, and how the text format of Prometheus (0.0.4) writes it.
 *
 * @module
 */

/** One value of a family, with the values of its labels in the order of the family's. */
export type Sample = readonly [labels: readonly string[], value: number];

/** A metric, declared once; `S` is what its samples are taken from. */
export interface Family<S> {
  readonly name: string;
  /** A counter only grows while the process lives, and its name ends in `_total`. */
  readonly type: "counter" | "gauge";
  /** One line, with the unit. */
  readonly help: string;
  readonly labels: readonly string[];
  /**
   * No two samples have the same labels. Taken piece by piece, over several turns: what is passed over is undefined, so
   * that a pause can be made there as well.
   */
  samples(source: S): Iterable<Sample | undefined>;
}

/** A family with one sample, without labels; none while there is no value. */
export function single<S>(
  name: string,
  type: Family<S>["type"],
  help: string,
  value: (source: S) => number | undefined,
): Family<S> {
  return {
    name,
    type,
    help,
    labels: [],
    *samples(source) {
      const found = value(source);
      if (found !== undefined) yield [[], found];
    },
  };
}

/** The lines of a family: what it is, if it has samples, and those; "" for what is passed over. */
export function* linesOf<S>({ name, type, help, labels, samples }: Family<S>, source: S): Generator<string> {
  let begun = false;
  for (const sample of samples(source)) {
    if (sample === undefined) {
      yield "";
      continue;
    }
    const [values, value] = sample;
    if (!begun) yield `# HELP ${name} ${escaped(help, false)}\n# TYPE ${name} ${type}\n`;
    begun = true;
    // There may be many: no more is made than the text itself.
    let text = name;
    for (let i = 0; i < labels.length; i++) text += `${i === 0 ? "{" : ","}${labels[i]}="${escaped(values[i]!, true)}"`;
    yield `${text}${labels.length === 0 ? "" : "}"} ${numberText(value)}\n`;
  }
}

/** Names of topics and groups need none of this; what a peer or an operator says may. */
function escaped(text: string, quoted: boolean): string {
  if (!/[\\\n"]/.test(text)) return text;
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quoted ? plain.replaceAll('"', '\\"') : plain;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
