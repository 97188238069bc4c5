/**
 * Whether a node can do what its roles are for, as /readyz tells it.
 *
 * @module
 */
import type { NodeView } from "./node_view.ts";

/** One thing that must be so. */
export interface Condition {
  readonly name: string;
  readonly ok: boolean;
  /** What is so, or is not, for people. */
  readonly detail: string;
}

/** The body of /readyz. */
export interface Readiness {
  readonly ready: boolean;
  readonly roles: readonly string[];
  readonly conditions: readonly Condition[];
}

/** Asks the roles. */
export async function readinessOf(node: NodeView): Promise<Readiness> {
  const conditions: Condition[] = [];
  for (const role of node.roles) {
    const serves = role === "nameserver" ? node.nameserver !== undefined : node.broker !== undefined;
    const detail = serves ? `the ${role} serves` : `the ${role} is starting or stopping`;
    conditions.push({ name: `${role}Serves`, ok: serves, detail });
  }
  if (node.broker !== undefined) conditions.push(...await node.broker.view.conditions());
  return { ready: conditions.every(({ ok }) => ok), roles: node.roles, conditions };
}
