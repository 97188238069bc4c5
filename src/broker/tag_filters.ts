/**
 * Tag expressions (`FilterAPI.buildSubscriptionData` 4.9.7): `*`, or tags joined by `||`. The broker compares hash
 * codes at the queue entry; the client looks at the tag itself.
 *
 * @module
 */
import { shortened } from "../errors.ts";
import { TAG_FILTER_KEPT_LENGTH_MAX, TAG_FILTERS_KEPT_MAX } from "../limits.ts";
import { javaHash } from "../protocol/java_hash.ts";
import { javaTrim } from "../protocol/java_trim.ts";
import { isExtAddress } from "../store/queue_entries.ts";
import type { MessageFilter } from "../store/types.ts";

/** Why RocketMQ reads no tags out of an expression; undefined when it does. */
export function tagsProblem(expression: string): string | undefined {
  return /^(?:\|\|)+$/.test(expression)
    ? `the subscription is made of bars alone: ${shortened(expression)}`
    : undefined;
}

/** Filters by expression, made once; the newest few thousand of short expressions are kept. */
export class TagFilters {
  readonly #made = new Map<string, MessageFilter | undefined>();

  /** The filter of an expression; undefined wants everything. */
  of(expression: string): MessageFilter | undefined {
    if (expression.length > TAG_FILTER_KEPT_LENGTH_MAX) return tagFilter(expression);
    if (this.#made.has(expression)) return this.#made.get(expression);
    const filter = tagFilter(expression);
    if (this.#made.size >= TAG_FILTERS_KEPT_MAX) this.#made.clear();
    this.#made.set(expression, filter);
    return filter;
  }
}

/** The filter of one tag expression; undefined wants everything. Blanks alone name no tag, and want nothing. */
export function tagFilter(expression: string): MessageFilter | undefined {
  if (expression === "*" || expression === "") return undefined;
  const tags = expression.split("||").map(javaTrim).filter((tag) => tag !== "");
  if (tags.length === 0) return { entry: () => false };
  const codes = new Set(tags.map((tag) => javaHash(tag)));
  return { entry: (tagsCode) => codes.has(tagsCode) || isExtAddress(tagsCode) };
}
