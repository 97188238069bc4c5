/**
 * Accounts on the command line: the shell's clients sign, and a node without its file of accounts does not start.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { startRocketd } from "../launch.ts";

const PROGRAM = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;
const ACCOUNTS = `accounts:
- {accessKey: the-admin, secretKey: secret-of-admin, admin: true}
- {accessKey: publisher, secretKey: secret-of-publisher, defaultTopicPerm: PUB}
`;

async function rocketd(args: readonly string[], env: Record<string, string> = {}) {
  const clean = { ROCKETD_ACCESS_KEY: "", ROCKETD_SECRET_KEY: "", ...env };
  const command = new Deno.Command(PROGRAM, { args: [...args], env: clean, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rocketd-accounts-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the shell's clients sign with the account of their flags or of the environment", () =>
  inFolder(async (folder) => {
    const aclFile = `${folder}/plain_acl.yml`, secretFile = `${folder}/secret`;
    await Deno.writeTextFile(aclFile, ACCOUNTS);
    await Deno.writeTextFile(secretFile, "secret-of-publisher\n");
    await using nameserver = await startRocketd({ role: "nameserver" });
    const settings = { aclEnable: true, aclFile };
    await using master = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
    const [nameservers, topic] = [["-n", nameserver.address], ["-t", "Signed"]];
    const publisher = ["--access-key", "publisher", "--secret-key-file", secretFile];
    const admin = { ROCKETD_ACCESS_KEY: "the-admin", ROCKETD_SECRET_KEY: "secret-of-admin" };

    const sent = await rocketd(["produce", ...nameservers, ...topic, ...publisher, "hello"]);
    assertEquals(sent.code, 0, sent.err);
    const got = await rocketd(["consume", ...nameservers, ...topic, "-g", "g", "--count", "1"], admin);
    assertEquals([got.code, got.out], [0, "hello\n"], got.err);
    const bench = ["bench", "send", "-b", master.address, ...topic, "--seconds", "1", "--in-flight", "4"];
    for (const encoding of ["binary", "json"]) {
      const measured = await rocketd([...bench, "--encoding", encoding, ...publisher]);
      assertEquals(measured.code, 0, measured.out + measured.err);
    }
    const unsigned = await rocketd(["produce", ...nameservers, ...topic, "hello"]);
    assertEquals(unsigned.code, 1);
    assertStringIncludes(unsigned.err, "No accessKey is configured");
  }));

Deno.test("half an account is no account: exit code 2, and which half is missing", () =>
  inFolder(async (folder) => {
    const produce = ["produce", "-n", "127.0.0.1:1", "-t", "T", "x"];
    const missing = await rocketd([...produce, "--access-key", "publisher"]);
    assertEquals(missing.code, 2);
    assertStringIncludes(missing.err, "--secret-key-file or $ROCKETD_SECRET_KEY");
    const nobody = await rocketd([...produce, "--secret-key-file", `${folder}/secret`]);
    assertEquals(nobody.code, 2);
    assertStringIncludes(nobody.err, "--access-key");
    const unreadable = await rocketd([
      ...produce,
      "--access-key",
      "publisher",
      "--secret-key-file",
      `${folder}/secret`,
    ]);
    assertEquals(unreadable.code, 2);
    assertStringIncludes(unreadable.err, "secret-key-file");
  }));

for (const role of ["nameserver", "master"]) {
  Deno.test(`a ${role} with aclEnable and no file of accounts ends with exit code 2 and one line`, () =>
    inFolder(async (folder) => {
      const sets = ["aclEnable=true", `storePathRootDir=${folder}`, "bindAddress=127.0.0.1", "logLevel=warn"];
      const port = role === "nameserver" ? ["listenPort=0"] : [];
      const { code, err } = await rocketd(["--role", role, ...[...sets, ...port].flatMap((set) => ["--set", set])]);
      assertEquals([code, err.trimEnd().split("\n").length], [2, 1], err);
      for (const word of ["aclEnable", `${folder}/`, "plain_acl.yml"]) assertStringIncludes(err, word);
    }));
}
