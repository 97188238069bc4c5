/**
 * TLS on the ports that also take plain connections, as RocketMQ since 4.2.0: `tls.server.mode`, one certificate, and
 * a new one when its files are replaced.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import { LineBudget } from "../../logging/line_budget.ts";
import { peerOf, type Wire } from "../listener.ts";
import { Door, type DoorKeeper, HANDSHAKE_MS } from "./door.ts";
import { InnerListener, type Joint, type KeyPair } from "./inner_listener.ts";
import { KeyPairFiles, type PemFile, unusable } from "./key_pair_files.ts";

const log = getLogger(["rocketd", "remoting"]);

/** How often the files are looked at, ms; RocketMQ does so twice a second. */
const LOOK_MS = 1_000;
const LINES_MAX = 10;
const LINES_EVERY_MS = 60_000;

/** What a server speaks, and with which certificate. */
export interface ServerTlsOptions {
  /** `enforcing` turns plain connections away. */
  readonly mode: "permissive" | "enforcing";
  readonly cert: PemFile;
  readonly key: PemFile;
  readonly lookMs?: number;
  /** Time for a handshake, ms. */
  readonly handshakeMs?: number;
}

/** Counts for operators. */
export interface TlsCounts {
  /** Connections that began with a TLS handshake. */
  handshakes: number;
  /** Those of them that got no further, and plain ones that `enforcing` turned away. */
  failed: number;
  plainRefused: number;
  /** Certificates that were taken while the node ran. */
  reloads: number;
}

/** Speaks TLS on any number of servers until {@linkcode ServerTls.close}. */
export class ServerTls implements DoorKeeper {
  readonly counts: TlsCounts = { handshakes: 0, failed: 0, plainRefused: 0, reloads: 0 };
  readonly plain: boolean;
  readonly handshakeMs: number;
  readonly #files: KeyPairFiles;
  readonly #lines = new LineBudget(LINES_MAX, LINES_EVERY_MS);
  readonly #doors = new Set<Door>();
  readonly #lingering = new Set<Door>();
  readonly #timer: ReturnType<typeof setInterval>;
  #inner: InnerListener;
  /** What was read last: in use, or known to be unusable. */
  #seen: KeyPair;
  /** What was read for the first time just now; the other file may be on its way. */
  #fresh: KeyPair | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;
  #emptied: (() => void) | undefined;

  private constructor(options: ServerTlsOptions, files: KeyPairFiles, pair: KeyPair, inner: InnerListener) {
    this.plain = options.mode === "permissive";
    this.handshakeMs = options.handshakeMs ?? HANDSHAKE_MS;
    this.#files = files;
    this.#seen = pair;
    this.#inner = inner;
    this.#timer = setInterval(() => {
      if (!this.#closed) this.#looking ??= this.#look().finally(() => this.#looking = undefined);
    }, options.lookMs ?? LOOK_MS);
  }

  /** Reads the files. Throws `invalidSettings` when they are not a certificate and its key. */
  static async open(options: ServerTlsOptions): Promise<ServerTls> {
    const files = new KeyPairFiles(options.cert, options.key);
    const pair = await files.read();
    let inner: InnerListener;
    try {
      inner = new InnerListener(pair);
    } catch (cause) {
      throw unusable(options.cert, `with ${options.key.path} (${options.key.setting}): ${messageOf(cause)}`, cause);
    }
    await files.warnOfReaders();
    return new ServerTls(options, files, pair, inner);
  }

  /** Connections that were closed here and still send what is left. */
  get lingering(): number {
    return this.#lingering.size;
  }

  /** Lets a connection decide what it speaks. */
  guard(conn: Deno.TcpConn): Wire {
    return new Door(conn, this);
  }

  join(): Promise<Joint> {
    return this.#inner.join();
  }

  entered(door: Door): void {
    this.counts.handshakes++;
    this.#doors.add(door);
  }

  left(door: Door): void {
    this.#doors.delete(door);
    this.#lingering.delete(door);
    if (this.#doors.size === 0) this.#emptied?.();
  }

  lingers(door: Door): void {
    this.#lingering.add(door);
  }

  refused(door: Door, why: "plain" | "handshake", detail = ""): void {
    if (why === "plain") this.counts.plainRefused++;
    else this.counts.failed++;
    const more = this.#lines.spend(Date.now());
    if (more === undefined) return;
    const reason = why === "plain" ? "it does not speak TLS, and tlsServerMode is enforcing" : `TLS failed: ${detail}`;
    log.warn("closing {peer}: {reason}{more}", { peer: peerOf(door).text, reason, more });
  }

  /** Takes a new certificate, once it lies there whole; keeps the old one where the new one cannot be used. */
  async #look(): Promise<void> {
    try {
      await this.#takeNew();
    } catch (error) {
      log.error("cannot look for a new certificate: {error}", { error });
    }
  }

  async #takeNew(): Promise<void> {
    const kept = "the certificate before it stays in use";
    let pair: KeyPair;
    try {
      pair = await this.#files.read();
    } catch (error) {
      pair = { cert: "", key: messageOf(error) };
    }
    if (this.#closed || same(pair, this.#seen)) return;
    // Two files are not replaced at once: what lies there for one moment only is no reason to complain.
    const standing = same(pair, this.#fresh);
    this.#fresh = pair;
    try {
      if (pair.cert === "") throw new Error(pair.key);
      const inner = new InnerListener(pair);
      this.#inner.close();
      this.#inner = inner;
    } catch (error) {
      if (!standing) return;
      this.#seen = pair;
      const about = { path: this.#files.cert.path, reason: messageOf(error), kept };
      return log.error("the new certificate in {path} cannot be used: {reason}; {kept}", about);
    }
    this.#seen = pair;
    this.counts.reloads++;
    log.info("new TLS connections get the new certificate in {path}", { path: this.#files.cert.path });
    await this.#files.warnOfReaders();
  }

  /** Speaks no more TLS, once those connections are gone that still send; their servers have closed them before. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
    this.#inner.close();
    if (this.#doors.size > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
  }
}

function same(a: KeyPair, b: KeyPair | undefined): boolean {
  return a.cert === b?.cert && a.key === b.key;
}
