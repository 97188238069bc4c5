/**
 * The files of a certificate and its key: read, and read again to see whether they were replaced.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../../errors.ts";
import { PEM_BYTES_MAX } from "../../limits.ts";
import type { KeyPair } from "./inner_listener.ts";

const log = getLogger(["rocketd", "remoting"]);

/**
 * A file with certificates or a key.
 *
 * @example
 * ```ts
 * import { type PemFile, Producer, RocketdError, startLocalCluster } from "@rocketd/rocketd";
 * import { assertRejects } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const trust: PemFile = { path: "/etc/shop/no-such-file.pem" };
 * await using producer = new Producer({ nameservers: cluster.nameservers, tls: { trust } });
 * await assertRejects(() => producer.send({ topic: "orders", body: "x" }), RocketdError, "no-such-file.pem");
 * ```
 */
export interface PemFile {
  /** Where it is. */
  readonly path: string;
  /** The setting that names it, which errors name then. */
  readonly setting?: string;
}

/** Reads a PEM file. Throws `invalidSettings` naming it. */
export async function readPem(file: PemFile): Promise<string> {
  const { path } = file;
  let text: string;
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new Error("it is not a file");
    if (size > PEM_BYTES_MAX) throw new Error(`it has ${size} bytes, allowed are ${PEM_BYTES_MAX}`);
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw unusable(file, messageOf(cause), cause);
  }
  if (text.includes("ENCRYPTED")) {
    throw unusable(file, "its key is encrypted; keep it as plain PEM that only this node's user can read");
  }
  return text;
}

/** The error for a file that cannot be used. */
export function unusable({ path, setting = "tls" }: PemFile, reason: string, cause?: unknown): RocketdError {
  return new RocketdError("invalidSettings", `Cannot use ${path} (${setting}): ${reason}`, {
    field: setting,
    value: path,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A certificate's file and its key's. */
export class KeyPairFiles {
  constructor(readonly cert: PemFile, readonly key: PemFile) {}

  /** Reads both. Throws `invalidSettings`. */
  async read(): Promise<KeyPair> {
    return { cert: await readPem(this.cert), key: await readPem(this.key) };
  }

  /** Says so when more users than the key's owner and group can read it. */
  async warnOfReaders(): Promise<void> {
    const mode = (await Deno.stat(this.key.path)).mode ?? 0;
    if ((mode & 0o004) === 0) return;
    const about = { path: this.key.path, setting: this.key.setting };
    log.warn("every user of this machine can read {path} ({setting}): take that right away", about);
  }
}
