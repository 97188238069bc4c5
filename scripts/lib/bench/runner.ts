/**
 * Makes the rounds: sides in turn, the first of them another one in each round. What fails is written down, and the rest
 * goes on.
 *
 * @module
 */
import { shown } from "./arithmetic.ts";
import { signal } from "./processes.ts";
import type { Chapter, Metric, Options, Row, RowResult, Sample, Side } from "./model.ts";

/** Called with a row when it is over. */
export type Finished = (name: string, result: RowResult) => Promise<void>;

/** A side of a chapter: what was opened for it, or why it could not be. */
interface Stand {
  readonly side: Side;
  readonly processes: readonly { readonly pid: number }[];
  readonly place: unknown;
  readonly failure: string | undefined;
}

/** What a run is made with. */
export interface Running {
  readonly options: Options;
  /** Those that may be measured. */
  readonly sides: readonly Side[];
  readonly say: (text: string) => void;
  /** Called before each round with what came of the side's last, lest what one side left is done in the other's. */
  readonly calm: (last: Sample | undefined) => Promise<void>;
  readonly finished: Finished;
}

/** Measures all rows of some chapters, one chapter after the other. Rejects only when `finished` does. */
export async function measureAll(chapters: readonly Chapter[], running: Running): Promise<void> {
  for (const chapter of chapters) {
    const { sides: own = ["java", "other", "rocketd"] } = chapter;
    const sides = own.filter((side) => running.sides.includes(side));
    if (sides.length > 0) await measureChapter(chapter, sides, running);
  }
}

async function measureChapter(chapter: Chapter, sides: readonly Side[], running: Running): Promise<void> {
  const stack = new AsyncDisposableStack();
  try {
    const stands: Stand[] = [];
    for (const side of sides) {
      running.say(`${chapter.name}: ${side} is made ready`);
      const processes: { readonly pid: number }[] = [];
      const stand = await attempt(() => chapter.open({ side, options: running.options, processes, stack }));
      if (stand.failure !== undefined) running.say(`${chapter.name}: ${side} cannot be made ready: ${stand.failure}`);
      stands.push({ side, processes, place: stand.value, failure: stand.failure });
    }
    for (const row of chapter.rows) await running.finished(row.name, await measureRow(row, stands, running));
  } finally {
    const end = await attempt(() => stack.disposeAsync());
    if (end.failure !== undefined) running.say(`${chapter.name}: at its end: ${end.failure}`);
  }
}

/** All rounds of one row. */
async function measureRow(row: Row, stands: readonly Stand[], { options, say, calm }: Running): Promise<RowResult> {
  const { seconds } = options;
  const rounds = Math.min(options.rounds, row.rounds ?? Infinity);
  const samples: Partial<Record<Side, Sample[]>> = {};
  const failures: Partial<Record<Side, string>> = {};
  for (const { side, failure } of stands) if (failure !== undefined) failures[side] = failure;
  /** One turn of each side that is still there. */
  const turn = async (what: string, order: readonly Stand[], work: (stand: Stand) => Promise<Sample | void>) => {
    for (const stand of order) {
      const { side } = stand;
      if (failures[side] !== undefined) continue;
      const { value, failure } = await alone(stand, stands, () => work(stand));
      if (failure !== undefined) {
        failures[side] = failure;
        say(`${row.name} ${side}: ${failure}`);
      } else if (value) say(`${row.name} ${side} ${what}: ${summary(value, row.shows)}`);
    }
  };
  await turn("", stands, async ({ place }) => await row.prepare?.(place));
  const last: Partial<Record<Side, Sample>> = {};
  const measure = async ({ side, place }: Stand) => {
    await calm(last[side]);
    return last[side] = await row.measure(place, seconds);
  };
  if (row.warms !== false) await turn("(warming)", stands, measure);
  for (let round = 1; round <= rounds; round++) {
    await turn(String(round), round % 2 === 1 ? stands : stands.toReversed(), async (stand) => {
      const sample = await measure(stand);
      (samples[stand.side] ??= []).push(sample);
      return sample;
    });
  }
  await turn("(probe)", stands, async ({ side, place }) => {
    if (row.probe === undefined) return;
    const sample = await row.probe(place, seconds);
    (samples[side] ??= []).push(sample);
    return sample;
  });
  const { warm, scale } = options;
  return { at: new Date().toISOString(), options: { rounds, seconds, warm, scale }, samples, failures };
}

function summary(sample: Sample, shows: readonly Metric[]): string {
  const metrics = shows.some((metric) => metric in sample) ? shows : Object.keys(sample) as Metric[];
  return metrics.flatMap((metric) => {
    const value = sample[metric];
    return value === undefined ? [] : `${metric} ${shown(value, metric)}`;
  }).join(", ");
}

/** Does something for one side while all others stand still: what they do on their own is not to be on its account. */
async function alone<T>(stand: Stand, stands: readonly Stand[], work: () => Promise<T>) {
  const others = stands.filter((one) => one !== stand).flatMap(({ processes }) => processes);
  for (const one of others) signal(one, "SIGSTOP");
  try {
    return await attempt(work);
  } finally {
    for (const one of others) signal(one, "SIGCONT");
  }
}

async function attempt<T>(work: () => Promise<T>): Promise<{ value?: T; failure: string | undefined }> {
  try {
    return { value: await work(), failure: undefined };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}
