/**
 * What an administrator's command gives back: tables and records of plain values whose columns are declared once, so
 * that a terminal shows units and alignment, and scripts get names and raw numbers.
 *
 * @module
 */

/**
 * What a column holds. `bytes`, `ms` (a duration) and `rate` (a second) are numbers that people see with their unit;
 * `time` is ms since 1970, which leaves as ISO 8601 in UTC; `percent` is a number up to 100; `perm` are bits of
 * `Permission`, shown as RW; `texts` is a list, `map` texts by their names.
 */
export interface KindTypes {
  text: string;
  count: number;
  bytes: number;
  ms: number;
  rate: number;
  percent: number;
  perm: number;
  time: number;
  flag: boolean;
  texts: readonly string[];
  map: Readonly<Record<string, string>>;
}
export type Kind = keyof KindTypes;

/** A value of a cell; null where there is none. */
export type Cell = KindTypes[Kind] | null;

/** A column: what people read above it, and what it holds. */
export interface Column<K extends Kind = Kind> {
  readonly title: string;
  readonly kind: K;
  /** Only scripts get it: people have no room for it. */
  readonly wide?: boolean;
}
/** Columns by their name in JSON, in their order on the screen. */
export type Columns = Readonly<Record<string, Column>>;
/** One row of a table with these columns. */
export type Row<C extends Columns> = { readonly [N in keyof C]: KindTypes[C[N]["kind"]] | null };

/** Rows, or one record, with what their columns are. */
export interface Part {
  /** Its name in JSON. */
  readonly name: string;
  readonly columns: Columns;
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  /** People read rows one below the other in columns, or each (there may be but one) from top to bottom. */
  readonly form: "table" | "record" | "records";
}

/** A peer that did not answer, or refused. */
export interface Failure {
  /** Broker name, or "nameserver". */
  readonly name: string;
  readonly address: string;
  readonly reason: string;
}

/** What a command found or did. Failures hide nothing of what others answered. */
export interface AdminResult {
  readonly parts: readonly Part[];
  readonly failures: readonly Failure[];
  /** One JSON document instead of parts. */
  readonly document?: unknown;
  /** What a person may want to know besides; no data. */
  readonly remarks?: readonly string[];
}

/** A column of a kind. */
export function column<K extends Kind>(title: string, kind: K): Column<K> {
  return { title, kind };
}

/** A column that only scripts get. */
export function wide<K extends Kind>(kind: K): Column<K> {
  return { title: "", kind, wide: true };
}

/** Declares a table; call it with its rows. */
export function table<C extends Columns>(name: string, columns: C): (rows: readonly Row<C>[]) => Part {
  return (rows) => ({ name, columns, rows, form: "table" });
}

/** Declares a table whose rows people read from top to bottom, since each has much to say. */
export function records<C extends Columns>(name: string, columns: C): (rows: readonly Row<C>[]) => Part {
  return (rows) => ({ name, columns, rows, form: "records" });
}

/** Declares a record; call it with its values. */
export function record<C extends Columns>(name: string, columns: C): (values: Row<C>) => Part {
  return (values) => ({ name, columns, rows: [values], form: "record" });
}

/** A result of these parts. */
export function result(parts: Part | readonly Part[], failures: readonly Failure[] = []): AdminResult {
  return { parts: "rows" in parts ? [parts] : parts, failures };
}

/** Each peer that failed once, however often it was asked. */
export function onceEach(failures: readonly Failure[]): Failure[] {
  return [...new Map(failures.map((failure) => [`${failure.name} ${failure.address}`, failure])).values()];
}

/** A result as JSON: each part by its name (a table as a list of objects), and `failures`. Times are ISO 8601. */
export function resultData({ parts, failures, document }: AdminResult): Record<string, unknown> {
  if (document !== undefined) return { document, failures };
  const entries = parts.map(({ name, columns, rows, form }) => {
    const data = rows.map((row) => rowData(columns, row));
    return [name, form === "record" ? data[0] : data] as const;
  });
  return { ...Object.fromEntries(entries), failures };
}

function rowData(columns: Columns, row: Readonly<Record<string, Cell>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { kind }]) => [name, cellData(kind, row[name] ?? null)]),
  );
}

function cellData(kind: Kind, value: Cell): Cell {
  return kind === "time" && typeof value === "number" ? isoTime(value) : value;
}

/** ISO 8601 in UTC; null for what RocketMQ writes where there is no time (0 and below), or for none at all. */
export function isoTime(ms: number): string | null {
  const date = new Date(ms);
  return ms > 0 && !Number.isNaN(date.getTime()) ? date.toISOString() : null;
}
