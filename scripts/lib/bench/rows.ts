/**
 * All that can be measured, in the order of the tables. A new row is an entry of one of these lists.
 *
 * @module
 */
import { LIFE } from "./life.ts";
import { LIMITS } from "./limits.ts";
import type { Chapter, Row } from "./model.ts";
import { PRODUCERS } from "./producers.ts";
import { READS } from "./reads.ts";
import { REPLICATION } from "./replication.ts";
import { SENDS } from "./sends.ts";

/** All chapters. */
export const CHAPTERS: readonly Chapter[] = [...SENDS, ...READS, ...LIFE, ...REPLICATION, ...PRODUCERS, ...LIMITS];

/** All rows. */
export const ROWS: readonly Row[] = CHAPTERS.flatMap(({ rows }) => rows);

/**
 * The chapters with those of their rows that are wanted: by the name of a row or a chapter, or by how names of rows
 * begin. Without words all that is not extra. Throws when a word means nothing.
 */
export function chosen(words: readonly string[], chapters: readonly Chapter[] = CHAPTERS): Chapter[] {
  if (words.length === 0) return chapters.filter(({ extra }) => !extra);
  const means = (word: string, chapter: Chapter, row: Row) => {
    if (chapter.name === word || row.name === word) return true;
    return !chapter.extra && row.name.startsWith(`${word}-`);
  };
  const unknown = words.find((word) => !chapters.some((one) => one.rows.some((row) => means(word, one, row))));
  if (unknown !== undefined) throw new Error(`there is no row ${unknown}: see scripts/bench list`);
  return chapters
    .map((chapter) => ({
      ...chapter,
      rows: chapter.rows.filter((row) => words.some((word) => means(word, chapter, row))),
    }))
    .filter(({ rows }) => rows.length > 0);
}
