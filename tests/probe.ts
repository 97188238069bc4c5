/**
 * The smallest possible remoting client: one request with a JSON header, one answer. It lets the launcher ask any node,
 * ours or Java's, whether it is up, without leaning on the code under test.
 *
 * @module
 */

/** What a node answered: response code, remark and the body as text. */
export interface Answer {
  code: number;
  remark: string;
  body: string;
}

/** Of a node that is well, on a machine that has much else to do; and of one that may be starting, which is asked again. */
const ANSWER_MS = 30_000, PROBE_MS = 3_000;
const GET_BROKER_CLUSTER_INFO = 106;
/** Brokers of all versions answer it, be it with a refusal; those of 4.1 say nothing to what they do not know. */
const GET_MAX_OFFSET = 30;
const UPDATE_BROKER_CONFIG = 25;

function encodeRequest(code: number, extFields: Record<string, string>, text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const header = encoder.encode(
    JSON.stringify({ code, extFields, flag: 0, language: "JAVA", opaque: 1, version: 407 }),
  );
  const body = encoder.encode(text);
  const frame = new Uint8Array(8 + header.length + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, frame.length - 4);
  view.setUint32(4, header.length);
  frame.set(header, 8);
  frame.set(body, 8 + header.length);
  return frame;
}

async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("the connection was closed before the answer was complete");
    at += count;
  }
  return bytes;
}

/**
 * Sends one request and waits for its answer, over TLS if it is told whose certificates to trust (PEM). Throws when
 * nobody listens, or when no answer came in time.
 */
export async function ask(
  port: number,
  code: number,
  extFields = {},
  timeoutMs = ANSWER_MS,
  trust?: string,
  text = "",
): Promise<Answer> {
  const address = { hostname: "127.0.0.1", port };
  const conn = trust === undefined
    ? await Deno.connect(address)
    : await Deno.connectTls({ ...address, caCerts: [trust] });
  let open = true;
  const close = () => {
    if (open) conn.close();
    open = false;
  };
  const timer = setTimeout(close, timeoutMs);
  try {
    await conn.write(encodeRequest(code, extFields, text));
    const size = new DataView((await readExactly(conn, 4)).buffer).getUint32(0);
    const frame = await readExactly(conn, size);
    const headerLength = new DataView(frame.buffer).getUint32(0) & 0xffffff;
    const header = JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + headerLength)));
    const body = new TextDecoder().decode(frame.subarray(4 + headerLength));
    return { code: header.code, remark: header.remark ?? "", body };
  } finally {
    clearTimeout(timer);
    close();
  }
}

/** True once a broker on this port answers requests. */
export async function brokerAnswers(port: number, trust?: string): Promise<boolean> {
  return await ask(port, GET_MAX_OFFSET, { topic: "TBW102", queueId: "0" }, PROBE_MS, trust).then(
    () => true,
    () => false,
  );
}

/** True once a nameserver on this port answers requests; with the end of an address, once such a broker is registered. */
export async function nameserverAnswers(port: number, brokerAddressEnd?: string, trust?: string): Promise<boolean> {
  try {
    const answer = await ask(port, GET_BROKER_CLUSTER_INFO, {}, PROBE_MS, trust);
    return answer.code === 0 && (brokerAddressEnd === undefined || answer.body.includes(`${brokerAddressEnd}"`));
  } catch {
    return false;
  }
}

/** Has a Java broker register at its nameservers now. */
export async function register(port: number, trust?: string): Promise<void> {
  await ask(port, UPDATE_BROKER_CONFIG, {}, undefined, trust, "brokerPermission=6\n");
}
