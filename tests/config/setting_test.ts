/**
 * The kinds of settings, and the tables as a whole.
 *
 * @module
 */
import { brokerSettings, nameserverSettings, type Table } from "../../src/config/mod.ts";
import { bool, choice, constantDefaults, int, list, long, path, string } from "../../src/config/setting.ts";
import { ADDRESS, HOST, NAME } from "../../src/config/forms.ts";
import { SECRET_NAME } from "../../src/config/problem.ts";
import { thisMachine } from "../../src/config/surroundings.ts";
import { assert, assertEquals, assertThrows } from "../../src/std.ts";

const help = "a test";

Deno.test("a whole number is read within its bounds, and nothing else is", () => {
  const setting = int({ default: 3, min: -2, max: 10, help });
  assertEquals(["-2", "10", "+4", "007"].map(setting.parse), [-2, 10, 4, 7]);
  for (const wrong of ["-3", "11", "", " 1", "1.5", "1e1", "0x1", "NaN", "ten", "1 0"]) {
    assertEquals(setting.parse(wrong), undefined, wrong);
  }
});

Deno.test("an int ends at 2^31 - 1 and a long at 2^53 - 1, where numbers stop being exact", () => {
  assertEquals(["2147483647", "2147483648"].map(int({ default: 0, help }).parse), [2147483647, undefined]);
  const values = ["9007199254740991", "9007199254740992", "99999999999999999999"].map(long({ default: 0, help }).parse);
  assertEquals(values, [9007199254740991, undefined, undefined]);
});

Deno.test("a boolean is true or false in any case", () => {
  const { parse } = bool({ default: true, help });
  assertEquals(["true", "FALSE", "yes", "1", "", "toString"].map(parse), [true, false, ...Array(4).fill(undefined)]);
});

Deno.test("a choice is one of its words, exactly", () => {
  const { parse, allowed } = choice(["A", "B"], { default: "A", help });
  assertEquals(["B", "b", ""].map(parse), ["B", undefined, undefined]);
  assertEquals(allowed, "one of A, B");
});

Deno.test("a list drops blank items and refuses wrong ones", () => {
  const { parse } = list(ADDRESS, { default: [], help });
  assertEquals(parse(" a:1; ;[::1]:2;"), ["a:1", "[::1]:2"]);
  assertEquals(parse(""), []);
  assertEquals(["a", "a:0", "a:65536", "a:1,b:2", "a b:1"].map(parse), Array(5).fill(undefined));
});

Deno.test("a name has no part that could leave a folder", () => {
  const { parse } = string(NAME, { default: "a", help });
  for (const good of ["broker-a", "a.b", "A_1", "%RETRY%x"]) assertEquals(parse(good), good);
  for (const bad of ["", ".", "..", "a/b", "a\\b", "../x", "a b", "a\n", "x".repeat(128)]) {
    assertEquals(parse(bad), undefined, bad);
  }
});

Deno.test("a path has no control characters", () => {
  const { parse } = path({ default: "/", help });
  assertEquals(["/a b/c", "", "a\0b", "a\nb"].map(parse), ["/a b/c", undefined, undefined, undefined]);
});

Deno.test("the size of a consume queue file is rounded up to whole entries", () => {
  assertEquals(brokerSettings.mappedFileSizeConsumeQueue.parse("6000001"), 6000020);
  assertEquals(brokerSettings.mappedFileSizeConsumeQueue.parse("6000000"), 6000000);
});

Deno.test("what this machine says about itself is allowed", () => {
  const { hostName, address, home } = thisMachine({ HOME: "/home/me" });
  assertEquals(string(NAME, { default: "", help }).parse(hostName), hostName);
  assertEquals(string(HOST, { default: "", help }).parse(address), address);
  assertEquals(home, "/home/me");
});

for (const [part, table] of Object.entries<Table>({ nameserver: nameserverSettings, broker: brokerSettings })) {
  Deno.test(`each default of a ${part} is allowed, and reads back as it is written`, () => {
    const chosen = new Map<string, unknown>();
    for (const [name, setting] of Object.entries(table)) {
      const surroundings = {
        ...thisMachine({ HOME: "/home/me" }),
        env: {},
        role: part === "nameserver" ? "nameserver" as const : "master" as const,
        chosen: (earlier: string) => chosen.get(earlier),
      };
      const value = typeof setting.default === "function" ? setting.default(surroundings) : setting.default;
      chosen.set(name, value);
      assertEquals(setting.parse(setting.format(value)), value, name);
      assert(setting.help.length > 0 && !setting.help.includes("\n"), name);
    }
  });
}

Deno.test("defaults that hang on nothing can be had without surroundings, others cannot", () => {
  const settings = brokerSettings;
  assertEquals(constantDefaults(settings, ["maxMessageSize", "traceOn"]), { maxMessageSize: 4 << 20, traceOn: true });
  assertThrows(() => constantDefaults(settings, ["storePathRootDir"]), Error, "storePathRootDir");
});

const TABLES: readonly (readonly [string, Table])[] = [["nameserver", nameserverSettings], ["broker", brokerSettings]];

Deno.test("every secret has a name by which it is never shown, and nothing else looks like one", () => {
  for (const [part, table] of TABLES) {
    for (const [name, { secret }] of Object.entries(table)) {
      assertEquals(SECRET_NAME.test(name), secret === true, `${part}.${name}`);
    }
  }
});

Deno.test("there is no setting that nobody reads", async () => {
  const texts: string[] = [];
  const read = async (folder: URL): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory && name !== "config") await read(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts")) texts.push(await Deno.readTextFile(new URL(name, folder)));
    }
  };
  await read(new URL("../../src/", import.meta.url));
  const words = new Set(texts.join("\n").match(/\w+/g));
  for (const [part, table] of TABLES) {
    assertEquals(Object.keys(table).filter((name) => !words.has(name)), [], part);
  }
});
