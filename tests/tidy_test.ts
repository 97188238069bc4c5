/**
 * Keeps the rules of the house that no compiler or linter keeps. A rule brings examples that it must catch and examples
 * that it must let pass, so that it can fail.
 *
 * @module
 */
import { assert, assertEquals } from "../src/std.ts";

interface SourceFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly text: string;
}

interface Rule {
  readonly sentence: string;
  /** Whether the rule is about this file at all. */
  readonly covers: (path: string) => boolean;
  /** Returns where the file breaks the rule and how, one string for each place. */
  readonly breaches: (file: SourceFile) => string[];
  readonly caught: readonly SourceFile[];
  readonly passed: readonly SourceFile[];
}

/** Files that may be longer than {@linkcode LINES_MAX}, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};
const LINES_MAX = 400;

/** A folder (or file) of src imports from itself and from what stands further down; those of the last line are leaves. */
const ORDER: readonly (readonly string[])[] = [
  ["mod.ts"],
  ["cli"],
  ["http"],
  ["nameserver", "broker", "client"],
  ["ha"],
  ["store"],
  ["remoting"],
  ["protocol"],
  ["config", "platform", "logging", "limits", "errors", "std", "version"],
];

/** Put together here, so that this file does not name them either. */
const REGISTRY_HOSTS = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["pypi", "org"],
  ["pythonhosted", "org"],
  ["repo1", "maven"],
  ["repo", "maven", "apache"],
  ["jsr", "io"],
].map((parts) => parts.join("."));

/** Comment, string, template or regular expression, whichever starts first. */
const TOKEN =
  /\/\*[^]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`|(?<=(?:[(,=:[!&|?{};]|=>|return)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//g;

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

function withoutComments(text: string): string {
  return text.replace(TOKEN, (token) => /^\/[/*]/.test(token) ? blank(token) : token);
}

/** The code alone: comments, strings and regular expressions are blanks, and all else keeps its place. */
function bareCode(text: string): string {
  return text.replace(TOKEN, blank);
}

/** Says where a pattern (with flag g) is found in code. */
function find(path: string, code: string, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].map(({ index, 0: what }) =>
    `${path}:${code.slice(0, index).split("\n").length}: ${what.trim()}`
  );
}

function isSource(path: string): boolean {
  return path === "mod.ts" || (path.startsWith("src/") && path.endsWith(".ts"));
}

/** "src/store/commit_log.ts" is of chapter "store", "src/limits.ts" of "limits". */
function chapterOf(path: string): string {
  return path.startsWith("src/") ? path.split("/")[1]!.replace(/\..*$/, "") : path;
}

function importBreaches({ path, text }: SourceFile): string[] {
  const rank = (chapter: string) => ORDER.findIndex((line) => line.includes(chapter));
  const from = chapterOf(path);
  if (rank(from) < 0) return [`${path}: ${from} has no place in the order of imports`];
  return [...withoutComments(text).matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]*)"/g)]
    .map(([, specifier]) => new URL(specifier!, `file:///${path}`).pathname.slice(1))
    .filter((target) => {
      const to = chapterOf(target);
      const leaf = rank(to) === ORDER.length - 1;
      return to !== from && !leaf && rank(to) <= rank(from);
    })
    .map((target) => `${path}: imports ${target}`);
}

function syncCallBreaches({ path, text }: SourceFile): string[] {
  const code = bareCode(text);
  const found = find(path, code, /\b(?:Deno|fs)\.\w+Sync\b/g);
  if (/"(?:node:)?fs"/.test(withoutComments(text))) found.push(...find(path, code, /(?<![.\w])\w+Sync\s*\(/g));
  if (/\bDeno\.(?:open|create)\b/.test(code)) {
    found.push(...find(path, code, /\.(?:read|write|seek|sync|syncData|truncate|stat|lock|unlock)Sync\s*\(/g));
  }
  return found;
}

function byteSizeBreaches({ path, text }: SourceFile): string[] {
  const code = bareCode(text);
  const numbers = [...code.matchAll(/(?<![\w.$])[1-9][\d_]*(?![\w.])/g)].filter(([digits]) => {
    const value = Number(digits.replaceAll("_", ""));
    // From 2^32 on it is about halves of 64-bit numbers.
    return value >= 4096 && value < 2 ** 32 && Number.isInteger(Math.log2(value));
  });
  return [
    ...find(path, code, /\b1024\b|\b\d+\s*<<\s*[123]0\b/g),
    ...numbers.map(({ index, 0: what }) => `${path}:${code.slice(0, index).split("\n").length}: ${what}`),
  ];
}

const source = (path: string, text: string): SourceFile => ({ path, text });

const RULES: readonly Rule[] = [
  {
    sentence: "a folder of src imports only from itself and from those after it in the order",
    covers: isSource,
    breaches: importBreaches,
    caught: [
      source("src/store/a.ts", 'import { b } from "../broker/b.ts";'),
      source("src/broker/a.ts", 'export * from "../nameserver/mod.ts";'),
      source("src/limits.ts", 'import type { Frame } from "./protocol/frame.ts";'),
      source("src/http/a.ts", 'const cli = await import("../cli/mod.ts");'),
      source("src/client/a.ts", 'import "../../mod.ts";'),
      source("src/client/a.ts", 'import {\n  delay,\n} from "../../tests/launch.ts";'),
      source("src/utils/a.ts", ""),
    ],
    passed: [
      source("mod.ts", 'export { Producer } from "./src/client/mod.ts";'),
      source(
        "src/broker/a.ts",
        'import { b } from "../store/b.ts";\nimport { c } from "./c.ts";\n// from "../cli/d.ts"',
      ),
      source("src/config/a.ts", 'import { LIMIT } from "../limits.ts";\nimport { Hono } from "hono";'),
    ],
  },
  {
    sentence: `no file has more than ${LINES_MAX} lines, unless it is listed with a reason`,
    covers: (path) => /\.(ts|js|java|sh)$/.test(path) || path.startsWith("scripts/"),
    breaches: ({ path, text }) => {
      const lines = text.split("\n").length - 1;
      return lines > LINES_MAX && !LONG_FILES[path] ? [`${path}: ${lines} lines`] : [];
    },
    caught: [source("src/store/a.ts", "\n".repeat(LINES_MAX + 1))],
    passed: [source("src/store/a.ts", "\n".repeat(LINES_MAX))],
  },
  {
    sentence: "src logs and never writes to the console",
    covers: isSource,
    breaches: ({ path, text }) => find(path, bareCode(text), /\bconsole\b/g),
    caught: [source("src/cli/a.ts", 'console.log("x");'), source("mod.ts", "const { log } = console;")],
    passed: [source("src/http/a.ts", '// console.log\nlog.info("a console.log in text");')],
  },
  {
    sentence: "only platform and store call the file system synchronously",
    covers: (path) => isSource(path) && !/^src\/(platform|store)\//.test(path),
    breaches: syncCallBreaches,
    caught: [
      source("src/broker/a.ts", "Deno.readTextFileSync(path);"),
      source("src/broker/a.ts", 'import * as fs from "node:fs";\nfs.statSync(path);'),
      source("src/broker/a.ts", 'import { statSync } from "node:fs";\nstatSync(path);'),
      source("src/ha/a.ts", "using file = await Deno.open(path);\nfile.writeSync(bytes);"),
    ],
    passed: [
      source(
        "src/cli/a.ts",
        'import { inflateSync } from "node:zlib";\ninflateSync(body);\nDeno.stdout.writeSync(body);',
      ),
      source("src/broker/a.ts", "// never Deno.openSync()\nawait Deno.readTextFile(path);"),
    ],
  },
  {
    sentence: "src has no type any, but where the untyped packages are declared",
    covers: (path) => isSource(path) && path !== "src/std.d.ts",
    breaches: ({ path, text }) => find(path, bareCode(text), /(?<![.\w$])any(?![\w$]|\s*[(:])/g),
    caught: [
      source("src/cli/a.ts", "function a(b: any) {}"),
      source("src/cli/a.ts", "const a = b as any;"),
      source("src/cli/a.ts", "let a: Map<string, any[]> = c;"),
    ],
    passed: [source("src/cli/a.ts", '// any\nawait Promise.any(a);\nconst anyone = /any "/, b = "any";')],
  },
  {
    sentence: "no file names the host of a package registry",
    covers: () => true,
    breaches: ({ path, text }) =>
      REGISTRY_HOSTS.filter((host) => text.toLowerCase().includes(host)).map((host) => `${path}: ${host}`),
    caught: REGISTRY_HOSTS.map((host) => source("README.md", `from https://${host.toUpperCase()}/x`)),
    passed: [source("deno.json", '{ "hono": "npm:hono@^4.0.0" }')],
  },
  {
    sentence: "every file of src starts by saying what it is for, with @module",
    covers: isSource,
    breaches: ({ path, text }) =>
      /^(?:#!.*\n)?\/\*\*\s+\*?\s*[^@\s](?:(?!\*\/)[^])*@module\b/.test(text) ? [] : [`${path}: no @module header`],
    caught: [
      source("src/a.ts", "export const a = 1;\n/** Late. @module */"),
      source("src/a.ts", "/** Nothing more. */\n/** @module */"),
      source("src/a.ts", "/** @module */\n"),
    ],
    passed: [
      source("src/a.ts", "/**\n * Says it.\n *\n * @module\n */\n"),
      source("src/a.ts", "/** Says it. @module */"),
    ],
  },
  {
    sentence: "sizes in bytes have a name in src/limits or src/config",
    covers: (path) => isSource(path) && !/^src\/(?:limits|config)\//.test(path),
    breaches: byteSizeBreaches,
    caught: [
      source("src/store/a.ts", "const size = 4 * 1024 * 1024;"),
      source("src/store/a.ts", "const size = 16777216;"),
      source("src/store/a.ts", "if (length > 65_536) return;"),
      source("src/store/a.ts", "const size = 1 << 30;"),
    ],
    passed: [
      source("src/store/a.ts", "// 1024\nconst value = high * 4294967296 + low, port = 10911, mask = flags << 20;"),
    ],
  },
];

const NOT_OURS = new Set([".git", "dist", ".cache", "node_modules", "target"]);

/** The text files of the repository. */
async function repository(root: URL, folder = ""): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(new URL(folder, root))) {
    const path = folder + name;
    if (isDirectory && !NOT_OURS.has(name)) files.push(...await repository(root, `${path}/`));
    if (!isFile || name.endsWith(".tmp")) continue;
    const text = await Deno.readTextFile(new URL(path, root));
    if (!text.includes("\0")) files.push({ path, text });
  }
  return files;
}

const files = await repository(new URL("../", import.meta.url));

Deno.test("the tidy test looks at sources, tests and scripts", () => {
  const paths = files.map(({ path }) => path);
  for (const path of ["mod.ts", "src/std.ts", "tests/tidy_test.ts", "scripts/test", ".ci/run"]) {
    assert(paths.includes(path), `${path} was not seen`);
  }
});

Deno.test("a file is listed as long only while it is", () => {
  const long = files.filter(({ text }) => text.split("\n").length - 1 > LINES_MAX).map(({ path }) => path);
  assertEquals(Object.keys(LONG_FILES).filter((path) => !long.includes(path)), []);
});

for (const { sentence, covers, breaches, caught, passed } of RULES) {
  Deno.test(sentence, () => {
    assertEquals(files.filter(({ path }) => covers(path)).flatMap(breaches), []);
  });

  Deno.test(`a breach is caught of: ${sentence}`, () => {
    for (const file of caught) assert(covers(file.path) && breaches(file).length > 0, `let pass: ${file.text}`);
    for (const file of passed) assertEquals(covers(file.path) ? breaches(file) : [], []);
  });
}
