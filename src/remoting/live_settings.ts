/**
 * A role's settings over the wire: what GET_BROKER_CONFIG 26 and GET_NAMESRV_CONFIG 319 tell, what UPDATE_BROKER_CONFIG 25
 * and UPDATE_NAMESRV_CONFIG 318 change. RocketMQ 4.9.7 changes whatever it knows, paths too, ignores the rest, and writes
 * all of it to the file of settings; here only what may change does, all or nothing, and until the next start.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { changeSettings, settingLines } from "../config/live.ts";
import { SETTING_REFUSALS_TOLD_MAX, SETTINGS_CHANGE_BYTES_MAX } from "../limits.ts";
import { type Level, setLevel } from "../logging/mod.ts";
import type { Clock } from "../platform/clock.ts";
import { type DataVersion, nextDataVersion } from "../protocol/bodies/data_version.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { Answer, Incoming } from "./handlers.ts";

/** Settings that are changed in place. */
export interface LiveSettingsOptions<S> {
  readonly part: "broker" | "nameserver";
  readonly settings: S & { readonly configBlackList?: readonly string[] };
  readonly clock: Pick<Clock, "now">;
  /** Called once for each request after which at least one setting has another value, with the names of those. */
  readonly onChange?: (names: ReadonlySet<string>) => void | Promise<void>;
}

/** The settings of one role. */
export class LiveSettings<S extends object> {
  readonly #options: LiveSettingsOptions<S>;
  #version: DataVersion;

  constructor(options: LiveSettingsOptions<S>) {
    this.#options = options;
    this.#version = { counter: 0, timestamp: options.clock.now() };
  }

  /** Another one after each change. */
  get version(): DataVersion {
    return this.#version;
  }

  /** All settings but the secret ones, as lines of a properties file. */
  text(): string {
    return settingLines(this.#options.part, this.#options.settings);
  }

  /** Obeys a request whose body has `name=value` lines; the remark of a refusal names what is wrong with each key. */
  async change({ body, connection }: Pick<Incoming, "body" | "connection">): Promise<Answer> {
    const { part, settings, clock, onChange } = this.#options;
    if (body.length > SETTINGS_CHANGE_BYTES_MAX) {
      const remark = `${body.length} bytes of settings are too many: at most ${SETTINGS_CHANGE_BYTES_MAX} are taken`;
      return { code: ResponseCode.SYSTEM_ERROR, remark };
    }
    const changed = changeSettings(part, settings, new TextDecoder().decode(body), {
      fixed: settings.configBlackList ?? [],
      refusalsMax: SETTING_REFUSALS_TOLD_MAX,
    });
    const log = getLogger(["rocketd", part]);
    if (!changed.ok) {
      const reasons = changed.refusals.map(({ message }) => message).join("; ");
      log.warn("refused to change settings for {peer}: {reasons}", { peer: connection.peer, reasons });
      const isFixed = changed.refusals.some(({ fixed }) => fixed);
      const remark = `no setting was changed: ${reasons}`;
      return { code: isFixed ? ResponseCode.NO_PERMISSION : ResponseCode.SYSTEM_ERROR, remark };
    }
    if (changed.changes.length === 0) return { code: ResponseCode.SUCCESS };
    this.#version = nextDataVersion(this.#version, clock.now());
    log.warn("{peer} changed settings, until the next start: {changes}", {
      peer: connection.peer,
      changes: changed.changes.map(({ name, from, to }) => `${name} from ${from} to ${to}`).join(", "),
    });
    const level = changed.changes.find(({ name }) => name === "logLevel");
    if (level !== undefined) setLevel(level.to as Level);
    await onChange?.(new Set(changed.changes.map(({ name }) => name)));
    return { code: ResponseCode.SUCCESS };
  }
}
