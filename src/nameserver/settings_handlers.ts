/**
 * The settings of a nameserver over the wire: GET_NAMESRV_CONFIG 319 tells them, UPDATE_NAMESRV_CONFIG 318 changes those
 * that may change while it runs.
 *
 * @module
 */
import type { NameserverSettings } from "../config/nameserver.ts";
import type { Clock } from "../platform/clock.ts";
import { GetNamesrvConfig, UpdateNamesrvConfig } from "../protocol/admin_requests.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import { LiveSettings } from "../remoting/live_settings.ts";

/** Adds the handlers; `settings` are those that the nameserver runs with, and are changed in place. */
export function settingsHandlers(table: HandlerTable, settings: Partial<NameserverSettings>, clock: Clock): void {
  const live = new LiveSettings({ part: "nameserver", settings, clock });
  table.on(UpdateNamesrvConfig, (request) => live.change(request));
  table.on(GetNamesrvConfig, () => ({ code: ResponseCode.SUCCESS, body: new TextEncoder().encode(live.text()) }));
}
