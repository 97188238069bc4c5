/**
 * A broker that does nothing: each send is answered as brokers answer it, with its own opaque, and all frames of one read
 * with one write. Prints its address. What `rocketd bench` reaches with this is what the platform allows.
 *
 * @module
 */
import { Answer as Peeked, find } from "../../../src/client/load/answers.ts";
import { ByteWriter } from "../../../src/protocol/byte_writer.ts";
import { Flag, HeaderEncoding, OUR_VERSION, ResponseCode } from "../../../src/protocol/codes.ts";
import { encodeFrame } from "../../../src/protocol/encode_frame.ts";
import { frameLength } from "../../../src/protocol/frame.ts";
import { RequestCode } from "../../../src/protocol/request_codes.ts";
import { SendMessageV2 } from "../../../src/protocol/requests.ts";

const BUFFER_BYTES = 1 << 20;
const SENDS: ReadonlySet<number> = new Set([RequestCode.SEND_MESSAGE_V2, RequestCode.SEND_BATCH_MESSAGE]);
/** Opaques have ten digits, so that each fits into the same place. */
const OPAQUE = 1_000_000_000;

/** An answer, and where in it the opaque stands. */
interface Template {
  readonly bytes: Uint8Array;
  readonly opaqueAt: number;
}

function templateOf(encoding: HeaderEncoding, code: number): Template {
  const out = new ByteWriter();
  const values = { msgId: "7F0000010000000000000000", queueId: 0, queueOffset: 1_000_000 };
  const header = { code, version: OUR_VERSION, opaque: OPAQUE, flag: Flag.ANSWER, table: SendMessageV2.answer, values };
  encodeFrame(out, encoding, header, []);
  const bytes = out.bytes.slice(0, out.length);
  const isBinary = encoding === HeaderEncoding.ROCKETMQ;
  const opaqueAt = isBinary ? 13 : find(bytes, 8, bytes.length, new TextEncoder().encode(`:${OPAQUE}`)) + 1;
  return { bytes, opaqueAt };
}

const templates = [HeaderEncoding.JSON, HeaderEncoding.ROCKETMQ].map((encoding) => ({
  stored: templateOf(encoding, ResponseCode.SUCCESS),
  // What a client asks before: it is told that there is no such topic yet.
  unknown: templateOf(encoding, ResponseCode.TOPIC_NOT_EXIST),
}));

function answer(out: ByteWriter, { bytes, opaqueAt }: Template, encoding: number, opaque: number): void {
  const at = out.length;
  out.raw(bytes);
  if (encoding === HeaderEncoding.ROCKETMQ) return out.view.setInt32(at + opaqueAt, opaque);
  // Fewer digits stand behind blanks.
  const digits = String(opaque).padStart(String(OPAQUE).length);
  for (let i = 0; i < digits.length; i++) out.bytes[at + opaqueAt + i] = digits.charCodeAt(i);
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const bytes = new Uint8Array(BUFFER_BYTES), view = new DataView(bytes.buffer);
  const out = new ByteWriter(), frame = new Peeked();
  let end = 0;
  for (let count = await conn.read(bytes); count !== null; count = await conn.read(bytes.subarray(end))) {
    end += count;
    let at = 0;
    for (let length = frameLength(view, at, end); length !== undefined && at + length <= end;) {
      const encoding = view.getUint8(at + 4);
      frame.read(bytes, view, at, at + length);
      const { stored, unknown } = templates[encoding]!;
      answer(out, SENDS.has(frame.code) ? stored : unknown, encoding, frame.opaque);
      at += length;
      length = frameLength(view, at, end);
    }
    bytes.copyWithin(0, at, end);
    end -= at;
    const answers = out.written();
    for (let sent = 0; sent < answers.length;) sent += await conn.write(answers.subarray(sent));
    out.reset();
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
Deno.stdout.writeSync(new TextEncoder().encode(`127.0.0.1:${listener.addr.port}\n`));
for await (const conn of listener) serve(conn).catch(() => {}).finally(() => conn.close());
