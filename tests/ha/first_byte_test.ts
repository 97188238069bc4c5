import { FirstByte } from "../../src/ha/first_byte.ts";
import { encodeRecord, FILLER_MAGIC } from "../../src/protocol/message_record.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";

const FILE_BYTES = 64 * 1024 * 1024;

function record(bodyBytes: number, hostBytes: 8 | 20, physicalOffset = 0, properties = "A\u0001b"): Uint8Array {
  return encodeRecord({
    queueId: 3,
    flag: 0,
    queueOffset: 5,
    physicalOffset,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: new Uint8Array(hostBytes).fill(9),
    storeTimestamp: 2,
    storeHost: new Uint8Array(8),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(bodyBytes),
    topic: "T",
    properties,
  });
}

/** The log's begin as it is told when `bytes`, without the first one, come in pieces. */
function begin(bytes: Uint8Array, piece: number): Uint8Array | undefined {
  const first = new FirstByte(FILE_BYTES);
  for (let at = 1; at < bytes.length;) {
    const taken = first.take(bytes.subarray(at, at + piece));
    at += taken;
    const { beginning } = first;
    if (beginning !== undefined) {
      assertEquals(beginning, bytes.subarray(0, at));
      return beginning;
    }
  }
  return undefined;
}

Deno.test("the byte at 0 is found for records of any size, however they come", () => {
  const MiB16 = 16 * 1024 * 1024;
  // Around the size where the byte changes, the length of the rest of the record decides.
  for (const bodyBytes of [0, 1, 70_000, MiB16 - 200, MiB16 - 95, MiB16 - 94, MiB16 - 1, MiB16, MiB16 + 40_000]) {
    for (const hosts of [8, 20] as const) {
      const bytes = record(bodyBytes, hosts);
      for (const piece of [1, 2, 3, 50, 87, 88, 99, 100, 1000]) {
        assertEquals(begin(bytes.subarray(0, 300), piece)?.[0], bytes[0], `${bodyBytes} ${hosts} ${piece}`);
      }
    }
  }
});

Deno.test("the byte at 0 is found for a log that begins with a filler", () => {
  const bytes = new Uint8Array(300).fill(0xEE);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, FILE_BYTES);
  view.setInt32(4, FILLER_MAGIC);
  assertEquals(begin(bytes, 7)?.[0], FILE_BYTES >>> 24);
  view.setInt32(0, FILE_BYTES + 4);
  assertThrows(() => begin(bytes, 7), Error, "does not begin with a message");
});

Deno.test("what begins no log gives no byte, and too little none yet", () => {
  const bytes = record(10, 8);
  assertEquals(begin(bytes.subarray(0, 87), 10), undefined);
  assertThrows(() => begin(record(10, 8, 4096), 10), Error, "does not begin with a message");
  for (const [at, value] of [[4, 0], [84, 0xFF]] as const) {
    const wrong = bytes.slice();
    wrong[at] = value;
    assertThrows(() => begin(wrong, 10), Error, "does not begin with a message");
  }
  assertThrows(() => begin(new Uint8Array(300).fill(0x20), 10), Error, "does not begin with a message");
});
