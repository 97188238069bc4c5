/**
 * What settings must be together, beyond what each must be alone.
 *
 * @module
 */
import { JAVA_ABSENT, JAVA_ONLY } from "./java_only.ts";
import type { NodeSettings } from "./load.ts";
import { type Problem, shown } from "./problem.ts";
import { settingNamed } from "./roles.ts";
import { type Entry, type Part, PARTS } from "./source.ts";

/** Where the values that were given came from, by part and name. */
export type Given = Readonly<Record<Part, Map<string, Entry>>>;

interface Breach {
  readonly part: Part;
  /** The settings that have to do with it; the first one that was given is blamed. */
  readonly names: readonly string[];
  readonly value: string | number;
  readonly allowed: string;
}

/** Says which settings contradict each other. Settings that were not given do not break a rule by themselves. */
export function ruleBreaches(settings: NodeSettings, given: Given): Problem[] {
  const breaches = [
    ...roleBreaches(settings),
    ...portBreaches(settings),
    ...folderBreaches(settings, given),
    ...httpBreaches(settings, given),
    ...accountBreaches(settings),
    ...blackListBreaches(settings),
    ...tlsBreaches(settings),
  ];
  return breaches.flatMap(({ part, names, value, allowed }) => {
    const entry = names.map((name) => given[part].get(name)).find((found) => found !== undefined);
    const { origin = "--set", valueAt, key = names[0]! } = entry ?? {};
    const message = `${key} ${shown(String(value))}: expected ${allowed}`;
    return [{ origin, ...valueAt, key, value: String(value), allowed, message }];
  });
}

function roleBreaches({ roles, broker }: NodeSettings): Breach[] {
  if (!broker) return [];
  const { brokerId, brokerRole } = broker;
  const slave = roles.includes("slave");
  const breaches: Breach[] = [];
  if (slave !== (brokerRole === "SLAVE")) {
    const allowed = slave ? "SLAVE, or nothing, with --role slave" : "ASYNC_MASTER or SYNC_MASTER with --role master";
    breaches.push({ part: "broker", names: ["brokerRole"], value: brokerRole, allowed });
  }
  if (slave !== brokerId > 0) {
    const allowed = slave ? "a number above 0 with --role slave" : "0 with --role master";
    breaches.push({ part: "broker", names: ["brokerId"], value: brokerId, allowed });
  }
  return breaches;
}

/** RocketMQ takes several folders for the commit log, joined by commas, since 4.9.0; a file that has them is not obeyed. */
function folderBreaches({ broker }: NodeSettings, given: Given): Breach[] {
  const name = "storePathCommitLog";
  if (!broker?.[name].includes(",") || !given.broker.has(name)) return [];
  return [{ part: "broker", names: [name], value: broker[name], allowed: "one folder, without a comma in its name" }];
}

/** A process answers HTTP in one place: the broker's, where there is one. */
function httpBreaches({ nameserver, broker }: NodeSettings, given: Given): Breach[] {
  if (!nameserver || !broker || !given.nameserver.has("httpListen")) return [];
  const { httpListen: value } = nameserver;
  if (value === broker.httpListen) return [];
  const allowed = `the broker's ${broker.httpListen}, or nothing: the roles of a process share one`;
  return [{ part: "nameserver", names: ["httpListen"], value, allowed }];
}

/** Each port of a process is its own. */
function portBreaches({ nameserver, broker }: NodeSettings): Breach[] {
  if (!broker) return [];
  const { listenPort, haListenPort } = broker;
  const breaches: Breach[] = [];
  if (haListenPort === listenPort || haListenPort === listenPort - 2) {
    const allowed = `another port than ${listenPort} (listenPort) and ${listenPort - 2} (its VIP twin)`;
    breaches.push({ part: "broker", names: ["haListenPort", "listenPort"], value: haListenPort, allowed });
  }
  const port = nameserver?.listenPort;
  if (port !== undefined && [listenPort, listenPort - 2, haListenPort].includes(port)) {
    const allowed = `another port than the broker's ${listenPort}, ${listenPort - 2} and ${haListenPort}`;
    breaches.push({ part: "nameserver", names: ["listenPort"], value: port, allowed });
  }
  return breaches;
}

/** A broker that signs needs both the name and the secret of its account. */
function accountBreaches({ broker }: NodeSettings): Breach[] {
  if (!broker || (broker.aclAccessKey === "") === (broker.aclSecretKey === "")) return [];
  const names = ["aclAccessKey", "aclSecretKey"];
  if (broker.aclAccessKey === "") names.reverse();
  return [{ part: "broker", names, value: "(given alone)", allowed: "aclAccessKey and aclSecretKey together" }];
}

/** A name of no setting would protect nothing. Those that only RocketMQ has are in lists that were written for it. */
function blackListBreaches(settings: NodeSettings): Breach[] {
  const names = ["configBlackList"], allowed = "names of settings";
  const isKnown = (name: string) => {
    return JAVA_ONLY.has(name) || JAVA_ABSENT.has(name) || PARTS.some((part) => settingNamed(part, name) !== undefined);
  };
  return PARTS.flatMap((part) => {
    const unknown = settings[part]?.configBlackList.filter((name) => !isKnown(name)) ?? [];
    return unknown.map((value) => ({ part, names, value, allowed }));
  });
}

/** A certificate goes with its key, and who takes nothing but TLS needs both. */
function tlsBreaches({ nameserver, broker }: NodeSettings): Breach[] {
  const breaches: Breach[] = [];
  const pair = (part: Part, certName: string, cert: string, keyName: string, key: string) => {
    if ((cert === "") === (key === "")) return;
    const names = cert === "" ? [keyName, certName] : [certName, keyName];
    breaches.push({ part, names, value: cert === "" ? key : cert, allowed: `${certName} and ${keyName} together` });
  };
  for (const [part, settings] of [["nameserver", nameserver], ["broker", broker]] as const) {
    if (settings === undefined) continue;
    const { tlsServerMode, tlsServerCertPath, tlsServerKeyPath } = settings;
    pair(part, "tlsServerCertPath", tlsServerCertPath, "tlsServerKeyPath", tlsServerKeyPath);
    if (tlsServerMode === "enforcing" && tlsServerCertPath === "") {
      const allowed = "permissive or disabled, or a certificate (tlsServerCertPath, tlsServerKeyPath)";
      breaches.push({ part, names: ["tlsServerMode"], value: tlsServerMode, allowed });
    }
  }
  if (broker) {
    pair("broker", "tlsClientCertPath", broker.tlsClientCertPath, "tlsClientKeyPath", broker.tlsClientKeyPath);
  }
  return breaches;
}
