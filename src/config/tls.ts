/**
 * Settings of TLS: RocketMQ's `tls.*` under names of their own, its spellings too. RocketMQ has them as properties of
 * the Java machine and in tls.properties.
 *
 * @module
 */
import { bool, choice, optionalPath } from "./setting.ts";

/** For the side that is connected to. */
export const serverTlsSettings = {
  tlsServerMode: choice(["disabled", "permissive", "enforcing"], {
    default: "permissive",
    aliases: ["tls.server.mode"],
    help: "permissive takes TLS and plain connections on the same port, enforcing only TLS",
  }),
  tlsServerCertPath: optionalPath({
    default: "",
    aliases: ["tls.server.certPath"],
    help:
      "PEM file of the certificate, with those that vouch for it; read anew when it is replaced; without it, no TLS",
  }),
  tlsServerKeyPath: optionalPath({
    default: "",
    aliases: ["tls.server.keyPath"],
    help: "PEM file of the certificate's key, not encrypted; read anew when it is replaced",
  }),
};

/** For connections to other nodes. */
export const clientTlsSettings = {
  tlsEnable: bool({
    default: ({ chosen }) => chosen("tlsServerMode") === "enforcing",
    aliases: ["tls.enable", "useTLS"],
    help: "connect to nameservers and to the master with TLS; by default when tlsServerMode is enforcing",
  }),
  tlsClientAuthServer: bool({
    default: true,
    aliases: ["tls.client.authServer"],
    help: "connect only to nodes whose certificate can be trusted; RocketMQ's default is false",
  }),
  tlsClientTrustCertPath: optionalPath({
    default: "",
    aliases: ["tls.client.trustCertPath"],
    help: "PEM file of the certificates to trust; without it, those that this program or system trusts",
  }),
  tlsClientCheckHostname: bool({
    default: true,
    help: "connect only to nodes whose certificate names the address that was asked for; RocketMQ does not check that",
  }),
  tlsClientCertPath: optionalPath({
    default: "",
    aliases: ["tls.client.certPath"],
    help: "PEM file of a certificate to show to nodes that ask for one",
  }),
  tlsClientKeyPath: optionalPath({
    default: "",
    aliases: ["tls.client.keyPath"],
    help: "PEM file of that certificate's key, not encrypted",
  }),
};
