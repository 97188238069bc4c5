/**
 * Java's String.trim, which RocketMQ reads tags and numbers with. JavaScript's own takes other characters for blanks.
 *
 * @module
 */

const BLANK = 0x20;

/** A text without the blanks and control characters (up to U+0020, no others) around it. */
export function javaTrim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= BLANK) start++;
  while (end > start && text.charCodeAt(end - 1) <= BLANK) end--;
  return text.slice(start, end);
}
