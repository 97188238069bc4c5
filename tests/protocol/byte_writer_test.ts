/**
 * @module
 */
import fc from "fast-check";
import { ByteWriter, copyBytes, copyWords, readInt64, writeInt64 } from "../../src/protocol/byte_writer.ts";
import { HeaderEncoding } from "../../src/protocol/codes.ts";
import { encodeFrame } from "../../src/protocol/encode_frame.ts";
import { decodeFrame } from "../../src/protocol/frame.ts";
import { GetKvConfig } from "../../src/protocol/requests.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("a frame is the same wherever the buffer has to grow while it is written", () => {
  for (const encoding of Object.values(HeaderEncoding)) {
    for (let used = 0; used < 200; used++) {
      const out = new ByteWriter(128);
      out.raw(new Uint8Array(used));
      const values = { namespace: "n".repeat(40), key: "ключ".repeat(9) };
      encodeFrame(out, encoding, {
        code: GetKvConfig.code,
        version: 407,
        opaque: used,
        flag: 0,
        remark: "why".repeat(9),
        table: GetKvConfig.request,
        values,
      }, [Uint8Array.of(1, 2, 3)]);
      const bytes = out.written();
      const { header, body } = decodeFrame(bytes, new DataView(bytes.buffer), used, bytes.length - used);
      assertEquals({ ...header.fields.read(GetKvConfig.request) }, values);
      assertEquals([header.opaque, header.remark, [...body]], [used, "why".repeat(9), [1, 2, 3]]);
    }
  }
});

Deno.test("64-bit integers keep every safe integer", () => {
  const view = new DataView(new ArrayBuffer(8));
  fc.assert(fc.property(fc.maxSafeInteger(), (value) => {
    writeInt64(view, 0, value);
    assertEquals(readInt64(view, 0), value);
    assertEquals(view.getBigInt64(0), BigInt(value));
  }));
});

Deno.test("quoted() writes a text as JSON.stringify does, digits() a number", () => {
  const characters = fc.constantFrom("a", '"', "\\", "\n", "\u0001", "\u007f", "é", "\ud800", "\u2028", "x".repeat(20));
  const text = fc.string({ unit: characters, maxLength: 12 });
  fc.assert(fc.property(text, fc.nat(), (text, number) => {
    const out = new ByteWriter(16);
    out.quoted(text);
    out.digits(number);
    assertEquals(new TextDecoder().decode(out.written()), JSON.stringify(text) + number);
  }));
  const out = new ByteWriter();
  for (const number of [0, 9, 10, 99, 100, 2 ** 31 - 1]) out.digits(number);
  assertEquals(new TextDecoder().decode(out.written()), "0910991002147483647");
});

Deno.test("copyBytes() and copyWords() copy just that part, whatever its length", () => {
  const from = Uint8Array.from({ length: 80 }, (_, i) => i + 100);
  for (let length = 0; length < 70; length++) {
    const expected = new Uint8Array(80);
    expected.set(from.subarray(3, 3 + length), 5);
    const bytes = new Uint8Array(80), words = new Uint8Array(80);
    assertEquals(copyBytes(from, 3, 3 + length, bytes, 5), 5 + length);
    assertEquals(
      copyWords(new DataView(from.buffer), 3, 3 + length, new DataView(words.buffer), 5),
      5 + length,
    );
    assertEquals([bytes, words], [expected, expected]);
  }
});
