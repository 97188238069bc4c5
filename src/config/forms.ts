/**
 * Forms of text that several settings share.
 *
 * @module
 */
import type { Form } from "./setting.ts";

/** Names go into file paths and JSON keys: no slash, and not `.` or `..`. */
export const NAME: Form = {
  pattern: /^(?!\.{1,2}$)[\w.%|-]{1,127}$/,
  allowed: "a name of 1 to 127 letters, digits and _ - . % |",
};

/** A host name, an IPv4 address, or an IPv6 address with or without brackets. */
export const HOST: Form = {
  pattern: /^([A-Za-z0-9_.-]{1,255}|\[?[0-9A-Fa-f:.]{2,45}(%\w+)?\]?)$/,
  allowed: "a host name or an IP address",
};

export const ADDRESS: Form = {
  pattern:
    /^([A-Za-z0-9_.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\]):(?!0+$)(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
  allowed: "host:port",
};
