/**
 * Whether a broker can do its work: it is registered, its store takes writes, and as a slave it has what its master has.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import type { HaSlaveStatus } from "../ha/slave.ts";
import type { Clock } from "../platform/clock.ts";
import type { MessageStore } from "../store/mod.ts";
import type { NameserverStanding } from "./registration.ts";

/** One thing that must be so, and what about it is or is not, for people. */
export interface Condition {
  readonly name: "registered" | "storeWritable" | "caughtUp";
  readonly ok: boolean;
  readonly detail: string;
}

/** How far a slave has come. */
export interface SlaveStanding {
  readonly status: HaSlaveStatus;
  /** The end that the master's log had a moment before; undefined when it did not tell. */
  readonly masterEnd: number | undefined;
}

/** What the conditions are found out from. */
export interface HealthOptions {
  readonly settings: Pick<BrokerSettings, "readyLagMax">;
  readonly store: Pick<MessageStore, "trouble">;
  readonly registration: { standing(): NameserverStanding[] };
  /** For a slave. */
  readonly following?: { standing(): Promise<SlaveStanding> } | undefined;
  readonly clock: Clock;
}

/** For so long an answer of the master counts, ms: however often the health is asked for, the master is not. */
const STANDING_COUNTS_MS = 1_000;
/** For so long it is waited for, ms: who probes a node mostly gives up after a second, and would not be told why. */
const STANDING_WAIT_MS = 800;

/** Finds the conditions out when it is asked. */
export class BrokerHealth {
  readonly #options: HealthOptions;
  #caughtUp: { readonly askedAt: number; readonly condition: Promise<Condition> } | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** All conditions; a slave asks its master for that, at most once a second. Never rejects. */
  async conditions(): Promise<Condition[]> {
    const { following } = this.#options;
    const caughtUp = following === undefined ? [] : [await this.#inTime(this.#isCaughtUp(following))];
    return [this.#isRegistered(), this.#isWritable(), ...caughtUp];
  }

  /** Clients find a broker as long as one nameserver knows it. */
  #isRegistered(): Condition {
    const nameservers = this.#options.registration.standing();
    const addresses = (registered: boolean) =>
      nameservers.filter((one) => one.registered === registered).map(({ address }) => address).join(", ");
    const there = addresses(true), missing = addresses(false);
    if (nameservers.length === 0) return { name: "registered", ok: true, detail: "namesrvAddr names no nameserver" };
    const detail = [there && `registered with ${there}`, missing && `not registered with ${missing}`];
    return { name: "registered", ok: there !== "", detail: detail.filter((part) => part !== "").join("; ") };
  }

  #isWritable(): Condition {
    const { trouble } = this.#options.store;
    return { name: "storeWritable", ok: trouble === "", detail: trouble || "the store takes writes" };
  }

  #isCaughtUp(following: { standing(): Promise<SlaveStanding> }): Promise<Condition> {
    const now = this.#options.clock.now();
    const last = this.#caughtUp;
    if (last !== undefined && now >= last.askedAt && now - last.askedAt < STANDING_COUNTS_MS) return last.condition;
    const condition = following.standing().then((standing) => this.#judge(standing));
    this.#caughtUp = { askedAt: now, condition };
    return condition;
  }

  /** The condition, unless the master lets it wait. */
  #inTime(caughtUp: Promise<Condition>): Promise<Condition> {
    const detail = `the master did not tell within ${STANDING_WAIT_MS} ms how far its log goes`;
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(STANDING_WAIT_MS, () => resolve({ name: "caughtUp", ok: false, detail }));
      caughtUp.finally(() => timer.cancel()).then(resolve, reject);
    });
  }

  #judge({ status: { state, master, offset, lastError }, masterEnd }: SlaveStanding): Condition {
    const { readyLagMax } = this.#options.settings;
    const caughtUp = (ok: boolean, detail: string): Condition => ({ name: "caughtUp", ok, detail });
    if (master === undefined) return caughtUp(false, "no master is known");
    if (state !== "copying") {
      return caughtUp(
        false,
        `the log of ${master} is not being copied${lastError === undefined ? "" : `: ${lastError}`}`,
      );
    }
    if (masterEnd === undefined) return caughtUp(false, `the master of ${master} does not tell how far its log goes`);
    const lag = Math.max(0, masterEnd - offset);
    return caughtUp(lag <= readyLagMax, `${lag} bytes behind ${master}, allowed are ${readyLagMax} (readyLagMax)`);
  }
}
