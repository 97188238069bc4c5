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

const GET_BROKER_CLUSTER_INFO = 106;
/** Nobody defines this code, so that any server which speaks the protocol answers it, in any role. */
const UNKNOWN_CODE = 9999;

function encodeRequest(code: number, extFields: Record<string, string>): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(
    JSON.stringify({ code, extFields, flag: 0, language: "JAVA", opaque: 1, version: 407 }),
  );
  const frame = new Uint8Array(8 + header.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 4 + header.length);
  view.setUint32(4, header.length);
  frame.set(header, 8);
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
  timeoutMs = 2000,
  trust?: string,
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
    await conn.write(encodeRequest(code, extFields));
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
  return await ask(port, UNKNOWN_CODE, {}, undefined, trust).then(() => true, () => false);
}

/** True once a nameserver on this port answers requests; with the end of an address, once such a broker is registered. */
export async function nameserverAnswers(port: number, brokerAddressEnd?: string, trust?: string): Promise<boolean> {
  try {
    const answer = await ask(port, GET_BROKER_CLUSTER_INFO, {}, undefined, trust);
    return answer.code === 0 && (brokerAddressEnd === undefined || answer.body.includes(`${brokerAddressEnd}"`));
  } catch {
    return false;
  }
}
