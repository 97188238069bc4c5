/**
 * What a slave does not do, in the words of its answers. The ends of transactions are refused in transactions.ts.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import { SLAVE_REFUSAL } from "../store/appender.ts";

type Role = Pick<BrokerSettings, "brokerRole">;

/** Why no message is taken; undefined on a master. Clients send to the master, and give a message back to it. */
export function slaveRefusal({ brokerRole }: Role): string | undefined {
  return brokerRole === "SLAVE" ? SLAVE_REFUSAL : undefined;
}

/** Why neither topics nor groups are changed, in RocketMQ's words; undefined on a master. */
export function slaveProblem({ brokerRole }: Role): string | undefined {
  if (brokerRole !== "SLAVE") return undefined;
  return "Can't modify topic or subscription group from slave broker, please execute it from master broker.";
}
