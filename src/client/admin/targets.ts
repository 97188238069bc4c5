/**
 * Which brokers a command goes to: `-b` names one, `-c` the masters of a cluster, as in mqadmin.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import type { Admin, Peer, Target } from "./admin.ts";
import { text, whole } from "./options.ts";

/** `-b` and `-c` of commands that go to one broker or to all masters of a cluster. */
export const BROKER_OR_CLUSTER = {
  brokerAddr: text({ short: "b", value: "BROKER", help: "only this broker: host:port, or its broker name" }),
  clusterName: text({ short: "c", aliases: ["cluster"], value: "CLUSTER", help: "all masters of this cluster" }),
};

/** `-t` of commands about one topic. */
export const TOPIC = text({ short: "t", value: "TOPIC", help: "the topic", required: true });

/** Which broker name and queue, where a command is about one. */
export const QUEUE = {
  brokerName: text({ short: "b", value: "NAME", required: true, help: "the broker name" }),
  queueId: whole(0)({ short: "i", required: true, help: "the queue's number" }),
};

/** Masters that are meant. For a command that changes, one of the two options must be there. */
export async function namedMasters(admin: Admin, target: Target): Promise<Peer[]> {
  if (target.brokerAddr === undefined && target.clusterName === undefined) {
    const allowed = "-b BROKER or -c CLUSTER";
    throw new RocketdError("invalidArgument", `where to is missing: expected ${allowed}`, { field: "target", allowed });
  }
  if (target.brokerAddr !== undefined && target.clusterName !== undefined) {
    const allowed = "one of them";
    throw new RocketdError("invalidArgument", `-b and -c are both given: expected ${allowed}`, {
      field: "target",
      allowed,
    });
  }
  return await admin.masters(target);
}

/** What a question says of where a command goes. */
export function whereTo({ brokerAddr, clusterName }: Target): string {
  if (brokerAddr !== undefined) return `the broker ${brokerAddr}`;
  return clusterName === undefined ? "all masters" : `all masters of the cluster ${clusterName}`;
}
