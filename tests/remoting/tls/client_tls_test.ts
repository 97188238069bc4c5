/**
 * Whom our clients trust when they speak TLS.
 *
 * @module
 */
import { RocketdError } from "../../../src/errors.ts";
import { RemotingClient } from "../../../src/remoting/client.ts";
import type { ClientTlsOptions } from "../../../src/remoting/tls/client_tls.ts";
import { assertEquals, assertRejects } from "../../../src/std.ts";
import { Authority } from "../../certificates.ts";
import { ask, pem, replace, type Stage, tlsTest, until } from "./stage.ts";

async function refused(stage: Pick<Stage, "address">, tls: ClientTlsOptions, reason: string): Promise<void> {
  using client = new RemotingClient({ tls });
  const { code } = await assertRejects(() => ask(client, stage.address), RocketdError, reason);
  assertEquals(code, "unavailable");
}

async function accepted({ address }: Pick<Stage, "address">, tls: ClientTlsOptions): Promise<void> {
  using client = new RemotingClient({ tls });
  await ask(client, address, "x".repeat(1_000_000));
}

tlsTest("a server is asked for a certificate that can be trusted, unless nothing is to be verified", async (stage) => {
  await using other = await Authority.create();
  await accepted(stage, stage.trust);
  await refused(stage, { verify: "everything" }, "UnknownIssuer");
  await refused(stage, { verify: "chain", trust: pem(other.cert) }, "invalid peer certificate");
  await accepted(stage, { verify: "nothing" });
  await until(() => stage.server.connections.size === 0);
});

tlsTest("a certificate for another host is refused, unless only its origin counts", async (stage) => {
  const { cert, key } = await stage.authority.issue("elsewhere", "DNS:elsewhere");
  await replace(stage.pair, { cert, key });
  await until(() => stage.tls.counts.reloads > 0);
  await refused(stage, stage.trust, 'not valid for name "127.0.0.1"');
  await accepted(stage, { ...stage.trust, verify: "chain" });
});

tlsTest("a client may have a certificate of its own", async (stage) => {
  const own = await stage.authority.issue("client", "DNS:client");
  const pair = { cert: pem(own.cert), key: pem(own.key) };
  await accepted(stage, { ...stage.trust, ...pair });
  await accepted(stage, { verify: "nothing", ...pair });
});

tlsTest("a server that does not speak TLS, or says nothing, fails the call in time", async ({ trust }) => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using rude = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const silence = (async () => {
    for await (const conn of silent) taken.push(conn);
  })();
  const rudeness = (async () => {
    for await (const conn of rude) {
      // Its peer may have given up by now.
      await conn.write(new Uint8Array(64)).catch(() => {});
      taken.push(conn);
    }
  })();
  for (const verify of ["everything", "nothing"] as const) {
    for (const listener of [silent, rude]) {
      using client = new RemotingClient({ tls: { ...trust, verify }, connectTimeoutMs: 200 });
      const calling = () => ask(client, `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`);
      await assertRejects(calling, RocketdError, "127.0.0.1:");
    }
  }
  silent.close();
  rude.close();
  await Promise.all([silence, rudeness]);
  for (const conn of taken) conn.close();
});

tlsTest("a file of trust that cannot be read is named", async (stage) => {
  await refused(
    stage,
    { ...stage.trust, trust: pem("/nowhere.pem", "tlsClientTrustCertPath") },
    "tlsClientTrustCertPath",
  );
});
