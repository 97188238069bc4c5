/**
 * Java's String.hashCode, which names a message's tag in the consume queue and its keys in the index.
 *
 * @module
 */

/**
 * `String.hashCode` of a text: h = 31 * h + unit over its UTF-16 units, in 32 signed bits.
 *
 * @param from first unit to take
 * @param to unit to stop before
 * @param seed hash of a text that stands before this one, so that a joined text need not be built
 *
 * @example
 * ```ts
 * javaHash("TagA"); // 2598919
 * ```
 */
export function javaHash(text: string, from = 0, to = text.length, seed = 0): number {
  let hash = seed;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The index's hash out of a `String.hashCode`: its absolute value, 0 for -2^31 (RocketMQ's IndexFile). */
export function indexHash(hash: number): number {
  return hash === -0x8000_0000 ? 0 : Math.abs(hash);
}

/** The hash of an index key's text up to the key itself: topic and `#`. */
export function keySeedOf(topic: string): number {
  return javaHash("#", 0, 1, javaHash(topic));
}
