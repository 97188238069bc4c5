/**
 * Filters of SQL92 expressions, read once. They look into the records, of which only the properties are decoded.
 *
 * @module
 */
import { SQL_KEPT_CHARACTERS_MAX, SQL_KEPT_MAX } from "../limits.ts";
import { recordProperties } from "../protocol/message_record.ts";
import type { MessageFilter } from "../store/types.ts";
import { parseSql, type SqlExpression } from "./sql/sql.ts";

/** An expression and the filter that it makes. */
export interface SqlFilter {
  readonly expression: SqlExpression;
  readonly filter: MessageFilter;
}

/** Filters by expression; those used last are kept, up to a number and a length of all of them. */
export class SqlFilters {
  /** In the order of their last use. */
  readonly #kept = new Map<string, SqlFilter>();
  #characters = 0;

  /** The filter of an expression. Throws `SqlMistake`. */
  of(text: string): SqlFilter {
    const kept = this.#kept.get(text);
    if (kept !== undefined) {
      this.#kept.delete(text);
      this.#kept.set(text, kept);
      return kept;
    }
    const made = sqlFilter(parseSql(text));
    this.#kept.set(text, made);
    this.#characters += text.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= SQL_KEPT_MAX && this.#characters <= SQL_KEPT_CHARACTERS_MAX) break;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
    return made;
  }
}

function sqlFilter(expression: SqlExpression): SqlFilter {
  return { expression, filter: { record: (record) => expression.evaluate(recordProperties(record)) === true } };
}
