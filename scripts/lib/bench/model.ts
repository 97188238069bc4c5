/**
 * The words of the measurements: figures, rows, what they are to reach, and the report, which is kept as JSON.
 *
 * @module
 */

/** Who is measured: Java's nodes, ours, those of another binary of ours, or what the machine could do at most. */
export const SIDES = ["java", "other", "rocketd", "limit"] as const;
/** One of {@linkcode SIDES}. */
export type Side = typeof SIDES[number];

/** How a figure is shown, and in which direction it gets better. */
export interface MetricSpec {
  readonly title: string;
  readonly digits: number;
  readonly better: "more" | "less";
}

/** All that a round may find out. */
export const METRICS = {
  rate: { title: "a second", digits: 0, better: "more" },
  mib: { title: "MiB/s", digits: 1, better: "more" },
  p50: { title: "p50 ms", digits: 2, better: "less" },
  p99: { title: "p99 ms", digits: 2, better: "less" },
  p999: { title: "p99.9 ms", digits: 2, better: "less" },
  before: { title: "p99 before", digits: 2, better: "less" },
  worst: { title: "worst p99", digits: 2, better: "less" },
  seconds: { title: "s", digits: 2, better: "less" },
  cpuSeconds: { title: "CPU s", digits: 2, better: "less" },
  cpuMicros: { title: "µs CPU", digits: 1, better: "less" },
  resident: { title: "RSS MiB", digits: 0, better: "less" },
  private: { title: "private MiB", digits: 0, better: "less" },
  disk: { title: "B on disk", digits: 0, better: "less" },
  calls: { title: "calls", digits: 2, better: "less" },
  client: { title: "client cores", digits: 2, better: "less" },
  others: { title: "other cores", digits: 2, better: "less" },
  failed: { title: "failed", digits: 0, better: "less" },
} as const satisfies Record<string, MetricSpec>;

/**
 * A figure's name. `rate`: messages a second, unless the row says otherwise; `p50` and so on: its latencies; `before`
 * and `worst`: p99 of the same before the row's trouble, and of the worst second in it; `seconds`: how long the whole
 * took; `cpuSeconds` and `cpuMicros` (a message): of all processes that serve; `resident` and `private` (RssAnon:
 * without pages of files) likewise; `disk` and `calls`: bytes of the store that came to be allocated and system calls,
 * both a message; `client`: cores that the client was busy with, so that one sees whether it is the limit; `others`:
 * cores that everything else on the machine was busy with, the client's own start included; `failed`: requests that
 * were refused or not answered.
 */
export type Metric = keyof typeof METRICS;

/** What one round found out. */
export type Sample = Partial<Record<Metric, number>>;

/** What a figure is to reach: its ratio to the other side's, or to that of another row of our own. */
export interface Goal {
  readonly metric: Metric;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** A row of ours to compare with, instead of with the other side. */
  readonly against?: string;
}

/** One measurement, made with all sides in turn. `P`: what its chapter has set up for a side. */
export interface Row<P = unknown> {
  readonly name: string;
  /** What is done, in the words of the tables. */
  readonly title: string;
  /** What readers are shown of it, the figure that counts most first; goals besides. */
  readonly shows: readonly Metric[];
  readonly goals?: readonly Goal[];
  /** A row of side "limit": what the machine could do at most. */
  readonly limit?: string;
  /** Whether the first round goes before all others without being counted; so it does unless told otherwise. */
  readonly warms?: boolean;
  /** Rounds at most, where one takes long. */
  readonly rounds?: number;
  /** What a side needs for this row alone, once. */
  prepare?(place: P): Promise<void>;
  /** One round, which lasts for `seconds` where it has no end of its own. */
  measure(place: P, seconds: number): Promise<Sample>;
  /** What would disturb a round, found out in one more of its own. */
  probe?(place: P, seconds: number): Promise<Sample>;
}

/** Rows that need the same nodes: those are started once for each side, and stopped after the last row. */
export interface Chapter<P = unknown> {
  readonly name: string;
  /** Java (or what stands there instead) and ours, unless told otherwise. */
  readonly sides?: readonly Side[];
  /** Whether it is measured only when it is asked for by name. */
  readonly extra?: boolean;
  open(scene: Scene): Promise<P>;
  readonly rows: readonly Row<P>[];
}

/** Where a chapter is opened. */
export interface Scene {
  readonly side: Side;
  readonly options: Options;
  /** Processes that were started for the side, which stand still while others have their turn; some may have ended. */
  readonly processes: { readonly pid: number }[];
  /** What is to be stopped after the chapter. */
  readonly stack: AsyncDisposableStack;
}

/** What the command line says. */
export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  /** How long nodes are loaded before the first row, s. */
  readonly warm: number;
  /** Bytes of stores that rows fill, by which quick tries can be made: 1 is what the row says. */
  readonly scale: number;
  /** Another binary of ours, which stands where Java's nodes do else. */
  readonly beside?: string | undefined;
}

/** What came of a row. */
export interface RowResult {
  /** When it was over, ISO 8601. */
  readonly at: string;
  readonly options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly warm: number;
    readonly scale: number;
  };
  readonly samples: Partial<Record<Side, readonly Sample[]>>;
  /** Why a side has no figures, or fewer. */
  readonly failures: Partial<Record<Side, string>>;
}

/** The whole, by row. */
export interface Report {
  readonly machine: Machine;
  readonly rows: Readonly<Record<string, RowResult>>;
}

/** On what it was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly rocketd: string;
  readonly java: string;
}
