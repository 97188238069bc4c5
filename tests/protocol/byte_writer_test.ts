/**
 * @module
 */
import fc from "fast-check";
import { ByteWriter, readInt64, writeInt64 } from "../../src/protocol/byte_writer.ts";
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
