/**
 * Frames: where one begins and ends, and what its fixed part says. Grammar (RocketMQ 4.x, NettyDecoder and
 * RemotingCommand), all big-endian:
 *
 *     frame  = length:int32 headerWord:int32 header body
 *     length = bytes after itself; headerWord = encoding:8 headerLength:24
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { FRAME_BYTES_MAX, HEADER_BYTES_MAX } from "../limits.ts";
import { Flag, HeaderEncoding } from "./codes.ts";
import { decodeBinaryHeader } from "./header_binary.ts";
import { decodeJsonHeader } from "./header_json.ts";
import type { HeaderFields } from "./fields.ts";

/** First byte of a TLS connection (the type of a handshake record); no frame begins with it. */
export const TLS_HANDSHAKE = 0x16;

/** The fixed part of a header, common to both encodings. */
export interface Header {
  readonly code: number;
  readonly language: string;
  readonly version: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | undefined;
  readonly fields: HeaderFields;
}

/** One decoded frame. `body` and `header.fields` are views into the bytes it was read from: valid until those change. */
export interface Frame {
  readonly encoding: HeaderEncoding;
  readonly header: Header;
  readonly body: Uint8Array;
}

/** Whether a frame is an answer to a request of ours. */
export function isAnswer(frame: Frame): boolean {
  return (frame.header.flag & Flag.ANSWER) !== 0;
}

/**
 * Bytes of the frame that begins at `at`, its length word included; undefined while the length word is not all there.
 * Throws `malformed` when no frame can have this length.
 */
export function frameLength(view: DataView, at: number, end: number): number | undefined {
  if (end - at < 4) return undefined;
  const length = view.getInt32(at);
  if (length < 4 || length > FRAME_BYTES_MAX) {
    const message = view.getUint8(at) === TLS_HANDSHAKE
      ? "it speaks TLS, which is off here (tlsServerMode, tlsServerCertPath)"
      : `a frame's length word is ${length}, allowed is 4 to ${FRAME_BYTES_MAX}`;
    throw new RocketdError("malformed", message, { field: "length", value: length });
  }
  return length + 4;
}

/** Decodes the whole frame that lies at `at` in `bytes`. Throws `malformed` and nothing else. */
export function decodeFrame(bytes: Uint8Array, view: DataView, at: number, length: number): Frame {
  const word = view.getInt32(at + 4);
  const headerLength = word & 0xffffff;
  const encoding = word >>> 24;
  const headerStart = at + 8, headerEnd = headerStart + headerLength;
  if (headerEnd > at + length) {
    throw new RocketdError("malformed", `a frame of ${length} bytes says its header has ${headerLength}`, {
      field: "headerLength",
      value: headerLength,
    });
  }
  if (headerLength > HEADER_BYTES_MAX) {
    const message = `a frame's header has ${headerLength} bytes, allowed are ${HEADER_BYTES_MAX}`;
    throw new RocketdError("malformed", message, { field: "headerLength", value: headerLength });
  }
  const body = bytes.subarray(headerEnd, at + length);
  if (encoding === HeaderEncoding.ROCKETMQ) {
    return { encoding, header: decodeBinaryHeader(bytes, view, headerStart, headerEnd), body };
  }
  if (encoding === HeaderEncoding.JSON) {
    return { encoding, header: decodeJsonHeader(bytes, headerStart, headerEnd), body };
  }
  throw new RocketdError("malformed", `a header's encoding is ${encoding}, allowed are 0 (JSON) and 1 (ROCKETMQ)`, {
    field: "encoding",
    value: encoding,
  });
}
