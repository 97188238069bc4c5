/**
 * Everything that mod.ts exports is documented by an example that a reader can paste. Whether examples run, and have
 * right types, `deno test --doc` finds out; it would, however, also run one that forgets an import, since it brings along
 * what else the example's own file exports.
 *
 * @module
 */
import { assert, assertEquals } from "../src/std.ts";

const PACKAGE = "@rocketd/rocketd";

interface Declaration {
  readonly name: string;
  readonly kind: string;
  readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly { readonly kind: string }[] };
}

interface Documented {
  readonly symbols: readonly { readonly name: string; readonly declarations: readonly Declaration[] }[];
}

/** What `deno doc --json` says: a list of declarations (Deno 2.6), or symbols with theirs by file (2.9). */
interface Documentation {
  readonly nodes: readonly Declaration[] | Readonly<Record<string, Documented>>;
}

async function documentation(): Promise<Documentation> {
  const mod = new URL("../mod.ts", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), { args: ["doc", "--json", "--quiet", mod], stderr: "inherit" });
  const { success, stdout } = await command.output();
  assert(success, "deno doc failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}

function declarationsIn({ nodes }: Documentation): Declaration[] {
  if (isList(nodes)) return nodes.filter(({ kind }) => kind !== "moduleDoc" && kind !== "import");
  return Object.values(nodes).flatMap(({ symbols }) =>
    symbols.flatMap(({ name, declarations }) => declarations.map((declaration) => ({ ...declaration, name })))
  );
}

/** All examples below a node, those of methods too. */
function examplesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { kind, doc } = node as Record<string, unknown>;
  if (kind === "example" && typeof doc === "string") return [doc];
  return Object.values(node).flatMap(examplesIn);
}

/** What keeps an example from being pasted, or from failing. */
function flawsOf(example: string, exported: readonly string[]): string[] {
  const code = /^```ts\n([^]*)\n```$/m.exec(example)?.[1];
  if (code === undefined) return ["it is no block of ts that runs"];
  const flaws = /\bassert\w*\(/.test(code) ? [] : ["it asserts nothing"];
  const imported = new RegExp(`^import (?:type )?\\{([^}]*)\\} from "${PACKAGE}";$`, "m").exec(code)?.[1] ?? "";
  const names = imported.split(",").map((name) => name.trim().replace(/^type /, ""));
  const rest = code.replace(/^import .*$/gm, "").replace(/"[^"\n]*"|\/\/.*$/gm, "");
  const used = exported.filter((name) => new RegExp(`(?<![.\\w])${name}(?![\\w:])`).test(rest));
  flaws.push(...used.filter((name) => !names.includes(name)).map((name) => `it does not import ${name}`));
  flaws.push(...names.filter((name) => !used.includes(name)).map((name) => `it does not use ${name || PACKAGE}`));
  return flaws;
}

Deno.test("what mod.ts exports has a docstring with an example, and every example can be pasted as it stands", async () => {
  const doc = await documentation();
  const declarations = declarationsIn(doc);
  const exported = [...new Set(declarations.map(({ name }) => name))];
  assert(["Producer", "startLocalCluster", "Selection"].every((name) => exported.includes(name)));
  const breaches = declarations.flatMap(({ name, kind, jsDoc }) => [
    ...(jsDoc?.doc ? [] : [`${kind} ${name}: no docstring`]),
    ...(jsDoc?.tags?.some((tag) => tag.kind === "example") ? [] : [`${kind} ${name}: no example`]),
  ]);
  for (const example of examplesIn(doc)) {
    breaches.push(...flawsOf(example, exported).map((flaw) => `${flaw}:\n${example}`));
  }
  assertEquals(breaches, []);
});

Deno.test("an example that runs only in its own file, never fails or imports in vain is found", () => {
  const exported = ["Producer", "Admin"];
  const block = (...lines: string[]) => ["```ts", ...lines, "```"].join("\n");
  const good = [`import { Producer } from "${PACKAGE}";`, "assert(new Producer({}));"];
  assertEquals(flawsOf(block(...good), exported), []);
  assertEquals(flawsOf(block(good[0]!, "assertEquals(new Producer({}), Admin);"), exported), [
    "it does not import Admin",
  ]);
  assertEquals(flawsOf(block(good[0]!, "new Producer({});"), exported), ["it asserts nothing"]);
  assertEquals(flawsOf(block(good[0]!, 'assert("Producer");'), exported), ["it does not use Producer"]);
  assertEquals(flawsOf(block(...good).replace("ts", "ts ignore"), exported), ["it is no block of ts that runs"]);
});
