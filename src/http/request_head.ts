/**
 * The head of an HTTP request: where it ends in the bytes that came, and what it says. Only what RFC 9112 allows is
 * taken, and of that only requests for a path; what is odd about the rest is nobody's need here.
 *
 * @module
 */
import { HTTP_HEADERS_MAX, HTTP_TARGET_LENGTH_MAX } from "../limits.ts";

/** A request without its body, which the methods that are obeyed do not have. */
export interface RequestHead {
  readonly method: string;
  /** Begins with a slash: path and query. */
  readonly target: string;
  readonly headers: Headers;
}

/** A request that is refused before anybody looks at its path. */
export class BadRequest extends Error {
  /** @param status HTTP's code for it */
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const CR = 13, LF = 10;
const latin1 = new TextDecoder("latin1");
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Where the head ends, after its empty line; undefined while that has not come. Looks from `from` on. */
export function headEnd(bytes: Uint8Array, from: number): number | undefined {
  for (let at = bytes.indexOf(LF, Math.max(3, from)); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1;
  }
  return undefined;
}

/** Reads a whole head. Throws {@linkcode BadRequest}. */
export function parseHead(bytes: Uint8Array): RequestHead {
  // Without the two line ends that close it.
  const [requestLine = "", ...lines] = latin1.decode(bytes.subarray(0, -4)).split("\r\n");
  const [method = "", target = "", version = "", ...more] = requestLine.split(" ");
  if (!TOKEN.test(method) || more.length > 0) throw new BadRequest(400, "the request line is malformed");
  if (!/^HTTP\/1\.[01]$/.test(version)) {
    throw new BadRequest(/^HTTP\/\d\.\d$/.test(version) ? 505 : 400, "expected HTTP/1.1 or HTTP/1.0");
  }
  if (!METHODS.has(method)) throw new BadRequest(405, "expected the method GET or HEAD");
  if (target.length > HTTP_TARGET_LENGTH_MAX) {
    throw new BadRequest(414, `the path has ${target.length} characters, allowed are ${HTTP_TARGET_LENGTH_MAX}`);
  }
  if (!/^\/[!-~]*$/.test(target)) throw new BadRequest(400, "expected a path that begins with /");
  return { method, target, headers: parseHeaders(lines, version) };
}

function parseHeaders(lines: readonly string[], version: string): Headers {
  if (lines.length > HTTP_HEADERS_MAX) {
    throw new BadRequest(431, `there are ${lines.length} header lines, allowed are ${HTTP_HEADERS_MAX}`);
  }
  const headers = new Headers();
  for (const line of lines) {
    const at = line.indexOf(":");
    const name = line.slice(0, Math.max(0, at)), value = line.slice(at + 1).trim();
    // deno-lint-ignore no-control-regex -- they are what this is about
    if (!TOKEN.test(name) || /[\0-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw new BadRequest(400, "a header line is malformed");
    }
    if (name.toLowerCase() === "host" && headers.has("host")) throw new BadRequest(400, "there are two Host headers");
    headers.append(name, value);
  }
  if (version === "HTTP/1.1" && !headers.has("host")) throw new BadRequest(400, "the Host header is missing");
  return headers;
}
