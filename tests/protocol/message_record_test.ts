import fc from "fast-check";
import { assertEquals, assertThrows } from "../../src/std.ts";
import { RocketdError } from "../../src/errors.ts";
import { formatMessageId, MessageIds, parseMessageId } from "../../src/protocol/message_id.ts";
import {
  decodeRecord,
  decodeRecords,
  encodeRecord,
  measureRecord,
  NOT_A_RECORD,
} from "../../src/protocol/message_record.ts";
import { onlyMalformed } from "./only_malformed.ts";

const int = fc.integer({ min: -0x8000_0000, max: 0x7FFF_FFFF });
const long = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const host = fc.oneof(
  fc.uint8Array({ minLength: 8, maxLength: 8 }),
  fc.uint8Array({ minLength: 20, maxLength: 20 }),
);
const words = fc.string({ unit: "grapheme", maxLength: 12 });
const record = fc.record({
  queueId: int,
  flag: int,
  queueOffset: long,
  physicalOffset: long,
  sysFlag: int,
  bornTimestamp: long,
  bornHost: host,
  storeTimestamp: long,
  storeHost: host,
  reconsumeTimes: int,
  preparedTransactionOffset: long,
  body: fc.uint8Array({ maxLength: 300 }),
  topic: fc.string({ unit: "binary-ascii", maxLength: 127 }),
  properties: words,
});

Deno.test("decodeRecord() reads back what encodeRecord() wrote", () => {
  fc.assert(fc.property(record, (given) => {
    const read = decodeRecord(encodeRecord(given), 0, true);
    const v6 = (given.bornHost.length === 20 ? 0x10 : 0) | (given.storeHost.length === 20 ? 0x20 : 0);
    assertEquals({ ...read, totalSize: 0, bodyCrc: 0 }, {
      ...given,
      sysFlag: (given.sysFlag & ~0x30) | v6,
      totalSize: 0,
      bodyCrc: 0,
    });
  }));
});

Deno.test("decodeRecord() answers any bytes with a record or a malformed error", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => onlyMalformed(() => decodeRecord(bytes))));
  fc.assert(
    fc.property(record, fc.nat(), fc.nat(255), (given, at, value) => {
      const bytes = encodeRecord(given);
      bytes[at % bytes.length] = value;
      onlyMalformed(() => decodeRecord(bytes));
      onlyMalformed(() => decodeRecords(bytes));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("measureRecord() accepts no record that was cut short, whatever bytes follow", () => {
  fc.assert(fc.property(record, fc.nat(), (given, cut) => {
    const bytes = encodeRecord(given);
    const end = cut % bytes.length;
    assertEquals(measureRecord(bytes, new DataView(bytes.buffer), 0, end, true), NOT_A_RECORD);
  }));
});

Deno.test("decodeRecord() finds a changed body by its CRC when asked to", () => {
  const bytes = encodeRecord({
    ...fc.sample(record, { numRuns: 1, seed: 7 })[0]!,
    bornHost: new Uint8Array(8),
    storeHost: new Uint8Array(8),
    body: new TextEncoder().encode("hello"),
  });
  bytes[88]! ^= 1;
  decodeRecord(bytes);
  assertThrows(() => decodeRecord(bytes, 0, true), RocketdError, "not a whole message record");
});

Deno.test("formatMessageId() writes the id that a Java broker gives", () => {
  const storeHost = new Uint8Array([10, 1, 2, 3, 0, 0, 0x2A, 0x9F]);
  assertEquals(formatMessageId(storeHost, 4096), "0A01020300002A9F0000000000001000");
  assertEquals(parseMessageId("0A01020300002A9F0000000000001000"), { storeHost, logOffset: 4096 });
});

Deno.test("MessageIds makes the ids that formatMessageId() writes, whatever it made before", () => {
  fc.assert(fc.property(host, fc.array(fc.oneof(fc.nat(), fc.maxSafeNat())), (storeHost, offsets) => {
    const ids = new MessageIds(storeHost);
    for (const logOffset of offsets) assertEquals(ids.of(logOffset), formatMessageId(storeHost, logOffset));
  }));
});

Deno.test("parseMessageId() refuses whatever is no id, and reads back every id", () => {
  for (const id of ["", "xyz", "0".repeat(31), "G".repeat(32), "F".repeat(32)]) {
    assertThrows(() => parseMessageId(id), RocketdError, "Cannot read message id");
  }
  fc.assert(fc.property(host, fc.nat({ max: Number.MAX_SAFE_INTEGER }), (storeHost, logOffset) => {
    assertEquals(parseMessageId(formatMessageId(storeHost, logOffset)), { storeHost, logOffset });
  }));
});
