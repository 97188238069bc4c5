/**
 * Signatures of requests, as the AclClientRPCHook of RocketMQ's clients makes them: Base64 of HMAC-SHA1 over the values of
 * all fields, in the order of their names, and the body.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Sign } from "../owner.ts";

/** The fields that carry it (`SessionCredentials`). */
export const AccessField = {
  ACCESS_KEY: "AccessKey",
  SIGNATURE: "Signature",
  SECURITY_TOKEN: "SecurityToken",
} as const;

/** A field of queries that Java's clients leave unsigned up to 4.9.3, and sign from 4.9.4 on. */
const SOMETIMES_SIGNED = "_UNIQUE_KEY_QUERY";

const SHA1_BLOCK_BYTES = 64;

/**
 * An account's name and secret (`SessionCredentials`).
 *
 * @example
 * ```ts
 * import { type Credentials, signer } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const shop: Credentials = { accessKey: "shop", secretKey: "12345678" };
 * assertEquals(signer(shop)(new Map([["topic", "orders"]]), []).get("AccessKey"), "shop");
 * ```
 */
export interface Credentials {
  /** The account's name. */
  readonly accessKey: string;
  /** Its secret, which never travels. */
  readonly secretKey: string;
  /** A token of whoever lends the account. */
  readonly securityToken?: string;
}

/**
 * Signs all requests of a client in an account's name, as RocketMQ's `AclClientRPCHook` does: what clients take as
 * `sign`.
 *
 * @example
 * ```ts
 * import { Producer, signer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const aclFile = await Deno.makeTempFile({ suffix: ".yml" });
 * await Deno.writeTextFile(aclFile, 'accounts: [{ accessKey: shop-app, secretKey: "12345678", defaultTopicPerm: PUB }]');
 * await using cluster = await startLocalCluster({ settings: { aclEnable: true, aclFile } });
 *
 * const sign = signer({ accessKey: "shop-app", secretKey: "12345678" });
 * await using producer = new Producer({ nameservers: cluster.nameservers, sign });
 * assertEquals((await producer.send({ topic: "orders", body: "one pizza" })).status, "SEND_OK");
 * await Deno.remove(aclFile);
 * ```
 */
export function signer({ accessKey, secretKey, securityToken }: Credentials): Sign {
  const key = signingKey(secretKey);
  const identity = new Map([[AccessField.ACCESS_KEY as string, accessKey]]);
  if (securityToken !== undefined) identity.set(AccessField.SECURITY_TOKEN, securityToken);
  return (fields, body) => {
    const signature = signatureOf(new Map([...fields, ...identity]), body, key);
    return new Map([...identity, [AccessField.SIGNATURE, signature]]);
  };
}

/** Signs what a broker asks of others in the name of the account that its settings name; nothing without one. */
export function signerOf(settings: { readonly aclAccessKey: string; readonly aclSecretKey: string }): Sign | undefined {
  const { aclAccessKey: accessKey, aclSecretKey: secretKey } = settings;
  return accessKey === "" ? undefined : signer({ accessKey, secretKey });
}

/**
 * A secret made ready for HMAC (RFC 2104): what is hashed before the text, and before the hash of that. Deno's own Hmac
 * takes twice the time.
 */
export interface SigningKey {
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}

/** Makes a secret ready. */
export function signingKey(secretKey: string): SigningKey {
  const encoded = Buffer.from(secretKey);
  const key = encoded.length > SHA1_BLOCK_BYTES ? createHash("sha1").update(encoded).digest() : encoded;
  const pad = (mask: number) => Uint8Array.from({ length: SHA1_BLOCK_BYTES }, (_, i) => (key[i] ?? 0) ^ mask);
  return { inner: pad(0x36), outer: pad(0x5c) };
}

/** The signature over fields and body; fields named in `without`, and the signature itself, do not count. */
export function signatureOf(
  fields: ReadonlyMap<string, string>,
  body: readonly Uint8Array[],
  { inner, outer }: SigningKey,
  without?: string,
): string {
  // Sorted by UTF-16 code units, as Java's strings are.
  const names = [...fields.keys()].filter((name) => name !== AccessField.SIGNATURE && name !== without).sort();
  const hash = createHash("sha1").update(inner).update(names.map((name) => fields.get(name)).join(""));
  for (const part of body) hash.update(part);
  return createHash("sha1").update(outer).update(hash.digest()).digest("base64");
}

/** Whether a request carries the signature that only who knows the secret can make. */
export function isSigned(fields: ReadonlyMap<string, string>, body: Uint8Array, key: SigningKey): boolean {
  const given = fields.get(AccessField.SIGNATURE) ?? "";
  const matches = (without?: string) => isSame(given, signatureOf(fields, [body], key, without));
  return matches() || (fields.has(SOMETIMES_SIGNED) && matches(SOMETIMES_SIGNED));
}

/** Compares in a time that does not tell where the first difference is. */
function isSame(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let i = 0; i < expected.length; i++) difference |= given.charCodeAt(i) ^ expected.charCodeAt(i);
  return difference === 0;
}
