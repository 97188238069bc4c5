/**
 * The settings of the nameserver role, by their names of namesrv.conf.
 *
 * @module
 */
import { accessSettings } from "./access.ts";
import { commonSettings } from "./common.ts";
import { bool, int, path, type SettingsOf } from "./setting.ts";
import { serverTlsSettings } from "./tls.ts";

export const nameserverSettings = {
  listenPort: int({ default: 9876, perRole: true, max: 65535, help: "port to listen on; 0 takes any free one" }),
  ...commonSettings,
  storePathRootDir: path({ default: ({ home }) => home, help: "folder of namesrv/kvConfig.json" }),
  kvConfigPath: path({
    default: ({ chosen }) => `${chosen("storePathRootDir")}/namesrv/kvConfig.json`,
    help: "file that keeps the key-value configuration",
  }),
  orderMessageEnable: bool({ default: false, hot: true, help: "add the order configuration of a topic to its route" }),
  ...serverTlsSettings,
  ...accessSettings("namesrv"),
};

/** What a nameserver runs with. */
export type NameserverSettings = SettingsOf<typeof nameserverSettings>;
