/**
 * What tests say over HTTP, byte by byte: a client that can be slow, rude or wrong.
 *
 * @module
 */

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Reads until the peer closes; what came before a reset counts. */
export async function readAll(conn: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(64 * 1024);
  let text = "";
  try {
    while (true) {
      const count = await conn.read(bytes);
      if (count === null) return text;
      text += decoder.decode(bytes.subarray(0, count), { stream: true });
    }
  } catch {
    return text;
  }
}

/** Takes an answer apart; undefined when there is none. */
export function parseAnswer(text: string): Answer | undefined {
  const at = text.indexOf("\r\n\r\n");
  if (at < 0) return undefined;
  const [statusLine = "", ...lines] = text.slice(0, at).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]),
    headers: Object.fromEntries(headers),
    body: text.slice(at + 4),
  };
}

/** Sends bytes as they are, and gives what comes back. */
export async function raw(port: number, text: string): Promise<Answer | undefined> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = encoder.encode(text);
  const writing = (async () => {
    for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
  })().catch(() => {});
  const answer = parseAnswer(await readAll(conn));
  await writing;
  return answer;
}

/** A plain GET, by a name of ours unless told otherwise. */
export async function get(port: number, path: string, host = "localhost"): Promise<Answer> {
  const answer = await raw(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  if (answer === undefined) throw new Error(`no answer to GET ${path} on port ${port}`);
  return answer;
}
