/**
 * Signatures as the official clients make them.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { isSigned, signatureOf, signer, signerOf, signingKey } from "../../../src/remoting/access/signature.ts";
import { assert, assertEquals } from "../../../src/std.ts";

const text = new TextEncoder();
const NO_BODY = new Uint8Array(0);

Deno.test("a signature is the one that RocketMQ's AclUtils makes", () => {
  // Recorded from 4.9.7: calSignature("abc", signingKey("12345678")).
  assertEquals(signatureOf(new Map(), [text.encode("abc")], signingKey("12345678")), "BOigG5+Fiv0354g5bQuwOUOPMp0=");
  assertEquals(
    signatureOf(new Map([["topic", "c"], ["AccessKey", "ab"]]), [], signingKey("12345678")),
    "BOigG5+Fiv0354g5bQuwOUOPMp0=",
  );
});

Deno.test("a signature is HMAC-SHA1, whatever the length of the secret and the text", () => {
  for (const length of [7, 63, 64, 65, 200]) {
    for (const bytes of [0, 55, 64, 5000]) {
      const secret = "ä1b2c3d4".repeat(30).slice(0, length), body = new Uint8Array(bytes).fill(length);
      const expected = createHmac("sha1", secret).update("value").update(body).digest("base64");
      assertEquals(signatureOf(new Map([["name", "value"]]), [body], signingKey(secret)), expected);
    }
  }
});

Deno.test("values count in the order of their names, the signature itself does not", () => {
  const sign = (fields: [string, string][]) => signatureOf(new Map(fields), [], signingKey("secret-1"));
  const expected = sign([["A", "1"], ["_u", "2"], ["a", "3"]]);
  assertEquals(sign([["a", "3"], ["_u", "2"], ["A", "1"]]), expected);
  assertEquals(sign([["a", "3"], ["_u", "2"], ["A", "1"], ["Signature", "x"]]), expected);
  assert(sign([["a", "1"], ["_u", "2"], ["A", "3"]]) !== expected);
});

Deno.test("what a signer gives is accepted, and only with the same fields, body and secret", () => {
  const fields = new Map([["topic", "T"], ["queueId", "0"]]);
  const body = text.encode("hällo");
  const extra = signer({ accessKey: "account-1", secretKey: "secret-1", securityToken: "token" })(fields, [
    body.subarray(0, 3),
    body.subarray(3),
  ]);
  assertEquals([...extra.keys()].sort(), ["AccessKey", "SecurityToken", "Signature"]);
  const sent = new Map([...fields, ...extra]);
  assert(isSigned(sent, body, signingKey("secret-1")));
  assert(!isSigned(sent, body, signingKey("secret-2")));
  assert(!isSigned(sent, text.encode("hallo!"), signingKey("secret-1")));
  assert(!isSigned(new Map([...sent, ["queueId", "1"]]), body, signingKey("secret-1")));
  assert(!isSigned(new Map([...sent, ["more", "x"]]), body, signingKey("secret-1")));
});

Deno.test("no signature, half of one, or one with more behind is none", () => {
  const fields = new Map([["AccessKey", "account-1"]]);
  const good = signatureOf(fields, [], signingKey("secret-1"));
  assert(isSigned(new Map([...fields, ["Signature", good]]), NO_BODY, signingKey("secret-1")));
  for (const bad of ["", good.slice(0, -1), `${good}=`, good.toLowerCase(), "ä".repeat(14)]) {
    assert(!isSigned(new Map([...fields, ["Signature", bad]]), NO_BODY, signingKey("secret-1")), bad);
  }
  assert(!isSigned(fields, NO_BODY, signingKey("secret-1")));
});

Deno.test("queries by unique key are accepted as clients before and since 4.9.4 sign them", () => {
  const fields = new Map([["AccessKey", "account-1"], ["key", "K"]]);
  const all = new Map([...fields, ["_UNIQUE_KEY_QUERY", "true"]]);
  assert(
    isSigned(
      new Map([...all, ["Signature", signatureOf(fields, [], signingKey("secret-1"))]]),
      NO_BODY,
      signingKey("secret-1"),
    ),
  );
  assert(
    isSigned(
      new Map([...all, ["Signature", signatureOf(all, [], signingKey("secret-1"))]]),
      NO_BODY,
      signingKey("secret-1"),
    ),
  );
});

Deno.test("a broker signs when its settings name an account", () => {
  assertEquals(signerOf({ aclAccessKey: "", aclSecretKey: "" }), undefined);
  const extra = signerOf({ aclAccessKey: "account-1", aclSecretKey: "secret-1" })!(new Map(), []);
  assertEquals(extra.get("AccessKey"), "account-1");
});
