/**
 * Settings as they travel: `name=value` lines, which Java reads and writes as properties.
 *
 * @module
 */
import { escapeProperty, unescapeProperty } from "../../config/mod.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The lines of an answer as rows, by key. */
export function settingRows(body: Uint8Array): { key: string; value: string }[] {
  return decoder.decode(body).split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#")).map((line) => {
    const equals = line.indexOf("=");
    if (equals < 0) return { key: line, value: "" };
    return { key: line.slice(0, equals), value: unescapeProperty(line.slice(equals + 1)) };
  }).sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** One setting as a body. */
export function settingText(key: string, value: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${key}=${escapeProperty(value)}\n`);
}
