/**
 * Java's `String.hashCode`, which RocketMQ writes to disk and into subscriptions.
 *
 * @module
 */

/** The hash of a text over its UTF-16 units, as a signed 32-bit number; 0 for the empty text. */
export function javaHashCode(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}
