/**
 * SQL92 expressions over message properties, with the grammar of RocketMQ 4.9.7 (SelectorParser.jj):
 *
 *     or          and (OR and)*
 *     and         equality (AND equality)*
 *     equality    comparison ("=" comparison | "<>" comparison | IS NULL | IS NOT NULL)*
 *     comparison  unary ((">" | ">=" | "<" | "<=") unary | NOT? BETWEEN unary AND unary | NOT? IN "(" text ("," text)* ")")*
 *     unary       "+" unary | "-" unary | NOT unary | text | number | TRUE | FALSE | NULL | name | "(" or ")"
 *
 * As in RocketMQ, whatever follows a whole expression is ignored.
 *
 * @module
 */
import { shortened } from "../../errors.ts";
import { SQL_DEPTH_MAX, SQL_PARTS_MAX, SUBSCRIPTION_LENGTH_MAX } from "../../limits.ts";
import { parseProperties, propertyOf } from "../../protocol/properties.ts";
import { SqlLexer, SqlMistake, type Token } from "./sql_lexer.ts";
import * as terms from "./sql_terms.ts";
import type { Ordering, Term, Test, Truth } from "./sql_terms.ts";

export { SqlMistake } from "./sql_lexer.ts";
export { FAILED, type Truth } from "./sql_terms.ts";

/** Names with more characters together than this are many or long: a message's properties are taken apart once for all. */
const SEARCHED_CHARACTERS_MAX = 64;

/** An expression that can be asked of messages. */
export class SqlExpression {
  readonly #names: readonly string[];
  readonly #test: Test;
  readonly #takesApart: boolean;
  /** What was looked up for the current message; undefined: not yet. */
  readonly #values: (string | null | undefined)[];
  #properties = "";
  #all: ReadonlyMap<string, string> | undefined;

  /** `names` are the properties that the test asks for, by their place; `ignored` tells what stands behind it all. */
  constructor(names: readonly string[], test: Test, readonly ignored?: string) {
    this.#names = names;
    this.#test = test;
    this.#takesApart = names.join("").length > SEARCHED_CHARACTERS_MAX;
    this.#values = names.map(() => undefined);
  }

  /** What the expression says of a message with these properties (as text, see properties.ts). */
  evaluate(properties: string): Truth {
    this.#values.fill(undefined);
    this.#properties = properties;
    this.#all = this.#takesApart ? parseProperties(properties) : undefined;
    return this.#test(this.#lookup);
  }

  readonly #lookup = (place: number): string | null => {
    const known = this.#values[place];
    if (known !== undefined) return known;
    const name = this.#names[place]!;
    return this.#values[place] = (this.#all ? this.#all.get(name) : propertyOf(this.#properties, name)) ?? null;
  };
}

/** Reads an expression. Throws `SqlMistake`, which tells the place, for one that RocketMQ would refuse or that is too big. */
export function parseSql(expression: string): SqlExpression {
  if (expression.length > SUBSCRIPTION_LENGTH_MAX) {
    throw new SqlMistake(expression, SUBSCRIPTION_LENGTH_MAX, `more than ${SUBSCRIPTION_LENGTH_MAX} characters`);
  }
  return new Parser(expression).whole();
}

const ORDERINGS: ReadonlySet<string> = new Set<Ordering>(["<", "<=", ">", ">="]);

class Parser {
  readonly #lexer: SqlLexer;
  readonly #names = new Map<string, number>();
  #parts = 0;
  #depth = 0;

  constructor(expression: string) {
    this.#lexer = new SqlLexer(expression);
  }

  whole(): SqlExpression {
    const test = this.#condition(this.#or(), 0);
    const rest = this.#lexer.peek();
    const ignored = rest.kind === "end" ? undefined : this.#mistake(`${shortened(rest.text)} is ignored`, rest.at);
    return new SqlExpression([...this.#names.keys()], test, ignored?.message);
  }

  #or(): Term {
    return this.#joined("OR", () => this.#and(), terms.any);
  }

  #and(): Term {
    return this.#joined("AND", () => this.#equality(), terms.all);
  }

  #joined(keyword: string, part: () => Term, join: (tests: readonly Test[]) => Test): Term {
    let { at } = this.#lexer.peek();
    const first = part();
    if (!this.#isKeyword(keyword)) return first;
    const tests = [this.#condition(first, at)];
    while (this.#isKeyword(keyword)) {
      this.#lexer.next();
      ({ at } = this.#lexer.peek());
      tests.push(this.#condition(part(), at));
    }
    return { kind: "condition", test: join(tests) };
  }

  #equality(): Term {
    let left = this.#comparison();
    while (true) {
      const operator = this.#lexer.peek();
      if (this.#isSign("=") || this.#isSign("<>")) {
        this.#take();
        const right = this.#comparison();
        const test = this.#placed(operator, () => terms.equal(left, right));
        left = { kind: "condition", test: operator.text === "=" ? test : terms.not(test) };
      } else if (this.#isKeyword("IS")) {
        this.#take();
        const negative = this.#isKeyword("NOT");
        if (negative) this.#lexer.next();
        this.#expect("NULL", negative ? "NULL" : "NULL or NOT NULL");
        const test = terms.isNull(left);
        left = { kind: "condition", test: negative ? terms.not(test) : test };
      } else return left;
    }
  }

  #comparison(): Term {
    let left = this.#unary();
    while (true) {
      const operator = this.#lexer.peek();
      if (operator.kind === "sign" && ORDERINGS.has(operator.text)) {
        this.#take();
        const right = this.#unary();
        const test = this.#placed(operator, () => terms.ordered(left, operator.text as Ordering, right));
        left = { kind: "condition", test };
        continue;
      }
      const negative = this.#isKeyword("NOT");
      if (negative) this.#lexer.next();
      if (this.#isKeyword("BETWEEN")) left = { kind: "condition", test: this.#between(left, negative) };
      else if (this.#isKeyword("IN")) left = { kind: "condition", test: this.#in(left, negative) };
      else if (negative) throw this.#unexpected("BETWEEN or IN");
      else return left;
    }
  }

  #between(value: Term, negative: boolean): Test {
    const operator = this.#take();
    const low = this.#unary();
    this.#expect("AND", "AND");
    const high = this.#unary();
    return this.#placed(operator, () => (negative ? terms.notBetween : terms.between)(value, low, high));
  }

  #in(term: Term, negative: boolean): Test {
    const operator = this.#take();
    this.#expect("(", '"("');
    const texts: string[] = [];
    do texts.push(this.#text()); while (this.#isSign(",") && this.#lexer.next());
    this.#expect(")", '"," or ")"');
    const test = this.#placed(operator, () => terms.isIn(term, texts));
    return negative ? terms.not(test) : test;
  }

  #text(): string {
    if (this.#lexer.peek().kind !== "text") throw this.#unexpected("a text in single quotes");
    return unquoted(this.#lexer.next());
  }

  #unary(): Term {
    if (++this.#depth > SQL_DEPTH_MAX) throw this.#mistake(`more than ${SQL_DEPTH_MAX} levels`);
    const term = this.#nested();
    this.#depth--;
    return term;
  }

  #nested(): Term {
    const token = this.#take();
    const { kind, text } = token;
    switch (kind === "sign" || kind === "keyword" ? text : kind) {
      case "+":
        return this.#unary();
      case "-":
        return terms.negated(this.#unary());
      case "NOT": {
        const { at } = this.#lexer.peek();
        return { kind: "condition", test: terms.not(this.#condition(this.#unary(), at)) };
      }
      case "(": {
        const inner = this.#or();
        this.#expect(")", '")"');
        return inner;
      }
      case "TRUE":
        return terms.constant(true);
      case "FALSE":
        return terms.constant(false);
      case "NULL":
        return terms.constant(null);
      case "name":
        return { kind: "property", name: this.#placeOf(text) };
      case "text":
        return { kind: "text", value: unquoted(token) };
      case "whole":
        return this.#placed(token, () => terms.wholeNumber(text));
      case "decimal":
        return this.#placed(token, () => terms.floatingNumber(text));
      default:
        throw this.#unexpected("a value", token);
    }
  }

  #placeOf(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    this.#names.set(name, this.#names.size);
    return this.#names.size - 1;
  }

  /** Takes a value or an operator, of which an expression may have so many. */
  #take(): Token {
    if (++this.#parts > SQL_PARTS_MAX) throw this.#mistake(`more than ${SQL_PARTS_MAX} values and operators`);
    return this.#lexer.next();
  }

  #isKeyword(text: string): boolean {
    const token = this.#lexer.peek();
    return token.kind === "keyword" && token.text === text;
  }

  #isSign(text: string): boolean {
    const token = this.#lexer.peek();
    return token.kind === "sign" && token.text === text;
  }

  #expect(text: string, shown: string): void {
    if (!this.#isKeyword(text) && !this.#isSign(text)) throw this.#unexpected(shown);
    this.#lexer.next();
  }

  #condition(term: Term, at: number): Test {
    return this.#placed({ at }, () => terms.conditionOf(term));
  }

  /** Adds the place to what a term has to complain of. */
  #placed<T>({ at }: Pick<Token, "at">, make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw error instanceof terms.Misplaced ? this.#mistake(error.message, at) : error;
    }
  }

  #unexpected(expected: string, token = this.#lexer.peek()): SqlMistake {
    const found = token.kind === "end" ? "the end" : token.kind === "text" ? token.text : `"${token.text}"`;
    return this.#mistake(`found ${shortened(found)}, expected ${expected},`, token.at);
  }

  #mistake(what: string, at = this.#lexer.peek().at): SqlMistake {
    return new SqlMistake(this.#lexer.expression, at, what);
  }
}

function unquoted({ text }: Token): string {
  return text.slice(1, -1).replaceAll("''", "'");
}
