/**
 * The bytes of the replication protocol.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import {
  encodeReport,
  FRAME_HEADER_BYTES,
  FrameReader,
  type FrameSink,
  ReportReader,
  writeFrameHeader,
} from "../../src/ha/protocol.ts";
import { HA_FRAME_DATA_BYTES_MAX } from "../../src/limits.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function frame(logOffset: number, data: readonly number[]): number[] {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + data.length);
  writeFrameHeader(new DataView(bytes.buffer), 0, logOffset, data.length);
  bytes.set(data, FRAME_HEADER_BYTES);
  return [...bytes];
}

/** What a slave hears: each frame's head and its data, however it was cut. */
class Heard implements FrameSink {
  readonly frames: { logOffset: number; size: number; data: number[] }[] = [];

  frame(logOffset: number, size: number): void {
    this.frames.push({ logOffset, size, data: [] });
  }

  data(logOffset: number, bytes: Uint8Array): void {
    const last = this.frames.at(-1)!;
    assertEquals(logOffset, last.logOffset + last.data.length);
    last.data.push(...bytes);
  }
}

Deno.test("a report is the log's end in 8 bytes, a frame's header that and a size in 4", () => {
  assertEquals(hex(encodeReport(0x12_3456_789a)), "00 00 00 12 34 56 78 9a");
  assertEquals(hex(new Uint8Array(frame(0x12_3456_789a, [1, 2]))), "00 00 00 12 34 56 78 9a 00 00 00 02 01 02");
});

Deno.test("frames are read however the network cut them", () => {
  const stream = new Uint8Array([...frame(7 * 2 ** 33, [1, 2, 3]), ...frame(7 * 2 ** 33 + 3, []), ...frame(9, [4])]);
  const expected = [
    { logOffset: 7 * 2 ** 33, size: 3, data: [1, 2, 3] },
    { logOffset: 7 * 2 ** 33 + 3, size: 0, data: [] },
    { logOffset: 9, size: 1, data: [4] },
  ];
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const heard = new Heard();
      const reader = new FrameReader();
      for (const [from, to] of [[0, first], [first, second], [second, stream.length]]) {
        reader.take(stream.subarray(from, to), heard);
      }
      assertEquals(heard.frames, expected);
    }
  }
});

Deno.test("what cannot be a frame's header is refused, with its numbers", () => {
  for (const [logOffset, size] of [[-1, 0], [0, -1], [0, HA_FRAME_DATA_BYTES_MAX + 1], [2 ** 53, 1]] as const) {
    const bytes = new Uint8Array(FRAME_HEADER_BYTES);
    writeFrameHeader(new DataView(bytes.buffer), 0, logOffset, size);
    const error = assertThrows(() => new FrameReader().take(bytes, new Heard()), RocketdError);
    assertEquals([error.code, error.details.value], ["malformed", { logOffset, size }]);
  }
});

Deno.test("the newest report that is whole counts", () => {
  const stream = new Uint8Array([...encodeReport(5), ...encodeReport(-7), ...encodeReport(2 ** 40 + 1)]);
  for (let first = 0; first <= stream.length; first++) {
    const reader = new ReportReader();
    assertEquals(reader.take(stream.subarray(0, first)), [undefined, 5, -7, 2 ** 40 + 1][Math.floor(first / 8)]);
    assertEquals(reader.take(stream.subarray(first)), first === stream.length ? undefined : 2 ** 40 + 1);
  }
});
