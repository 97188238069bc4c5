/**
 * Settings from file, environment and command line.
 *
 * @module
 */
import fc from "fast-check";
import { checkSettings, type LoadOptions, loadSettings, nearest, type NodeSettings } from "../../src/config/mod.ts";
import { problemLine, type Role } from "../../src/config/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";

const MASTER: LoadOptions = { roles: ["master"], file: "a.yaml", env: { HOME: "/home/me" } };
const BOTH: LoadOptions = { ...MASTER, roles: ["nameserver", "master"] };

function good(text: string, options: LoadOptions): NodeSettings {
  const loaded = checkSettings(text, options);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  return loaded.settings;
}

function lines(text: string, options: LoadOptions): string[] {
  const loaded = checkSettings(text, options);
  return loaded.ok ? [] : loaded.problems.map((problem) => problemLine(problem, options.file));
}

Deno.test("a master without a word has RocketMQ's defaults", () => {
  const { broker, nameserver } = good("", MASTER);
  assertEquals(nameserver, undefined);
  assertEquals(
    [broker!.listenPort, broker!.haListenPort, broker!.brokerId, broker!.brokerRole, broker!.flushDiskType],
    [10911, 10912, 0, "ASYNC_MASTER", "ASYNC_FLUSH"],
  );
  assertEquals(broker!.storePathCommitLog, "/home/me/store/commitlog");
  assertEquals(broker!.namesrvAddr, []);
});

Deno.test("defaults that hang on other settings follow them", () => {
  const { broker, nameserver } = good("storePathRootDir: /data\nbroker.listenPort: 20911\nbrokerIP1: 10.1.1.1\n", BOTH);
  assertEquals(
    [broker!.storePathCommitLog, broker!.haListenPort, broker!.brokerIP2, nameserver!.kvConfigPath],
    ["/data/commitlog", 20912, "10.1.1.1", "/data/namesrv/kvConfig.json"],
  );
});

Deno.test("a flag comes before the environment, that before the file, that before the default", () => {
  const env = { NAMESRV_ADDR: "env:2" };
  const text = "namesrvAddr: file:1";
  const address = (options: LoadOptions, file = text) => good(file, options).broker!.namesrvAddr;
  assertEquals(address({ ...MASTER, env, sets: ["namesrvAddr=flag:3;flag:4"] }), ["flag:3", "flag:4"]);
  assertEquals(address({ ...MASTER, env }), ["env:2"]);
  assertEquals(address(MASTER), ["file:1"]);
  assertEquals(address(MASTER, ""), []);
});

Deno.test("all mistakes are reported, each with key, value, what is allowed and its place", () => {
  const text = `# a comment
listenPort: 70000
flushDiskType: NOW

traceOn: "yes"
namesrvAddr:
  - good:1
  - bad
brokerName: ../etc
lisenPort: 1
`;
  assertEquals(lines(text, MASTER), [
    'a.yaml:2:13: listenPort "70000": expected a whole number from 3 to 65534',
    'a.yaml:3:16: flushDiskType "NOW": expected one of ASYNC_FLUSH, SYNC_FLUSH',
    'a.yaml:5:10: traceOn "yes": expected true or false',
    'a.yaml:6:1: namesrvAddr "good:1;bad": expected host:port; several are joined by ";"',
    'a.yaml:9:13: brokerName "../etc": expected a name of 1 to 127 letters, digits and _ - . % |',
    'a.yaml:10:1: lisenPort = "1" is not a setting: did you mean listenPort?',
  ]);
});

Deno.test("a mistake on the command line or in the environment says that it is there", () => {
  const options = { ...MASTER, sets: ["listenPort=x", "brokerName"], env: { NAMESRV_ADDR: "nowhere" } };
  assertEquals(lines("", options), [
    'environment: NAMESRV_ADDR "nowhere": expected host:port; several are joined by ";"',
    '--set: "brokerName": expected key=value',
    '--set: listenPort "x": expected a whole number from 3 to 65534',
  ]);
});

Deno.test("a file that is no YAML map is reported with its place", () => {
  assertStringIncludes(lines("a: 1\n b: 2\n", MASTER)[0]!, "a.yaml:2:3: Cannot read the file as YAML:");
  assertStringIncludes(lines("traceOn: true\ntraceOn: true\n", MASTER)[0]!, "a.yaml:2:1: ");
  assertEquals(lines("just words", MASTER), ['a.yaml:1:1: "just words": expected "key: value" on each line']);
  assertEquals(lines("brokerName: {a: b}", MASTER).length, 1);
});

Deno.test("values are taken as they are written, not as YAML would read them", () => {
  assertEquals(good("deleteWhen: 04\nbrokerName: 007\n", MASTER).broker!.deleteWhen, ["04"]);
  assertEquals(good("deleteWhen: 04\nbrokerName: 007\n", MASTER).broker!.brokerName, "007");
});

Deno.test("a Java properties file is read as Java reads it", () => {
  const file = "broker.conf";
  const text =
    "# comment\n! comment\nlistenPort = 20911\nbrokerName:b\\u0061\n namesrvAddr=a:1;\\\n  b:2\ntraceOn false";
  const { broker } = good(text, { ...MASTER, file });
  assertEquals(
    [broker!.listenPort, broker!.brokerName, broker!.namesrvAddr, broker!.traceOn],
    [20911, "ba", ["a:1", "b:2"], false],
  );
  assertEquals(lines("\n\nlistenPort=0\n", { ...MASTER, file }), [
    'broker.conf:3:12: listenPort "0": expected a whole number from 3 to 65534',
  ]);
});

Deno.test("the 4.1 spelling of a setting still works", () => {
  assertEquals(good("mapedFileSizeCommitLog: 65536", MASTER).broker!.mappedFileSizeCommitLog, 65536);
});

Deno.test("each form of file gives the place of key and value, however they are written", () => {
  const file = "a.conf";
  const text = "a=1\n  traceOn :  maybe\nlistenPort = \\\n   none\n\ttraceOf=x\n";
  assertEquals(lines(text, { ...MASTER, file }).map((line) => line.split(" ")[0]), [
    "a.conf:1:1:",
    "a.conf:2:14:",
    "a.conf:3:14:",
    "a.conf:5:2:",
  ]);
  const yaml = "broker:\n  traceOn:   maybe # or not\n  'listenPort': many\n  brokerId:\n    x\n";
  assertEquals(lines(yaml, BOTH).map((line) => line.split(" ")[0]), ["a.yaml:2:14:", "a.yaml:3:17:", "a.yaml:4:3:"]);
  const braces = "nameserver: {logLevel: info}\nbroker: {'traceOn': 1,\n  a.b: 2, logLevel: x}\n";
  assertEquals(lines(braces, BOTH).map((line) => line.split(" ")[0]), ["a.yaml:2:11:", "a.yaml:3:3:", "a.yaml:3:11:"]);
  assertEquals(lines("{listenPort: 1, }", MASTER).map((line) => line.split(" ")[0]), ["a.yaml:1:2:"]);
});

Deno.test("a secret is not shown either where a mistake hides that it is one", () => {
  for (
    const [text, file] of [
      ["aclSecretKey=Xyz1", "a.yaml"],
      ["aclSecretKey:Xyz1", "a.yaml"],
      ["- aclSecretKey: Xyz1", "a.yaml"],
      ["broker:\n- aclSecretKey: Xyz1", "a.yaml"],
      ["brokr:\n  aclSecretKey: Xyz1", "a.yaml"],
      ["aclSecrtKey: Xyz1", "a.yaml"],
      ["aclSecretKey: *Xyz1", "a.yaml"],
      ["aclSecretKey: !Xyz1", "a.yaml"],
      ["aclSecrtKey=Xyz1", "a.conf"],
      ["aclSecretKeyXyz1", "a.conf"],
    ] as const
  ) {
    const found = lines(text, { ...MASTER, file });
    assert(found.length > 0 && !found.join().includes("Xyz1"), `${text}: ${found}`);
  }
});

Deno.test("a mistake in the line of a secret does not show it", () => {
  for (const text of ["someSecretKey: Xyz1", "accessTokens: {Xyz1: a}", "broker.Password: Xyz1"]) {
    const [line, more] = lines(text, MASTER);
    assert(line !== undefined && more === undefined && !line.includes("Xyz1"), line);
    assertStringIncludes(line, "(not shown)");
  }
  assertEquals(
    lines("storeSecret=Xyz1\nstoreSecret=Xyz1\n", { ...MASTER, file: "a.conf" }).join().includes("Xyz1"),
    false,
  );
});

Deno.test("with several roles a prefix or a nested map says whose setting it is", () => {
  for (
    const text of [
      "nameserver.listenPort: 1001\nbroker.listenPort: 2001",
      "nameserver:\n  listenPort: 1001\nbroker:\n  listenPort: 2001",
    ]
  ) {
    const { nameserver, broker } = good(text, BOTH);
    assertEquals([nameserver!.listenPort, broker!.listenPort], [1001, 2001]);
  }
  assertEquals(lines("nameserver:\n  listenPort: x\nbroker:\n  listenPort: 99999\n", BOTH).map((line) => line[7]), [
    "2",
    "4",
  ]);
});

Deno.test("with several roles a bare listenPort is refused, naming both spellings", () => {
  assertEquals(lines("", { ...BOTH, sets: ["listenPort=1000"] }), [
    '--set: listenPort "1000" could be for each role: expected nameserver.listenPort or broker.listenPort',
  ]);
});

Deno.test("a bare key goes to each role that has it, and a prefixed one counts more", () => {
  const { nameserver, broker } = good("broker.maxConnections: 7\nmaxConnections: 5", BOTH);
  assertEquals([nameserver!.maxConnections, broker!.maxConnections], [5, 7]);
});

Deno.test("a setting of a role that does not run is refused bare and taken with its prefix", () => {
  assertStringIncludes(lines("kvConfigPath: /a", MASTER)[0]!, "is a setting of a nameserver");
  assertEquals(lines("nameserver.kvConfigPath: /a", MASTER), []);
});

for (
  const [role, setting, expected] of [
    ["master", "brokerId=1", 'brokerId "1": expected 0 with --role master'],
    ["slave", "brokerId=0", 'brokerId "0": expected a number above 0 with --role slave'],
    ["master", "brokerRole=SLAVE", 'brokerRole "SLAVE": expected ASYNC_MASTER or SYNC_MASTER with --role master'],
    ["master", "haListenPort=10909", 'haListenPort "10909": expected another port than 10911'],
  ] as const
) {
  Deno.test(`${setting} contradicts --role ${role} or another setting`, () => {
    const found = lines("", { roles: [role], sets: [setting], env: {} });
    assertEquals(found.length, 1);
    assertStringIncludes(found[0]!, expected);
  });
}

Deno.test("roles in one process cannot share a port", () => {
  assertEquals(lines("nameserver.listenPort: 10909", BOTH).length, 1);
});

Deno.test("a file that is not there is a problem that names it", async () => {
  const loaded = await loadSettings({ roles: ["master"], file: "/nonexistent/a.yaml" });
  assert(!loaded.ok && loaded.problems.length === 1);
  assertStringIncludes(loaded.problems[0]!.message, "Cannot read the file");
});

Deno.test("no text makes the reader of settings throw, and each problem is one line", () => {
  const role = fc.constantFrom<Role>("nameserver", "master", "slave");
  const key = fc.constantFrom(
    "listenPort",
    "broker.listenPort",
    "namesrvAddr",
    "__proto__",
    "broker",
    "constructor",
    "",
  );
  const line = fc.tuple(key, fc.constantFrom(": ", "=", ":", "\n  "), fc.string({ unit: "binary" })).map((p) =>
    p.join("")
  );
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.array(line).map((all) => all.join("\n")));
  fc.assert(
    fc.property(
      fc.uniqueArray(role, { minLength: 1 }),
      fc.constantFrom("a.yaml", "a.conf"),
      text,
      fc.array(line),
      text,
      (roles, file, text, sets, address) => {
        for (const found of lines(text, { roles, file, sets, env: { NAMESRV_ADDR: address } })) {
          assert(!/\p{Cc}/u.test(found), found);
        }
      },
    ),
  );
});

Deno.test("nearest() guesses a mistyped name and does not guess wildly", () => {
  assertEquals(nearest("brokername", ["brokerName", "brokerId"]), "brokerName");
  assertEquals(nearest("xyz", ["brokerName"]), undefined);
});

for (
  const [file, roles] of [
    ["nameserver.yaml", ["nameserver"]],
    ["master.yaml", ["master"]],
    ["slave.yaml", ["slave"]],
    ["development.yaml", ["nameserver", "master"]],
  ] as const
) {
  Deno.test(`the example config/${file} is good`, async () => {
    const path = new URL(`../../config/${file}`, import.meta.url).pathname;
    const loaded = await loadSettings({ roles, file: path });
    assertEquals(loaded.ok ? loaded.warnings : loaded.problems, []);
  });
}

for (const role of ["nameserver", "master", "slave"] as const) {
  const file = `${role}.yaml`;
  Deno.test(`config/${file} shows the defaults, as it says`, async () => {
    const path = new URL(`../../config/${file}`, import.meta.url).pathname;
    const [shown, plain] = await Promise.all([
      loadSettings({ roles: [role], file: path }),
      loadSettings({ roles: [role] }),
    ]);
    assertEquals(shown, plain);
  });
}

Deno.test("a secret is not taken from the command line, where everybody could see it", () => {
  const account = { ROCKETD_ACCESS_KEY: "the-slave", ROCKETD_SECRET_KEY: "secret-of-slave" };
  const good = checkSettings("", { roles: ["slave"], env: account });
  assert(good.ok);
  assertEquals(good.settings.broker?.aclSecretKey, "secret-of-slave");
  const bad = checkSettings("", { roles: ["slave"], sets: ["aclAccessKey=the-slave", "aclSecretKey=secret-of-slave"] });
  assert(!bad.ok);
  const messages = bad.problems.map(({ message }) => message).join();
  assert(messages.includes("$ROCKETD_SECRET_KEY") && !messages.includes("secret-of-slave"), messages);
});

Deno.test("a broker's account has both a name and a secret, or there is none", () => {
  for (
    const [env, named] of [[{ ROCKETD_ACCESS_KEY: "the-slave" }, "aclAccessKey"], [{
      ROCKETD_SECRET_KEY: "secret-of-slave",
    }, "aclSecretKey"]] as const
  ) {
    const checked = checkSettings("", { roles: ["slave"], env });
    assert(!checked.ok);
    assert(checked.problems[0]!.message.includes("aclAccessKey and aclSecretKey together"), named);
  }
});

Deno.test("a list of what must not change names settings: another name would protect nothing", () => {
  const list = (...names: string[]) => lines(`configBlackList: [${names.join(", ")}]`, MASTER);
  assertEquals(list("maxMesageSize", "fileReservedTime"), [
    'a.yaml:1:18: configBlackList "maxMesageSize": expected names of settings',
  ]);
  assertEquals(list("fileReservedTime", "mapedFileSizeCommitLog", "orderMessageEnable"), []);
  assertEquals(list("configBlackList", "brokerConfigPath"), [], "the default of 4.9.8");
});
