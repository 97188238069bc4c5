/**
 * Numbers as Java reads and compares them: `Integer.valueOf`, `Long.valueOf`, `Double.valueOf` and `Double.compare`,
 * since SQL92 expressions compare them with the text of a property; and as it writes them. (Digits of other scripts, which Java takes too, are
 * not taken.)
 *
 * @module
 */
import { javaTrim } from "./java_trim.ts";

const WHOLE = /^[+-]?[0-9]+$/;
// Behind an optional point, digits are asked for only where it stands: digits that two parts could take would be tried
// out in every division.
const DECIMAL = /^[+-]?(?:NaN|Infinity|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)$/;
const HEX_DECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)[fFdD]?$/;
const LONG_MAX = 2n ** 63n - 1n;
/** Digits of a 64-bit number; more of them count only when they begin with zeros. */
const LONG_DIGITS = 19;

/** A 32-bit number, or undefined. */
export function javaInt(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  const value = Number(text) + 0; // There is no whole -0.
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? value : undefined;
}

/** A 64-bit number, or undefined. */
export function javaLong(text: string): bigint | undefined {
  if (!WHOLE.test(text)) return undefined;
  const digits = text.replace(/^[+-]?0*/, "");
  if (digits.length > LONG_DIGITS) return undefined;
  const size = BigInt(digits);
  if (text.startsWith("-")) return size <= LONG_MAX + 1n ? -size : undefined;
  return size <= LONG_MAX ? size : undefined;
}

/** A 64-bit floating point number, or undefined. */
export function javaDouble(text: string): number | undefined {
  const bare = javaTrim(text);
  if (DECIMAL.test(bare)) {
    if (bare.endsWith("NaN")) return NaN;
    // An Infinity has no suffix, and Number reads the word.
    return Number(bare.endsWith("y") ? bare : bare.replace(/[fFdD]$/, ""));
  }
  const [, sign, whole = "", fraction = "", exponent] = HEX_DECIMAL.exec(bare) ?? [];
  if (exponent === undefined || whole + fraction === "") return undefined;
  const size = Number(`0x${whole}${fraction}`) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === "-" ? -size : size;
}

/** As `Double.toString` writes it. */
export function formatDouble(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return Number.isInteger(value) ? value.toFixed(1) : String(value);
  if (!Number.isFinite(value)) return String(value);
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  return `${digits.includes(".") ? digits : `${digits}.0`}E${exponent.replace("+", "")}`;
}

/** Below, at or above 0 as `a` is below, equal to or above `b`; -0 is below 0, and NaN equals itself above all else. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a !== 0 || Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
