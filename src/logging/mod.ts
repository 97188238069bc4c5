/**
 * Log lines on standard error: `2026-11-23T10:00:00.000Z INFO store message {props}`; for systemd's journal with the
 * level in front, as sd-daemon has it.
 *
 * @module
 */
import { configureSync, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import { LOG_LINE_LENGTH_MAX } from "../limits.ts";

/** What is logged: a level and all more serious ones. */
export type Level = "trace" | "debug" | "info" | "warn" | "error";

const COLORS: Readonly<Record<LogRecord["level"], string>> = {
  trace: "\x1b[2m",
  debug: "\x1b[2m",
  info: "\x1b[32m",
  warning: "\x1b[33m",
  error: "\x1b[31m",
  fatal: "\x1b[31m",
};

/** Levels as the journal knows them. */
const JOURNAL_LEVELS: Readonly<Record<LogRecord["level"], number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warning: 4,
  error: 3,
  fatal: 2,
};

/** The logger of one area of rocketd, such as "store". */
export function logger(area: string): Logger {
  return getLogger(["rocketd", area]);
}

/** How lines look, once `setup` was called. */
let style: { readonly color: boolean; readonly journal: boolean } | undefined;

/** Starts logging to standard error, or anew. Colour is for terminals, without NO_COLOR. */
export async function setup(options: { level: Level; color?: boolean }): Promise<void> {
  const color = options.color ?? (Deno.stderr.isTerminal() && !Deno.noColor);
  style = { color, journal: await isJournal() };
  setLevel(options.level);
}

/**
 * Logs this level from now on, where {@linkcode setup} began the log: what a program that rocketd is a part of logs is up
 * to that program. All in one step: two changes at a time would leave every line there twice.
 */
export function setLevel(level: Level): void {
  if (style === undefined) return;
  const { color, journal } = style;
  configureSync({
    reset: true,
    sinks: {
      stderr: (record) => writeLine((journal ? `<${JOURNAL_LEVELS[record.level]}>` : "") + lineOf(record, color)),
    },
    loggers: [
      {
        category: "rocketd",
        lowestLevel: level === "warn" ? "warning" : level,
        sinks: ["stderr"],
      },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
}

/** Whether standard error leads to the journal: JOURNAL_STREAM is inherited by those that write elsewhere, too. */
async function isJournal(): Promise<boolean> {
  const stream = Deno.env.get("JOURNAL_STREAM");
  if (stream === undefined) return false;
  try {
    const { dev, ino } = await Deno.stat("/proc/self/fd/2");
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** One record as one line; what came from outside cannot start another line, move the cursor or fill the disk. */
export function lineOf(record: LogRecord, color: boolean): string {
  const level = record.level === "warning" ? "WARN" : record.level.toUpperCase();
  const area = record.category.slice(record.category[0] === "rocketd" ? 1 : 0).join(".") || "rocketd";
  const message = record.message.map((part, index) => index % 2 === 0 ? String(part) : shown(part)).join("");
  const template = typeof record.rawMessage === "string" ? record.rawMessage : "";
  const rest = Object.entries(record.properties)
    .filter(([name]) => !template.includes(`{${name}}`))
    .map(([name, value]) => `${name}: ${shown(value)}`);
  const props = rest.length === 0 ? "" : ` {${rest.join(", ")}}`;
  const shade = color ? `${COLORS[record.level]}${level}\x1b[0m` : level;
  return `${new Date(record.timestamp).toISOString()} ${shade} ${oneLine(`${area} ${message}${props}`)}\n`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ?? String(value);
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner);
  } catch {
    return String(value);
  }
}

function oneLine(text: string): string {
  const cut = text.length > LOG_LINE_LENGTH_MAX ? `${text.slice(0, LOG_LINE_LENGTH_MAX)}…` : text;
  // deno-lint-ignore no-control-regex -- they are what this is about
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    return char === "\n" ? "\\n" : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

const encoder = new TextEncoder();

function writeLine(line: string): void {
  let bytes = encoder.encode(line);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // Nobody reads standard error any more: there is nowhere to say so.
  }
}
