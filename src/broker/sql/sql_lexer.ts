/**
 * The words of an SQL92 expression (tokens of RocketMQ 4.9.7's SelectorParser). They are read one at a time and only as
 * far as the parser asks: what stands behind a whole expression is not even looked at, as in RocketMQ.
 *
 *     number   0 | [1-9][0-9]* [lL]?              whole number
 *              digits "." digits? exponent? | "." digits exponent? | digits exponent
 *     text     ' … ' with '' for a quote
 *     name     [A-Za-z_$][A-Za-z0-9_$]*           keywords in any case
 *     sign     = <> > >= < <= ( ) , + -
 *     space    blanks, line ends, -- to the end of a line that has one, block comments
 *
 * @module
 */

/** What a word is; `end` stands behind the last one. */
export type TokenKind = "keyword" | "name" | "text" | "whole" | "decimal" | "sign" | "end";

/** One word; `text` is as written but for keywords, which are in capitals. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Index of its first character in the expression. */
  readonly at: number;
}

/** A mistake in an expression; the message tells line and column, both from 1. */
export class SqlMistake extends Error {
  override readonly name = "SqlMistake";

  constructor(expression: string, at: number, what: string) {
    const before = expression.slice(0, at).split(/\r\n|\r|\n/);
    super(`${what} at line ${before.length}, column ${before.at(-1)!.length + 1}`);
  }
}

const KEYWORDS: ReadonlySet<string> = new Set(["NOT", "AND", "OR", "BETWEEN", "IN", "TRUE", "FALSE", "NULL", "IS"]);

const SPACE = /(?:[ \t\n\r\f]|\/\*[^*]*\*(?:[^*/][^*]*\*|\*)*\/)*/y;
const LINE_COMMENT = /--[^\n\r]*[\n\r]/y;
const WORDS: readonly (readonly [kind: TokenKind, pattern: RegExp])[] = [
  ["name", /[A-Za-z_$][A-Za-z0-9_$]*/y],
  ["decimal", /(?:[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)/y],
  ["whole", /(?:0|[1-9][0-9]*[lL]?)/y],
  ["text", /'(?:''|[^'])*'/y],
  ["sign", /(?:<>|>=|<=|[=<>(),+-])/y],
];

/** Reads an expression word by word. */
export class SqlLexer {
  #at = 0;
  #peeked: Token | undefined;
  readonly #lastLineEnd: number;

  constructor(readonly expression: string) {
    this.#lastLineEnd = Math.max(expression.lastIndexOf("\n"), expression.lastIndexOf("\r"));
  }

  /** The next word, which stays the next one. Throws `SqlMistake` for characters that make no word. */
  peek(): Token {
    return this.#peeked ??= this.#read();
  }

  /** The next word. */
  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  #read(): Token {
    // Without a line end ahead nobody searches for one: the work stays in proportion to the length.
    do this.#match(SPACE); while (this.#at < this.#lastLineEnd && this.#match(LINE_COMMENT) !== undefined);
    const at = this.#at;
    if (at >= this.expression.length) return { kind: "end", text: "", at };
    for (const [kind, pattern] of WORDS) {
      const text = this.#match(pattern);
      if (text === undefined) continue;
      const capitals = text.toUpperCase();
      if (kind === "name" && KEYWORDS.has(capitals)) return { kind: "keyword", text: capitals, at };
      return { kind, text, at };
    }
    const shown = this.expression[at] === "'" ? "a text without its closing quote" : this.#shown(at);
    throw new SqlMistake(this.expression, at, `cannot read ${shown}`);
  }

  #shown(at: number): string {
    return JSON.stringify(String.fromCodePoint(this.expression.codePointAt(at)!));
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.expression)?.[0];
    if (text !== undefined) this.#at = pattern.lastIndex;
    return text;
  }
}
