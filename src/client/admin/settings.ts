/**
 * Settings as they travel: `name=value` lines, which Java reads and writes as properties.
 *
 * @module
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The lines of an answer as rows, by key. */
export function settingRows(body: Uint8Array): { key: string; value: string }[] {
  return decoder.decode(body).split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#")).map((line) => {
    const equals = line.indexOf("=");
    return equals < 0 ? { key: line, value: "" } : { key: line.slice(0, equals), value: line.slice(equals + 1) };
  }).sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** One setting as a body; backslashes and line breaks are written as `Properties.load` reads them. */
export function settingText(key: string, value: string): Uint8Array<ArrayBuffer> {
  const escaped = value.replace(/[\\\n\r]/g, (special) => ({ "\\": "\\\\", "\n": "\\n", "\r": "\\r" })[special]!);
  return encoder.encode(`${key}=${escaped}\n`);
}
