/**
 * Signatures of requests, as the AclClientRPCHook of RocketMQ's clients makes them: Base64 of HMAC-SHA1 over the values of
 * all fields, in the order of their names, and the body.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
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

/** An account's name and secret. */
export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly securityToken?: string;
}

/** Signs all requests of a client in an account's name. */
export function signer({ accessKey, secretKey, securityToken }: Credentials): Sign {
  const identity = new Map([[AccessField.ACCESS_KEY as string, accessKey]]);
  if (securityToken !== undefined) identity.set(AccessField.SECURITY_TOKEN, securityToken);
  return (fields, body) => {
    const signature = signatureOf(new Map([...fields, ...identity]), body, secretKey);
    return new Map([...identity, [AccessField.SIGNATURE, signature]]);
  };
}

/** Signs what a broker asks of others in the name of the account that its settings name; nothing without one. */
export function signerOf(settings: { readonly aclAccessKey: string; readonly aclSecretKey: string }): Sign | undefined {
  const { aclAccessKey: accessKey, aclSecretKey: secretKey } = settings;
  return accessKey === "" ? undefined : signer({ accessKey, secretKey });
}

/** The signature over fields and body; fields named in `without`, and the signature itself, do not count. */
export function signatureOf(
  fields: ReadonlyMap<string, string>,
  body: readonly Uint8Array[],
  secretKey: string,
  without?: string,
): string {
  // Sorted by UTF-16 code units, as Java's strings are.
  const names = [...fields.keys()].filter((name) => name !== AccessField.SIGNATURE && name !== without).sort();
  const [inner, outer] = padsOf(secretKey);
  const hash = createHash("sha1").update(inner).update(names.map((name) => fields.get(name)).join(""));
  for (const part of body) hash.update(part);
  return createHash("sha1").update(outer).update(hash.digest()).digest("base64");
}

/** What HMAC (RFC 2104) hashes before the text, and before the hash of that. Deno's own Hmac takes twice the time. */
function padsOf(secretKey: string): readonly [Uint8Array, Uint8Array] {
  const encoded = Buffer.from(secretKey);
  const key = encoded.length > SHA1_BLOCK_BYTES ? createHash("sha1").update(encoded).digest() : encoded;
  const inner = new Uint8Array(SHA1_BLOCK_BYTES), outer = new Uint8Array(SHA1_BLOCK_BYTES);
  for (let i = 0; i < SHA1_BLOCK_BYTES; i++) {
    const byte = key[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  return [inner, outer];
}

/** Whether a request carries the signature that only who knows the secret can make. */
export function isSigned(fields: ReadonlyMap<string, string>, body: Uint8Array, secretKey: string): boolean {
  const given = Buffer.from(fields.get(AccessField.SIGNATURE) ?? "");
  const matches = (without?: string) => {
    const expected = Buffer.from(signatureOf(fields, [body], secretKey, without));
    return expected.length === given.length && timingSafeEqual(expected, given);
  };
  return matches() || (fields.has(SOMETIMES_SIGNED) && matches(SOMETIMES_SIGNED));
}
