/**
 * The settings of TLS, under our names and RocketMQ's, and what they must be together.
 *
 * @module
 */
import { checkSettings } from "../../src/config/mod.ts";
import { assertEquals } from "../../src/std.ts";

const CERT = "tlsServerCertPath: /a.pem\ntlsServerKeyPath: /a.key\n";

function problems(text: string, role: "nameserver" | "master" = "master"): string[] {
  const loaded = checkSettings(text, { roles: [role], file: "x.yaml", env: { HOME: "/home" } });
  return loaded.ok ? [] : loaded.problems.map(({ message }) => message);
}

Deno.test("TLS is off without a certificate, and RocketMQ's keys mean the same as ours", () => {
  const text = "tls.server.mode: enforcing\ntls.server.certPath: /a.pem\ntls.server.keyPath: /a.key\n" +
    "tls.client.authServer: false\ntls.client.trustCertPath: /ca.pem\n";
  const [plain, strict] = ["", text].map((each) => checkSettings(each, { roles: ["master"], env: { HOME: "/home" } }));
  if (!plain?.ok || !strict?.ok) throw new Error("refused");
  const { broker: off } = plain.settings, { broker: on } = strict.settings;
  assertEquals([off?.tlsServerMode, off?.tlsServerCertPath, off?.tlsEnable, off?.tlsClientAuthServer], [
    "permissive",
    "",
    false,
    true,
  ]);
  assertEquals([on?.tlsServerMode, on?.tlsServerCertPath, on?.tlsServerKeyPath], ["enforcing", "/a.pem", "/a.key"]);
  // As RocketMQ's broker: who takes nothing but TLS speaks it as well.
  assertEquals([on?.tlsEnable, on?.tlsClientAuthServer, on?.tlsClientTrustCertPath], [true, false, "/ca.pem"]);
});

Deno.test("a certificate goes with its key", () => {
  assertEquals(problems(CERT), []);
  assertEquals(problems("tlsServerCertPath: /a.pem"), [
    'tlsServerCertPath "/a.pem": expected tlsServerCertPath and tlsServerKeyPath together',
  ]);
  assertEquals(problems("tlsServerKeyPath: /a.key", "nameserver"), [
    'tlsServerKeyPath "/a.key": expected tlsServerCertPath and tlsServerKeyPath together',
  ]);
  assertEquals(problems("tlsClientKeyPath: /a.key"), [
    'tlsClientKeyPath "/a.key": expected tlsClientCertPath and tlsClientKeyPath together',
  ]);
});

Deno.test("enforcing needs a certificate", () => {
  for (const role of ["nameserver", "master"] as const) {
    assertEquals(problems("tls.server.mode: enforcing", role), [
      'tls.server.mode "enforcing": expected permissive or disabled, or a certificate (tlsServerCertPath, ' +
      "tlsServerKeyPath)",
    ]);
    assertEquals(problems(`${CERT}tlsServerMode: enforcing`, role), []);
  }
});

Deno.test("to ask clients for certificates is refused, and so is an encrypted key", () => {
  for (const line of ["tls.server.need.client.auth: require", "tls.server.keyPassword: hidden"]) {
    const [problem, ...more] = problems(`${CERT}${line}`);
    assertEquals([problem?.includes("is not possible here"), problem?.includes("hidden"), more], [true, false, []]);
  }
  assertEquals(problems(`${CERT}tls.server.need.client.auth: none`), []);
});
