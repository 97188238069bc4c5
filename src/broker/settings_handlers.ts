/**
 * The settings of a broker over the wire: GET_BROKER_CONFIG 26 tells them.
 *
 * @module
 */
import { brokerSettings, type Setting } from "../config/mod.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { stringifyFastJson } from "../protocol/fastjson.ts";
import { NO_VERSION } from "../protocol/bodies/data_version.ts";
import { GetBrokerConfig } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";

/** What these handlers need of the broker. */
export type SettingsContext = Pick<BrokerContext, "settings">;

/** Adds the handlers. */
export function settingsHandlers(table: HandlerTable, broker: SettingsContext): void {
  table.on(GetBrokerConfig, () => ({
    code: ResponseCode.SUCCESS,
    header: { version: stringifyFastJson(NO_VERSION) },
    body: new TextEncoder().encode([...configLines(broker)].join("")),
  }));
}

function* configLines({ settings }: SettingsContext): Generator<string> {
  for (const [name, setting] of Object.entries(brokerSettings) as [keyof typeof settings, Setting<unknown>][]) {
    if (setting.secret !== true) yield `${name}=${setting.format(settings[name])}\n`;
  }
}
