/**
 * The Java side of the interop tests: fetches RocketMQ's own jars through Maven, compiles our small test programs
 * against them, and keeps both in a cache.
 *
 * @module
 */

import { cacheDir, hasTools, makeOnce, readSources, run } from "./cache.ts";

/** The official Java clients that we promise to work with: the first Apache release, the last 4.x, and a 5.x one. */
export const CLIENT_VERSIONS = ["4.1.0-incubating", "4.9.7", "5.1.4"] as const;
export type ClientVersion = typeof CLIENT_VERSIONS[number];
/** The version of the Java nameserver and broker that ours are compared with. */
export const SERVER_VERSION = "4.9.7";
/** Those that our own clients work with. */
export type ServerVersion = ClientVersion;
/** Names a directory of jars: one client, or the server with the operator's tools. */
export type JavaSet = `client-${ClientVersion}` | `server-${typeof SERVER_VERSION}`;
type JarSet = JavaSet | `server-${ServerVersion}`;

const COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const SOURCES = new URL("./interop/java/", import.meta.url);

/** Programs that lean on classes which not every version has: compiled only where the rule says so. */
const NEEDS: Record<string, (set: JavaSet) => boolean> = {
  "LitePulling.java": (set) => set !== "client-4.1.0-incubating",
  "TransactionListening.java": (set) => set !== "client-4.1.0-incubating",
  "TransactionExecuting.java": (set) => set === "client-4.1.0-incubating",
  "AdminClients.java": (set) => set.startsWith("server-"),
  "AccessControl.java": (set) => set.startsWith("server-"),
  "AdminTool.java": (set) => set.startsWith("server-"),
  "MqAdmin.java": (set) => set.startsWith("server-"),
  "Figures.java": (set) => set.startsWith("server-"),
  "OrderTopic.java": (set) => set.startsWith("server-"),
  "Requesting.java": (set) => set !== "client-4.1.0-incubating",
  "SystemTopics.java": (set) => set !== "client-5.1.4",
  "SdkPeers.java": (set) => set !== "client-4.1.0-incubating",
  "Tracing.java": (set) => set !== "client-4.1.0-incubating",
  "FilteringByPull.java": (set) => set !== "client-4.1.0-incubating",
  "SqlEvaluate.java": (set) => set.startsWith("server-"),
};

/** True when Java, its compiler and Maven are there: what every test against a Java program needs. */
export function hasJava(): boolean {
  return hasTools("java", "javac", "mvn");
}

function pom(set: JarSet): string {
  const dash = set.indexOf("-");
  const version = set.slice(dash + 1);
  const names = set.startsWith("client-") ? ["client"] : ["namesrv", "broker", "tools"];
  const dependency = (name: string) =>
    `<dependency><groupId>org.apache.rocketmq</groupId><artifactId>rocketmq-${name}</artifactId>` +
    `<version>${version}</version></dependency>`;
  return `<project><modelVersion>4.0.0</modelVersion><groupId>rocketd</groupId><artifactId>interop</artifactId>` +
    `<version>1</version><packaging>pom</packaging>` +
    `<dependencies>${names.map(dependency).join("")}</dependencies></project>`;
}

async function jars(set: JarSet): Promise<string> {
  return await makeOnce(`${cacheDir("java")}/${set}`, async (part) => {
    await Deno.writeTextFile(`${part}/pom.xml`, pom(set));
    await run("mvn", [
      "-q",
      "-B",
      "-f",
      `${part}/pom.xml`,
      COPY_GOAL,
      "-DincludeScope=runtime",
      `-DoutputDirectory=${part}`,
    ]);
  });
}

async function programs(set: JavaSet, jarDir: string): Promise<string> {
  const { sources, key } = await readSources(
    SOURCES,
    (name) => name.endsWith(".java") && (NEEDS[name]?.(set) ?? true),
  );
  return await makeOnce(`${cacheDir("java")}/classes-${set}-${key}`, async (part) => {
    for (const [name, text] of sources) await Deno.writeTextFile(`${part}/${name}`, text);
    const files = sources.map(([name]) => `${part}/${name}`);
    await run("javac", ["-nowarn", "-Xlint:none", "-encoding", "UTF-8", "-cp", `${jarDir}/*`, "-d", part, ...files]);
  });
}

/** The class path of one client or of the server, with our test programs compiled against it in front. */
export async function classPath(set: JavaSet): Promise<string> {
  const jarDir = await jars(set);
  return `${await programs(set, jarDir)}:${jarDir}/*`;
}

/** The class path of a nameserver or broker of some version, without programs of ours. */
export async function serverPath(version: ServerVersion): Promise<string> {
  return `${await jars(`server-${version}`)}/*`;
}
