/**
 * `rocketd --role …`: runs a node in the foreground until a signal ends it.
 *
 * @module
 */
import { LOG_LEVELS, type NodeSettings } from "../config/mod.ts";
import { messageOf, RocketdError } from "../errors.ts";
import { logger, setup } from "../logging/mod.ts";
import { VERSION } from "../version.ts";
import type { Command } from "./command.ts";
import { type RunningNode, startNode } from "./node.ts";
import { complain } from "./output.ts";
import { CONFIG_FLAG, ROLE_FLAG, rolesOf, SET_FLAG, settingsOf } from "./role_flags.ts";

const log = logger("node");

/** The flags of `rocketd` itself. */
export const runCommand: Command = {
  name: "",
  summary: "Run a node in the foreground",
  flags: [
    ROLE_FLAG,
    CONFIG_FLAG,
    SET_FLAG,
  ],
  notes: [
    "Settings have RocketMQ's names (listenPort, storePathRootDir, …). With several roles in one process, " +
    "nameserver.KEY and broker.KEY say which one is meant.",
  ],
  run: async (args) => {
    const loaded = await settingsOf(args, rolesOf(args.text("role") ?? ""), "rocketd");
    if (loaded === undefined) return 2;
    await setup({ level: levelOf(loaded.settings) });
    for (const warning of loaded.warnings) log.warn(warning);
    return await runNode(loaded.settings);
  },
};

/** One process has one log: what one of its roles wants to see is logged for all. */
function levelOf({ nameserver, broker }: NodeSettings): typeof LOG_LEVELS[number] {
  return LOG_LEVELS.find((level) => level === nameserver?.logLevel || level === broker?.logLevel) ?? "info";
}

async function runNode(settings: NodeSettings): Promise<number> {
  // From the first moment on: a signal that comes during the start stops the node once it has started.
  const ending = new Ending();
  log.info("rocketd {version} starts as {roles}, pid {pid}", {
    version: VERSION,
    roles: settings.roles.join(","),
    pid: Deno.pid,
  });
  let node: RunningNode;
  try {
    node = await startNode(settings);
  } catch (error) {
    ending.release();
    await complain(`rocketd: ${error instanceof RocketdError ? error.message : startFailure(error)}\n`);
    return error instanceof RocketdError && error.code === "invalidSettings" ? 2 : 1;
  }
  for (const { role, address } of node.listening) {
    log.info("rocketd {role} ready on {address}", { role, address });
  }
  if (node.http !== undefined) log.info("rocketd answers HTTP on {address}", { address: node.http });
  const code = await ending.wait();
  try {
    await node.close();
  } catch (error) {
    log.error("Cannot stop in order: {reason}", { reason: messageOf(error) });
    return 1;
  }
  log.info("stopped");
  return code;
}

function startFailure(error: unknown): string {
  return `Cannot start: ${error instanceof Error ? error.stack ?? error.message : String(error)}`;
}

/** What ends a running node: SIGTERM or SIGINT with exit code 0, an error that nobody caught with 1. */
class Ending {
  readonly #cause = Promise.withResolvers<number>();
  #begun = false;

  constructor() {
    for (const name of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(name, this.#onSignal);
    addEventListener("unhandledrejection", this.#onRejection);
    addEventListener("error", this.#onError);
  }

  /** Resolves with the exit code. */
  wait(): Promise<number> {
    return this.#cause.promise;
  }

  release(): void {
    for (const name of ["SIGTERM", "SIGINT"] as const) Deno.removeSignalListener(name, this.#onSignal);
    removeEventListener("unhandledrejection", this.#onRejection);
    removeEventListener("error", this.#onError);
  }

  #onSignal = (): void => {
    if (this.#begun) {
      log.warn("a second signal: ends at once");
      Deno.exit(1);
    }
    log.info("a signal: stops in order");
    this.#end(0);
  };

  #onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    this.#fail(event.reason);
  };

  #onError = (event: ErrorEvent): void => {
    event.preventDefault();
    this.#fail(event.error);
  };

  /** After an error that nobody expected nothing is known to be sound, so the node does not go on. */
  #fail(error: unknown): void {
    log.fatal("an error that nobody caught, stops in order: {error}", { error });
    this.#end(1);
  }

  #end(code: number): void {
    this.#begun = true;
    this.#cause.resolve(code);
  }
}
