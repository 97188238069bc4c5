/**
 * Tables and records for people: aligned columns, numbers with their units, ISO times.
 *
 * @module
 */
import { type AdminResult, type Cell, type Column, isoTime, type Kind, type Part } from "../client/admin/mod.ts";
import { Permission } from "../protocol/codes.ts";
import { printable } from "./output.ts";

const GAP = "  ";
/** What stands where there is no value. */
const NONE = "-";
const RIGHT: ReadonlySet<Kind> = new Set(["count", "bytes", "ms", "rate", "percent"]);

/** All parts of a result, with a blank line between them. */
export function resultText({ parts, remarks = [] }: AdminResult): string {
  const texts = parts.map((part) => part.form === "table" ? tableText(part) : recordsText(part));
  if (remarks.length > 0) texts.push(remarks.map((remark) => `${printable(remark)}\n`).join(""));
  return texts.join("\n");
}

/** Widest cell of a table, characters; records show all. */
const CELL_WIDTH_MAX = 120;

function shortened(text: string): string {
  return text.length > CELL_WIDTH_MAX ? `${text.slice(0, CELL_WIDTH_MAX - 1)}…` : text;
}

function shownColumns(columns: Part["columns"]): [name: string, column: Column][] {
  return Object.entries(columns).filter(([, { wide }]) => !wide);
}

function tableText({ columns, rows }: Part): string {
  const shown = shownColumns(columns).map(([name, { title, kind }]) => {
    const cells = rows.map((row) => shortened(cellText(kind, row[name] ?? null)));
    const width = cells.reduce((widest, { length }) => Math.max(widest, length), title.length);
    const pad = (cell: string) => RIGHT.has(kind) ? cell.padStart(width) : cell.padEnd(width);
    return [title, ...cells].map(pad);
  });
  const lines = Array.from({ length: rows.length + 1 }, (_, i) => shown.map((cells) => cells[i]!).join(GAP).trimEnd());
  if (rows.length === 0) lines.push("none");
  return `${lines.join("\n")}\n`;
}

function recordsText({ columns, rows }: Part): string {
  const shown = shownColumns(columns);
  const width = Math.max(...shown.map(([, { title }]) => title.length));
  if (rows.length === 0) return "none\n";
  return rows.map((row) =>
    shown.map(([name, { title, kind }]) => {
      const lines = cellText(kind, row[name] ?? null, "\n").split("\n");
      return `${title.padEnd(width)}${GAP}${lines.join(`\n${" ".repeat(width)}${GAP}`)}\n`;
    }).join("")
  ).join("\n");
}

/** A value as people read it. Line breaks stay where `breaks` allows them. */
function cellText(kind: Kind, value: Cell, breaks = ""): string {
  if (value === null || value === "") return NONE;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return printable(value, breaks);
  if (typeof value === "object") {
    const texts = Array.isArray(value) ? value : Object.entries(value).map((entry) => entry.join("="));
    return texts.length === 0 ? NONE : printable(texts.join(", "), breaks);
  }
  switch (kind) {
    case "bytes":
      return bytesText(value);
    case "ms":
      return durationText(value);
    case "rate":
      return `${value.toFixed(2)}/s`;
    case "percent":
      return `${value.toFixed(1)} %`;
    case "perm":
      return permText(value);
    case "time":
      return isoTime(value) ?? NONE;
    default:
      return String(value);
  }
}

const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `17 B`, `1.5 GiB`. */
export function bytesText(bytes: number): string {
  let unit = 0;
  let value = bytes;
  for (; Math.abs(value) >= 1000 && unit < BINARY_UNITS.length - 1; unit++) value /= 2 ** 10;
  return `${unit === 0 ? value : value.toFixed(1)} ${BINARY_UNITS[unit]}`;
}

/** `17 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 0) return NONE;
  if (ms < 1000) return `${Number.isInteger(ms) ? ms : ms.toFixed(2)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms / 1000) % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function permText(perm: number): string {
  return `${perm & Permission.READ ? "R" : ""}${perm & Permission.WRITE ? "W" : ""}` || NONE;
}
