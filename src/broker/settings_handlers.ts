/**
 * The settings of a broker over the wire: GET_BROKER_CONFIG 26 tells them, UPDATE_BROKER_CONFIG 25 changes those that may
 * change while it runs.
 *
 * @module
 */
import { UpdateBrokerConfig } from "../protocol/admin_requests.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { stringifyFastJson } from "../protocol/fastjson.ts";
import { GetBrokerConfig } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import { LiveSettings } from "../remoting/live_settings.ts";
import type { BrokerContext } from "./context.ts";
import { storeOptionsOf } from "./store_options.ts";

/** What these handlers need of the broker. */
export interface SettingsContext extends Pick<BrokerContext, "settings" | "clock"> {
  readonly store: Pick<BrokerContext["store"], "options">;
  readonly topics: Pick<BrokerContext["topics"], "settingsChanged" | "announced">;
}

/**
 * Names of RocketMQ that mqadmin's exports want to see: exportConfigs ends with an exception without the first two, and
 * exportMetrics takes the third for the number of processors, which it is by default.
 */
function wantedByTools({ tlsEnable }: BrokerContext["settings"]): string {
  return `filterServerNums=0\nuseTLS=${tlsEnable}\nclientCallbackExecutorThreads=${navigator.hardwareConcurrency}\n`;
}

/** Adds the handlers. */
export function settingsHandlers(table: HandlerTable, broker: SettingsContext): void {
  const { settings, clock, store, topics } = broker;
  const live = new LiveSettings({
    part: "broker",
    settings,
    clock,
    onChange: async (names) => {
      // The store has a copy of what concerns it.
      Object.assign(store.options, storeOptionsOf(settings));
      // RocketMQ registers anew for the first; the second brings a topic with it.
      if (!names.has("brokerPermission") && !names.has("autoCreateTopicEnable")) return;
      topics.settingsChanged();
      await topics.announced();
    },
  });
  table.on(UpdateBrokerConfig, (request) => live.change(request));
  table.on(GetBrokerConfig, () => ({
    code: ResponseCode.SUCCESS,
    header: { version: stringifyFastJson(live.version) },
    body: new TextEncoder().encode(live.text() + wantedByTools(settings)),
  }));
}
