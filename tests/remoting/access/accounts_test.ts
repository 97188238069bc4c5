/**
 * Accounts on the disk: found at the start, read again, changed by requests.
 *
 * @module
 */
import { RocketdError } from "../../../src/errors.ts";
import { denoDisk } from "../../../src/platform/disk.ts";
import { Accounts } from "../../../src/remoting/access/accounts.ts";
import { readAclFile } from "../../../src/remoting/access/acl_file.ts";
import { assert, assertEquals, assertThrows } from "../../../src/std.ts";
import { HandClock, inFolder, START } from "../../broker/workshop.ts";

/** More than the time between two looks. */
const LOOK_MS = 5_000;
const ONE = "accounts:\n- {accessKey: account-1, secretKey: secret-1, admin: true}\n";
const TWO = `${ONE}- {accessKey: account-2, secretKey: secret-2}\n`;
const EMPTY = "accounts: []\n";

async function inConf(test: (files: { file: string; more: string; clock: HandClock; open(): Accounts }) => void) {
  await inFolder((folder) => {
    const clock = new HandClock();
    const file = `${folder}/plain_acl.yml`, more = `${folder}/acl`;
    test({
      file,
      more,
      clock,
      open: () => {
        const accounts = new Accounts({ aclFile: file, disk: denoDisk, clock });
        accounts.watch();
        return accounts;
      },
    });
  });
}

const keys = (accounts: Accounts) => [...accounts.book.byKey.keys()].sort();
const write = (path: string, text: string) => Deno.writeTextFileSync(path, text);

Deno.test("without its file, or with one that cannot be read, access control does not begin", async () => {
  await inConf(({ file, open }) => {
    const refusal = () => {
      const error = assertThrows(open, RocketdError);
      assertEquals(error.code, "invalidSettings");
      assert(error.message.includes("aclEnable") && error.message.includes(file), error.message);
      return error.message;
    };
    refusal();
    write(file, "");
    assert(refusal().includes("says nothing"));
    write(file, "accounts: [");
    assert(refusal().includes("YAML"));
    write(file, ONE.replace("secret-1", "short"));
    assert(refusal().includes("secretKey has 5 characters"));
    Deno.removeSync(file);
    Deno.mkdirSync(file);
    refusal();
  });
});

Deno.test("a file that changes counts soon, and what was read before until then", async () => {
  await inConf(({ file, clock, open }) => {
    write(file, ONE);
    const accounts = open();
    const before = accounts.book;
    write(file, TWO);
    assertEquals(keys(accounts), ["account-1"]);
    clock.go(LOOK_MS);
    assertEquals(keys(accounts), ["account-1", "account-2"]);
    assert(accounts.book !== before);
    const after = accounts.book;
    clock.go(LOOK_MS);
    assert(accounts.book === after, "nothing had changed");
    accounts.close();
    assertEquals(clock.timers, 0);
  });
});

Deno.test("a file that is damaged, emptied or lost leaves the accounts as they were, until it can be read", async () => {
  await inConf(({ file, clock, open }) => {
    write(file, ONE);
    const accounts = open();
    const damages = [
      () => write(file, "accounts: ["),
      () => write(file, ""),
      () => write(file, TWO.replace("secret-2", "short")),
      () => write(file, TWO.replaceAll("account-2", "account-1")),
      () => Deno.removeSync(file),
    ];
    for (const damage of damages) {
      damage();
      clock.go(LOOK_MS);
      assertEquals(keys(accounts), ["account-1"]);
      assertThrows(() => accounts.put({ accessKey: "account-3", secretKey: "secret-3" }), RocketdError, file);
    }
    write(file, TWO);
    clock.go(LOOK_MS);
    assertEquals(keys(accounts), ["account-1", "account-2"]);
  });
});

Deno.test("the files of the folder acl beside it count too, those that come and go as well", async () => {
  await inConf(({ file, more, clock, open }) => {
    Deno.mkdirSync(`${more}/team`, { recursive: true });
    write(`${more}/team/two.yaml`, TWO.replace("account-1", "account-3"));
    write(`${more}/notes.txt`, "no accounts");
    const alone = open();
    assertEquals(keys(alone), ["account-2", "account-3"]);
    write(file, ONE);
    clock.go(LOOK_MS);
    assertEquals(keys(alone), ["account-1", "account-2", "account-3"]);
    assertEquals([...alone.versions.keys()], [file, `${more}/team/two.yaml`]);
    Deno.removeSync(`${more}/team/two.yaml`);
    clock.go(LOOK_MS);
    assertEquals(keys(alone), ["account-1"]);
    Deno.removeSync(file);
    write(`${more}/four.yml`, ONE);
    clock.go(LOOK_MS);
    assertEquals(keys(alone), ["account-1"]);
  });
});

Deno.test("an access key in two files, or twice in one, is refused with the place of the first", async () => {
  await inConf(({ file, more, open }) => {
    Deno.mkdirSync(more);
    write(file, ONE);
    write(`${more}/again.yml`, ONE);
    assertThrows(open, RocketdError, `account-1 is in ${file}`);
    Deno.removeSync(`${more}/again.yml`);
    write(file, ONE + ONE.replace("accounts:\n", ""));
    assertThrows(open, RocketdError, "accounts[1]");
  });
});

Deno.test("an account is added, changed in what is given, and removed, each with a new version, and stays so", async () => {
  await inConf(({ file, clock, open }) => {
    write(file, `owner: somebody\n${ONE}`);
    const accounts = open();
    accounts.put({ accessKey: "account-2", secretKey: "secret-2", topicPerms: ["T=PUB"] });
    assertEquals(accounts.version, { counter: 1, timestamp: START });
    clock.go(1);
    accounts.put({ accessKey: "account-2", admin: true, whiteRemoteAddress: "10.1.1.1" });
    assertEquals(accounts.version, { counter: 2, timestamp: START + 1 });
    const { entry, admin, grants, isWhite } = accounts.book.byKey.get("account-2")!;
    assertEquals([entry.secretKey, admin, [...grants.keys()], isWhite("10.1.1.1")], ["secret-2", true, ["T"], true]);
    assert(accounts.remove("account-1"));
    assert(!accounts.remove("account-1"));
    assertEquals(accounts.version.counter, 3);
    const again = open();
    assertEquals(keys(again), ["account-2"]);
    assertEquals(again.entries, accounts.entries);
    assertEquals(readAclFile(Deno.readTextFileSync(file)).others, { owner: "somebody" });
  });
});

Deno.test("what is not allowed changes neither the accounts nor the file", async () => {
  await inConf(({ file, open }) => {
    write(file, ONE);
    const accounts = open();
    const { book } = accounts;
    const bad = [
      { accessKey: "account-2" },
      { accessKey: "short", secretKey: "secret-2" },
      { accessKey: "account-1", secretKey: "short" },
      { accessKey: "account-1", topicPerms: ["T=ALL"] },
      { accessKey: "account-1", defaultGroupPerm: "SUBB" },
      { accessKey: "account-1", whiteRemoteAddress: "office" },
    ];
    for (const entry of bad) assertThrows(() => accounts.put(entry), RocketdError);
    assertThrows(() => accounts.setGlobalWhiteAddresses(["office"]), RocketdError);
    assert(accounts.book === book);
    assertEquals(Deno.readTextFileSync(file), ONE);
  });
});

Deno.test("a change goes into the file where the account is, a new account into aclFile", async () => {
  await inConf(({ file, more, open }) => {
    Deno.mkdirSync(more);
    write(file, EMPTY);
    write(`${more}/one.yml`, ONE);
    const accounts = open();
    accounts.put({ accessKey: "account-1", admin: false });
    accounts.put({ accessKey: "account-2", secretKey: "secret-2" });
    const inFile = (path: string) =>
      readAclFile(Deno.readTextFileSync(path)).accounts.map(({ accessKey }) => accessKey);
    assertEquals([inFile(file), inFile(`${more}/one.yml`)], [["account-2"], ["account-1"]]);
  });
});

Deno.test("the addresses that may do everything are set in a file that is there, and in no other", async () => {
  await inConf(({ file, more, open }) => {
    Deno.mkdirSync(more);
    write(file, ONE);
    write(`${more}/two.yml`, EMPTY);
    const accounts = open();
    accounts.setGlobalWhiteAddresses(["10.1.1.*"]);
    accounts.setGlobalWhiteAddresses(["10.2.2.2"], `${more}/two.yml`);
    assertEquals(accounts.globalWhiteAddresses, ["10.1.1.*", "10.2.2.2"]);
    assert(accounts.book.white.some((contains) => contains("10.1.1.9")));
    for (const path of [`${more}/three.yml`, `${more}/../acl/two.yml`, "/etc/passwd"]) {
      assertThrows(() => accounts.setGlobalWhiteAddresses(["*"], path), RocketdError, "no file of accounts");
    }
  });
});

Deno.test("what is written can be read by its owner only, whatever a crash left there", async () => {
  await inConf(({ file, open }) => {
    write(file, ONE);
    write(`${file}.tmp`, "left");
    Deno.chmodSync(`${file}.tmp`, 0o666);
    open().put({ accessKey: "account-2", secretKey: "secret-2" });
    assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  });
});
