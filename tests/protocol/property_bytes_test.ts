/**
 * Properties read as bytes mean what they mean as a text.
 *
 * @module
 */
import fc from "fast-check";
import { javaHash } from "../../src/protocol/java_hash.ts";
import { dropProperty, parseProperties, propertyOf, withProperty } from "../../src/protocol/properties.ts";
import { eachWord, isAscii, SentProperties, StoreProperties, utf8Hash } from "../../src/protocol/property_bytes.ts";
import { assert, assertEquals } from "../../src/std.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const NAMES = ["TAGS", "KEYS", "UNIQ_KEY", "DELAY", "WAIT", "CLUSTER", "TRAN_MSG", "XWAIT", "WAITS", "A", "é", ""];
const VALUES = ["true", "false", "TRUE", "False", "", "a", "k1 k2", " ", "é", "3"];
/** Pieces that mean something, with or without a separator at the end, and texts that mean little. */
const text = fc.oneof(
  fc.tuple(fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)), { maxLength: 4 }), fc.boolean())
    .map(([pairs, ended]) => pairs.map((pair) => pair.join("\x01")).join("\x02") + (ended ? "\x02" : "")),
  fc.string({ unit: fc.constantFrom("WAIT", "TAGS", "KEYS", "T", "S", "\x01", "\x02", "é", " ") }),
);

Deno.test("StoreProperties agrees with parseProperties() on any text", () => {
  const store = new StoreProperties();
  fc.assert(
    fc.property(text, (text) => {
      const all = parseProperties(text);
      // Somewhere in the middle of other bytes, which are none of it.
      const bytes = encoder.encode(`TAGS\x01x\x02${text}\x02KEYS\x01x`);
      store.read(bytes, 7, bytes.length - 7);
      const at = (from: number, to: number) => decoder.decode(bytes.subarray(from, to));
      assertEquals(
        [at(store.tagsFrom, store.tagsTo), at(store.keysFrom, store.keysTo), at(store.uniqKeyFrom, store.uniqKeyTo)],
        ["TAGS", "KEYS", "UNIQ_KEY"].map((name) => all.get(name) ?? ""),
      );
      assertEquals([store.delay, store.wait], [
        all.get("DELAY") ?? "",
        (all.get("WAIT") ?? "true").toLowerCase() === "true",
      ]);
      assertEquals(store.isEmpty, !["TAGS", "KEYS", "UNIQ_KEY", "DELAY"].some((name) => all.has(name)));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("SentProperties stores what the text would become, or leaves it to those who read texts", () => {
  const behind = encoder.encode("CLUSTER\x01c");
  const sent = new SentProperties(behind);
  let read = 0;
  fc.assert(
    fc.property(text, (text) => {
      const isPlain = sent.read(encoder.encode(text));
      const others = ["DELAY", "TRAN_MSG", "CLUSTER"].some((name) => text.includes(name));
      const waits = text.split("\x02").filter((piece) => piece.startsWith("WAIT\x01")).length;
      assertEquals(isPlain, isPlain && waits < 2, "one WAIT at most");
      assert(isPlain || others || waits > 1, text);
      if (!isPlain) return;
      read++;
      assert(!["DELAY", "TRAN_MSG", "CLUSTER"].some((name) => propertyOf(text, name) !== undefined));
      const { bytes, cutFrom, cutTo } = sent;
      const kept = decoder.decode(bytes.slice(0, cutFrom)) + decoder.decode(bytes.slice(cutTo));
      const all = kept + (kept === "" || kept.endsWith("\x02") ? "" : "\x02") + decoder.decode(behind);
      assertEquals(all, withProperty(dropProperty(text, "WAIT"), "CLUSTER", "c"));
      assertEquals(sent.wait, propertyOf(text, "WAIT") !== "false");
    }),
    { numRuns: 2000 },
  );
  assert(read > 200);
});

Deno.test("SentProperties leaves bytes that are not UTF-8 to those who read texts", () => {
  const sent = new SentProperties(encoder.encode("CLUSTER\x01c"));
  assertEquals([sent.read(encoder.encode("a\x01ä")), sent.read(Uint8Array.of(0x61, 1, 0xff))], [true, false]);
});

Deno.test("utf8Hash() is the hash of the text, and eachWord() finds what stands between spaces", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, before) => {
    const bytes = encoder.encode(`x${text}x`);
    const seed = javaHash(before);
    assertEquals(utf8Hash(bytes, 1, bytes.length - 1, seed), javaHash(before + text));
  }));
  const words: string[] = [];
  const bytes = encoder.encode("x  ab c  é x");
  eachWord(bytes, 1, bytes.length - 1, (from, to) => words.push(decoder.decode(bytes.subarray(from, to))));
  assertEquals(words, ["ab", "c", "é"]);
});

Deno.test("isAscii() looks at every byte", () => {
  for (let length = 0; length < 10; length++) {
    for (let at = -1; at < length; at++) {
      const bytes = new Uint8Array(length + 2).fill(0x7f);
      bytes[0] = bytes[length + 1] = 0xff;
      if (at >= 0) bytes[1 + at] = 0x80;
      assertEquals(isAscii(new DataView(bytes.buffer), 1, 1 + length), at < 0);
    }
  }
});
