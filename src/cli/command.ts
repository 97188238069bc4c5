/**
 * What a command of `rocketd` is: a table entry with its flags as data, from which reading, checking and help come.
 *
 * @module
 */
import { nearest } from "../config/mod.ts";

/** A flag; without `value` it is a switch. */
export interface Flag {
  readonly name: string;
  /** One letter, as mqadmin has it. */
  readonly short?: string;
  /** Other long names, which the help does not show. */
  readonly aliases?: readonly string[];
  /** The words that its value can be, for completion. */
  readonly words?: readonly string[];
  /** What its value is called in the help: `FILE`. */
  readonly value?: string;
  readonly help: string;
  /** May be given several times. */
  readonly repeats?: boolean;
  readonly required?: boolean;
}

/** A command such as `rocketd produce`. */
export interface Command {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What follows its name besides flags, such as `FILE`; without it the command takes nothing. */
  readonly operands?: string;
  readonly flags: readonly Flag[];
  /** Paragraphs below the flags in `--help`. */
  readonly notes?: readonly string[];
  /** Does it and gives the exit code. Throws {@linkcode UsageError} for what only it can check. */
  readonly run: (args: Args) => number | Promise<number>;
}

/** A command with commands of its own such as `rocketd admin`; their names begin with its own. */
export interface CommandGroup {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly sections: readonly { readonly title: string; readonly commands: readonly Command[] }[];
  readonly notes?: readonly string[];
  /** The command that a name stands for. */
  readonly find: (name: string) => Command | undefined;
}

/** A command line that cannot be used: one line on stderr, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The flags and operands that a command was given. */
export class Args {
  constructor(
    readonly operands: readonly string[],
    private readonly values: ReadonlyMap<string, readonly string[]>,
  ) {}

  /** Whether a switch, or any flag, was given. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  /** All values of a flag that repeats. */
  all(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  /** The value of a flag. */
  text(name: string): string | undefined {
    return this.values.get(name)?.at(-1);
  }

  /** The value of a flag that is whole and within bounds; throws {@linkcode UsageError} for any other. */
  int(
    name: string,
    { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new UsageError(`--${name} ${JSON.stringify(text)}: expected a whole number ${range}`);
  }
}

/** Reads a command's arguments by its flags; throws {@linkcode UsageError} naming what is wrong and what is allowed. */
export function readArgs(command: Pick<Command, "flags" | "operands">, args: readonly string[]): Args {
  const operands: string[] = [];
  const values = new Map<string, string[]>();
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (!/^-./.test(arg)) {
      operands.push(arg);
      continue;
    }
    const [, spelling, equals, inline] = /^([^=]*)(=?)(.*)$/s.exec(arg)!;
    const flag = findFlag(command.flags, spelling!);
    if (flag.value === undefined && equals !== "") throw new UsageError(`${spelling} takes no value`);
    const value = flag.value === undefined ? "" : equals !== "" ? inline : args[++at];
    if (value === undefined) throw new UsageError(`${spelling} needs a value: ${spelling} ${flag.value}`);
    const given = values.get(flag.name) ?? [];
    if (given.length > 0 && flag.value !== undefined && !flag.repeats) {
      throw new UsageError(`${spelling} is given twice`);
    }
    values.set(flag.name, [...given, value]);
  }
  if (command.operands === undefined && operands.length > 0) {
    throw new UsageError(`unexpected argument ${JSON.stringify(operands[0])}`);
  }
  for (const { name, value, required } of command.flags) {
    if (required && !values.has(name)) throw new UsageError(`--${name} ${value ?? ""} is missing`.replace("  ", " "));
  }
  return new Args(operands, values);
}

function findFlag(flags: readonly Flag[], spelling: string): Flag {
  const found = flags.find(({ name, short, aliases = [] }) =>
    spelling === `-${short}` || [name, ...aliases].some((one) => spelling === `--${one}`)
  );
  if (found) return found;
  const guess = nearest(spelling, flags.map(({ name }) => `--${name}`));
  const known = flags.map(({ name }) => `--${name}`).join(", ");
  throw new UsageError(`unknown flag ${spelling}: ${guess ? `did you mean ${guess}?` : `expected one of ${known}`}`);
}
