/**
 * Certificates for tests, made by openssl in a folder of their own.
 *
 * @module
 */
import { run } from "./cache.ts";

/** Paths of a certificate and its key, both PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority that only the tests trust, and what it vouched for; its folder goes with it. */
export class Authority implements AsyncDisposable {
  private constructor(readonly dir: string) {}

  /** Makes one. */
  static async create(): Promise<Authority> {
    const authority = new Authority(await Deno.makeTempDir({ prefix: "rocketd-tls-" }));
    const { cert, key } = authority.#pair("ca");
    await openssl("req", "-x509", ...NEW_KEY, key, "-out", cert, "-days", "2", "-subj", "/CN=rocketd test authority");
    return authority;
  }

  /** The certificate to trust. */
  get cert(): string {
    return this.#pair("ca").cert;
  }

  /** A certificate for the given addresses (`IP:127.0.0.1,DNS:localhost`), in files that begin with the name. */
  async issue(name: string, addresses: string): Promise<Pair> {
    const pair = this.#pair(name), ca = this.#pair("ca");
    const request = `${this.dir}/${name}.request`, extensions = `${this.dir}/${name}.extensions`;
    await Deno.writeTextFile(extensions, `subjectAltName=${addresses}\nbasicConstraints=CA:FALSE\n`);
    await openssl("req", ...NEW_KEY, pair.key, "-out", request, "-subj", `/CN=${name}`);
    const signing = ["-CA", ca.cert, "-CAkey", ca.key, "-CAcreateserial", "-days", "2", "-extfile", extensions];
    await openssl("x509", "-req", "-in", request, ...signing, "-out", pair.cert);
    return pair;
  }

  #pair(name: string): Pair {
    return { cert: `${this.dir}/${name}.pem`, key: `${this.dir}/${name}.key` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"];

async function openssl(...args: string[]): Promise<void> {
  await run("openssl", args);
}
