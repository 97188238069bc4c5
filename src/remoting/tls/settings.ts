/**
 * TLS as a node's settings ask for it.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { clientTlsSettings, serverTlsSettings } from "../../config/tls.ts";
import type { SettingsOf } from "../../config/setting.ts";
import type { ClientTlsOptions } from "./client_tls.ts";
import { ServerTls } from "./server_tls.ts";

const log = getLogger(["rocketd", "remoting"]);

/** TLS for a node's ports; undefined: they are plain. Throws `invalidSettings` for files that cannot be used. */
export async function openServerTls(settings: SettingsOf<typeof serverTlsSettings>): Promise<ServerTls | undefined> {
  const { tlsServerMode: mode, tlsServerCertPath, tlsServerKeyPath } = settings;
  if (mode === "disabled" || tlsServerCertPath === "") return undefined;
  const tls = await ServerTls.open({
    mode,
    cert: { path: tlsServerCertPath, setting: "tlsServerCertPath" },
    key: { path: tlsServerKeyPath, setting: "tlsServerKeyPath" },
  });
  log.info("TLS is {mode}, with the certificate {path}", { mode, path: tlsServerCertPath });
  return tls;
}

/** TLS for a node's own connections; undefined: they are plain. */
export function clientTlsOf(settings: SettingsOf<typeof clientTlsSettings>): ClientTlsOptions | undefined {
  if (!settings.tlsEnable) return undefined;
  const { tlsClientAuthServer, tlsClientCheckHostname, tlsClientTrustCertPath: trust } = settings;
  const { tlsClientCertPath: cert, tlsClientKeyPath: key } = settings;
  return {
    verify: !tlsClientAuthServer ? "nothing" : tlsClientCheckHostname ? "everything" : "chain",
    ...(trust !== "" && { trust: { path: trust, setting: "tlsClientTrustCertPath" } }),
    ...(cert !== "" && {
      cert: { path: cert, setting: "tlsClientCertPath" },
      key: { path: key, setting: "tlsClientKeyPath" },
    }),
  };
}
