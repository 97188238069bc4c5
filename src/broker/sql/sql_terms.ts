/**
 * The meaning of SQL92 expressions: RocketMQ 4.9.7's filter/expression. What a part of an expression can be is known
 * when it is parsed, since properties are always text; so each comparison is settled then, and what is left to do for a
 * message is to look up its properties and compare.
 *
 * | comparison of | is done |
 * | --- | --- |
 * | property and number | by the property's text read as a number of the number's own type: 32 bits, 64 bits, or floating point |
 * | numbers | in the wider of their types |
 * | texts | with = and <> as texts; with < and its like, of two properties, as floating point numbers |
 * | property, then boolean | by whether the text is "true" in any case |
 * | number and boolean | never equal |
 *
 * What cannot be compared (text that is no number of that type; a boolean followed by a text) fails the evaluation, and
 * a message whose evaluation fails is not wanted. A property that a message does not have is NULL, and so is a
 * comparison with one; but `left = right` is false when only the right one is NULL, and true when both are.
 *
 * @module
 */
import { shortened } from "../../errors.ts";
import { compareDoubles, javaDouble, javaInt, javaLong } from "../../protocol/java_numbers.ts";

/** The evaluation failed: no message is wanted then, whatever stands around this part. */
export const FAILED = Symbol("failed");
/** What a condition says of a message: it holds, does not hold, is unknown, or cannot be told. */
export type Truth = boolean | null | typeof FAILED;
/** Gives the property of a place in the expression's list of names, null when the message does not have it. */
export type Lookup = (name: number) => string | null;
/** A condition. */
export type Test = (properties: Lookup) => Truth;

type Value = string | number | bigint | boolean | null;
type NumberKind = "int" | "long" | "double";

/** A part of an expression. */
export type Term =
  /** A property; `name` is its place in the expression's list of names. */
  | { readonly kind: "property"; readonly name: number }
  | { readonly kind: "text"; readonly value: string }
  /** A number; one with a minus before it counts as computed, not as constant. */
  | { readonly kind: NumberKind; readonly value: number | bigint; readonly constant: boolean }
  /** A condition, or TRUE, FALSE, NULL. */
  | { readonly kind: "condition"; readonly test: Test; readonly constant?: boolean | null }
  /** A minus before what is no number: NULL, once the rest could be evaluated. */
  | { readonly kind: "nothing"; readonly test: Test };

/** A term that cannot stand where it stands; the parser adds where. */
export class Misplaced extends Error {
  override readonly name = "Misplaced";
}

/** `TRUE`, `FALSE`, `NULL`. */
export function constant(value: boolean | null): Term {
  return { kind: "condition", test: () => value, constant: value };
}

/** A whole number as written. */
export function wholeNumber(text: string): Term {
  const value = javaLong(text.replace(/[lL]$/, ""));
  if (value === undefined) throw new Misplaced(`${shortened(text)} is greater than ${2n ** 63n - 1n}`);
  const int = javaInt(String(value));
  return int === undefined ? { kind: "long", value, constant: true } : { kind: "int", value: int, constant: true };
}

/** A floating point number as written. */
export function floatingNumber(text: string): Term {
  const value = Number(text);
  if (value === Infinity) throw new Misplaced(`${shortened(text)} is greater than ${Number.MAX_VALUE}`);
  // RocketMQ's smallest is Double.MIN_VALUE, so that 0.0 is none.
  if (value === 0) throw new Misplaced(`${shortened(text)} is less than ${Number.MIN_VALUE}, write 0`);
  return { kind: "double", value, constant: true };
}

/** `-term` */
export function negated(term: Term): Term {
  switch (term.kind) {
    case "property":
    case "text":
      return { kind: "nothing", test: () => null };
    case "condition":
    case "nothing": {
      const { test } = term;
      return { kind: "nothing", test: (properties) => test(properties) === FAILED ? FAILED : null };
    }
    case "int":
      return { kind: "int", value: 0 - Number(term.value), constant: false };
    default:
      return { kind: term.kind, value: -term.value, constant: false };
  }
}

/** The term as a condition. A property alone never holds: its value is text, not a boolean. */
export function conditionOf(term: Term): Test {
  if (term.kind === "condition") return term.test;
  if (term.kind !== "property") throw new Misplaced("this is not a condition that holds or does not");
  const { name } = term;
  return (properties) => properties(name) === null ? null : false;
}

/** `NOT test` */
export function not(test: Test): Test {
  return (properties) => {
    const truth = test(properties);
    return typeof truth === "boolean" ? !truth : truth;
  };
}

/** `test AND test …`: ends at the first that does not hold. */
export function all(tests: readonly Test[]): Test {
  return chain(tests, false);
}

/** `test OR test …`: ends at the first that holds. */
export function any(tests: readonly Test[]): Test {
  return chain(tests, true);
}

function chain(tests: readonly Test[], decisive: boolean): Test {
  return (properties) => {
    let unknown = false;
    for (const test of tests) {
      const truth = test(properties);
      if (truth === decisive || truth === FAILED) return truth;
      if (truth === null) unknown = true;
    }
    return unknown ? null : !decisive;
  };
}

/** `property IN (texts)` */
export function isIn(term: Term, texts: readonly string[]): Test {
  if (term.kind !== "property") throw new Misplaced("IN needs the name of a property before it");
  const { name } = term;
  const wanted = new Set(texts);
  return (properties) => {
    const text = properties(name);
    return text === null ? null : wanted.has(text);
  };
}

/** `term IS NULL` */
export function isNull(term: Term): Test {
  const value = valueOf(term);
  return (properties) => {
    const found = value(properties);
    return found === FAILED ? FAILED : found === null;
  };
}

/** `left = right` */
export function equal(left: Term, right: Term): Test {
  for (const term of [left, right]) {
    if (term.kind === "condition" && term.constant === null) {
      throw new Misplaced("NULL cannot be compared, use IS NULL");
    }
  }
  if (isConstant(left) && left.kind === "condition" && isConstant(right) && right.kind !== "condition") {
    throw new Misplaced("TRUE or FALSE cannot be compared with another constant that follows it");
  }
  const [leftOf, rightOf] = [valueOf(left), valueOf(right)];
  const compare = bothTexts(left, right) ? compareTexts : comparisonOf(left, right);
  return (properties) => {
    const a = leftOf(properties);
    if (a === FAILED) return FAILED;
    const b = rightOf(properties);
    if (b === FAILED) return FAILED;
    if (a === null) return b === null ? true : null;
    if (b === null) return false;
    const order = compare(a, b);
    return order === undefined ? FAILED : order === 0;
  };
}

/** The comparisons that need an order. */
export type Ordering = "<" | "<=" | ">" | ">=";

const HOLDS: Readonly<Record<Ordering, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/** `left < right` and the others. */
export function ordered(left: Term, sign: Ordering, right: Term): Test {
  checkOrderable(left, sign);
  checkOrderable(right, sign);
  const [leftOf, rightOf] = [valueOf(left), valueOf(right)];
  const compare = bothTexts(left, right) ? compareAsDoubles : comparisonOf(left, right);
  const holds = HOLDS[sign];
  return (properties) => {
    const a = leftOf(properties);
    if (a === FAILED || a === null) return a;
    const b = rightOf(properties);
    if (b === FAILED || b === null) return b;
    const order = compare(a, b);
    return order === undefined ? FAILED : holds(order);
  };
}

/**
 * `value BETWEEN low AND high`; two constants must be in order. A value that is always NULL is evaluated once, not for
 * each bound, since such values can be nested.
 */
export function between(value: Term, low: Term, high: Term): Test {
  const inOrder = all([ordered(value, ">=", low), ordered(value, "<=", high)]);
  if (isConstant(low) && isConstant(high) && comparisonOf(low, high)(constantOf(low), constantOf(high))! > 0) {
    throw new Misplaced("the bounds of BETWEEN must be in order, the smaller first");
  }
  return value.kind === "nothing" ? value.test : inOrder;
}

/** `value NOT BETWEEN low AND high` */
export function notBetween(value: Term, low: Term, high: Term): Test {
  const outside = any([ordered(value, "<", low), ordered(value, ">", high)]);
  return value.kind === "nothing" ? value.test : outside;
}

function checkOrderable(term: Term, sign: Ordering): void {
  const what = term.kind === "text" ? "a text" : term.kind === "condition" ? "a condition or TRUE, FALSE, NULL" : "";
  if (what !== "") throw new Misplaced(`${what} cannot be compared by ${sign}, only numbers and properties can`);
}

function isConstant(term: Term): boolean {
  return term.kind === "text" || ("constant" in term && (term.kind === "condition" || term.constant));
}

function constantOf(term: Term): Exclude<Value, null> {
  return "value" in term ? term.value : true;
}

function isText(term: Term): boolean {
  return term.kind === "property" || term.kind === "text";
}

function bothTexts(left: Term, right: Term): boolean {
  return isText(left) && isText(right);
}

function valueOf(term: Term): (properties: Lookup) => Value | typeof FAILED {
  switch (term.kind) {
    case "property": {
      const { name } = term;
      return (properties) => properties(name);
    }
    case "condition":
    case "nothing":
      return term.test;
    default: {
      const { value } = term;
      return () => value;
    }
  }
}

/** Below, at or above 0; undefined when the two cannot be compared. */
type Comparison = (a: Exclude<Value, null>, b: Exclude<Value, null>) => number | undefined;

const compareTexts: Comparison = (a, b) => a === b ? 0 : 1;
const compareAsDoubles: Comparison = (a, b) => orderOf(javaDouble(a as string), javaDouble(b as string));
const neverEqual: Comparison = () => -1;
const impossible: Comparison = () => undefined;

/** How the values of two terms compare that are not both texts. */
function comparisonOf(left: Term, right: Term): Comparison {
  if (left.kind === "nothing" || right.kind === "nothing") return impossible; // Their values are NULL.
  if (left.kind === "condition") {
    if (isText(right)) return impossible;
    return right.kind === "condition" ? (a, b) => Number(a) - Number(b) : neverEqual;
  }
  if (right.kind === "condition") {
    return isText(left) ? (a, b) => ((a as string).toLowerCase() === "true") === b ? 0 : 1 : neverEqual;
  }
  if (isText(left)) return textWith(right.kind as NumberKind);
  if (isText(right)) {
    const swapped = textWith(left.kind as NumberKind);
    return (a, b) => {
      const order = swapped(b, a);
      return order === undefined ? undefined : -order;
    };
  }
  return left.kind === "double" || right.kind === "double"
    ? (a, b) => compareDoubles(Number(a), Number(b))
    : (a, b) => a < b ? -1 : a > b ? 1 : 0;
}

/** Compares a text with a number of a type: the text must be of that type too. */
function textWith(kind: NumberKind): Comparison {
  const read = { int: javaInt, long: javaLong, double: javaDouble }[kind];
  return (a, b) => orderOf(read(a as string), b as number | bigint);
}

function orderOf(a: number | bigint | undefined, b: number | bigint | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number") return compareDoubles(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}
