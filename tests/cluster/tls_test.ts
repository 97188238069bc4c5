/**
 * Real processes of ours that take nothing but TLS, and the shell's clients that speak it.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { hasTools } from "../cache.ts";
import { Authority } from "../certificates.ts";
import { startRocketd } from "../launch.ts";
import { RawPeer } from "../remoting/raw_peer.ts";

const program = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;
const READY = hasTools("openssl");

async function rocketd(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test({
  name: "the shell's clients speak TLS with nodes that take nothing else, and only with whom they trust",
  ignore: !READY,
  fn: async (t) => {
    await using authority = await Authority.create();
    await using stranger = await Authority.create();
    const trust = await Deno.readTextFile(authority.cert);
    const { cert, key } = await authority.issue("node", "IP:127.0.0.1");
    const server = { tlsServerMode: "enforcing", tlsServerCertPath: cert, tlsServerKeyPath: key };
    await using nameserver = await startRocketd({ role: "nameserver", settings: server, trust });
    const settings = { ...server, tlsClientTrustCertPath: authority.cert };
    const namesrvAddr = nameserver.address;
    await using master = await startRocketd({ role: "master", namesrvAddr, settings, trust });
    const namesrv = `--namesrv=${namesrvAddr}`, ca = `--tls-ca=${authority.cert}`;

    await t.step("produce, consume, bench and admin", async () => {
      const sent = await rocketd("produce", namesrv, ca, "--topic", "T", "one", "two");
      assertEquals(sent.code, 0, sent.err);
      const got = await rocketd("consume", namesrv, ca, "--topic", "T", "--group", "g", "--count", "2");
      assertEquals([got.code, got.out.trim().split("\n").sort()], [0, ["one", "two"]], got.err);
      const measured = await rocketd("bench", "send", "--broker", master.address, ca, "--seconds", "1");
      assertEquals(measured.code, 0, measured.err);
      const listed = await rocketd("admin", "topicList", namesrv, "--tls-verify", "nothing");
      assertEquals(listed.code, 0, listed.err);
      assertStringIncludes(listed.out, "BenchmarkTest");
    });

    await t.step("whose flags say whom to trust", async () => {
      for (
        const [reason, ...flags] of [
          ["Cannot reach", "--tls"],
          ["invalid peer certificate", `--tls-ca=${stranger.cert}`],
          ["none.pem (--tls-ca)", `--tls-ca=${authority.dir}/none.pem`],
        ] as const
      ) {
        const { code, err } = await rocketd("produce", namesrv, ...flags, "--topic", "T", "three");
        assertEquals(code, 1, err);
        assertStringIncludes(err, reason);
      }
      const { code, err } = await rocketd("produce", namesrv, "--tls-verify", "some", "--topic", "T", "three");
      assertEquals(code, 2, err);
      assertStringIncludes(err, "expected everything, chain, nothing");
    });

    await t.step("SIGTERM ends nodes that hold TLS connections", async () => {
      using idle = await Deno.connectTls({ hostname: "127.0.0.1", port: master.port, caCerts: [trust] });
      assertEquals((await new RawPeer(idle).ask({ code: 9999 })).header.code, 3);
      assertEquals(await master.stop(), 0);
      assertEquals(await nameserver.stop(), 0);
      assertEquals(await idle.read(new Uint8Array(1)), null);
    });
  },
});

Deno.test({
  name: "a node whose certificate cannot be used does not start",
  ignore: !READY,
  fn: async () => {
    const set = ["--set", "tlsServerCertPath=/nowhere.pem", "--set", "tlsServerKeyPath=/nowhere.key"];
    const { code, err } = await rocketd(
      "--role",
      "nameserver",
      "--set",
      "listenPort=0",
      "--set",
      "httpListen=0",
      ...set,
    );
    assertEquals(code, 2, err);
    assertStringIncludes(err, "Cannot use /nowhere.pem (tlsServerCertPath): ");
  },
});
