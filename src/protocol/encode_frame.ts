/**
 * Writing whole frames, requests and answers alike.
 *
 * @module
 */
import type { ByteWriter } from "./byte_writer.ts";
import { HeaderEncoding } from "./codes.ts";
import type { Fields } from "./fields.ts";
import { encodeBinaryHeader, type HeaderParts } from "./header_binary.ts";
import { encodeJsonHeader } from "./header_json.ts";

const SHORT_MAX = 0x7fff;

/** Appends one frame to `out`: the header as `encoding` says, then the parts of the body, copied. */
export function encodeFrame<S extends Fields>(
  out: ByteWriter,
  encoding: HeaderEncoding,
  header: HeaderParts<S>,
  body: readonly Uint8Array[],
): void {
  // The binary header has 16 bits for the code; codes beyond travel as JSON.
  const used = header.code > SHORT_MAX ? HeaderEncoding.JSON : encoding;
  const at = out.ensure(8);
  out.length = at + 8;
  if (used === HeaderEncoding.ROCKETMQ) encodeBinaryHeader(out, header);
  else encodeJsonHeader(out, header);
  const headerLength = out.length - at - 8;
  for (const part of body) out.raw(part);
  out.view.setInt32(at, out.length - at - 4);
  out.view.setInt32(at + 4, used << 24 | headerLength);
}
