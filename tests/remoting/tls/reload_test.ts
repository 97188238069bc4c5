/**
 * The files of a server's certificate: at the start, and replaced while it runs.
 *
 * @module
 */
import { RocketdError } from "../../../src/errors.ts";
import { RemotingClient } from "../../../src/remoting/client.ts";
import { ServerTls } from "../../../src/remoting/tls/server_tls.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../../src/std.ts";
import { Authority } from "../../certificates.ts";
import { ask, certFiles, maxOffset, replace, type Stage, tlsPeer, tlsTest, until } from "./stage.ts";

/** Whether the server shows a certificate that the given authority vouches for. */
async function shows(stage: Stage, authority: Authority): Promise<boolean> {
  try {
    using _ = await tlsPeer({ ...stage, authority });
    return true;
  } catch {
    return false;
  }
}

tlsTest("new connections get the new certificate, those that are open go on", async (stage) => {
  using before = await tlsPeer(stage);
  await using other = await Authority.create();
  const { cert, key } = await other.issue("next", "IP:127.0.0.1");
  await replace(stage.pair, { cert, key });
  await until(() => stage.tls.counts.reloads > 0);
  assertEquals([await shows(stage, other), await shows(stage, stage.authority)], [true, false]);
  assertEquals((await before.ask(maxOffset(1))).header.opaque, 1);
});

tlsTest("a broken certificate is not taken, said once, and the next good one is", async (stage) => {
  const { cert, key } = stage.pair;
  const good = await Deno.readTextFile(cert);
  await Deno.writeTextFile(`${stage.authority.dir}/broken`, "no certificate");
  await replace({ cert }, { cert: `${stage.authority.dir}/broken` });
  await until(() => stage.lines.length > 0);
  await looks(20);
  assertEquals(stage.lines, [
    `the new certificate in ${cert} cannot be used: No certificates found in certificate data; the certificate before it ` +
    "stays in use",
  ]);
  assertEquals(await shows(stage, stage.authority), true);
  await Deno.remove(key);
  await until(() => stage.lines.length > 1);
  assertStringIncludes(stage.lines[1]!, "tlsServerKeyPath");
  assertEquals([await shows(stage, stage.authority), stage.tls.counts.reloads], [true, 0]);
  const next = await stage.authority.issue("server", "IP:127.0.0.1");
  await until(() => stage.tls.counts.reloads > 0);
  assertEquals([await shows(stage, stage.authority), next.cert], [true, cert]);
  assert(await Deno.readTextFile(cert) !== good);
});

tlsTest("a key that is not the certificate's is not taken", async (stage) => {
  const other = await stage.authority.issue("other", "IP:127.0.0.1");
  await replace({ key: stage.pair.key }, other);
  await until(() => stage.lines.length > 0);
  assertStringIncludes(stage.lines[0]!, "keys may not be consistent");
  assertEquals(await shows(stage, stage.authority), true);
});

/** Waits while the server looks at its files some times more. */
async function looks(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * 5));
}

tlsTest("files that cannot be used end the start, with the setting that names them", async ({ authority, pair }) => {
  const other = await authority.issue("other", "IP:127.0.0.1");
  const empty = `${authority.dir}/empty`, encrypted = `${authority.dir}/encrypted`;
  await Deno.writeTextFile(empty, "");
  await Deno.writeTextFile(encrypted, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
  for (
    const [cert, key, reason] of [
      [`${authority.dir}/none`, pair.key, "none (tlsServerCertPath): No such file"],
      [pair.cert, authority.dir, "(tlsServerKeyPath): it is not a file"],
      [pair.cert, encrypted, "(tlsServerKeyPath): its key is encrypted"],
      [empty, pair.key, "empty (tlsServerCertPath): with "],
      [pair.cert, empty, "No keys found in key data"],
      [pair.cert, other.key, "keys may not be consistent"],
    ] as const
  ) {
    const opening = () => ServerTls.open({ mode: "permissive", ...certFiles({ cert, key }) });
    const { code } = await assertRejects(opening, RocketdError, reason);
    assertEquals(code, "invalidSettings");
  }
});

tlsTest("a key that every user can read is worth a line", async ({ address, trust, pair, lines }) => {
  using secure = new RemotingClient({ tls: trust });
  await ask(secure, address);
  assertEquals(lines, []);
  await Deno.chmod(pair.key, 0o644);
  const tls = await ServerTls.open({ mode: "permissive", ...certFiles(pair) });
  await tls.close();
  assertEquals(lines, [`every user of this machine can read ${pair.key} (tlsServerKeyPath): take that right away`]);
});
