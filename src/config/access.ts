/**
 * The settings of who may do what: access control with accounts as RocketMQ has it, and administrators without it.
 *
 * @module
 */
import { ACCESS_KEY_LENGTH_MAX, ACCESS_KEY_LENGTH_MIN } from "../limits.ts";
import { ADDRESSES } from "./addresses.ts";
import { bool, type Form, list, path } from "./setting.ts";

/** An access key or a secret, or none. */
export const ACCOUNT_KEY: Form = {
  pattern: new RegExp(`^$|^[^\\p{Cc}]{${ACCESS_KEY_LENGTH_MIN},${ACCESS_KEY_LENGTH_MAX}}$`, "u"),
  allowed: `nothing, or ${ACCESS_KEY_LENGTH_MIN} to ${ACCESS_KEY_LENGTH_MAX} characters`,
};

/** What every role has; `folder` is where its accounts are kept by default, below `storePathRootDir`. */
export function accessSettings(folder: string) {
  return {
    adminRequestsFrom: list(ADDRESSES, {
      default: [],
      help: "without aclEnable: addresses, besides this machine's, whose requests to change or delete are obeyed",
    }),
    aclEnable: bool({ default: false, help: "obey only whom the accounts of aclFile allow to" }),
    aclFile: path({
      default: ({ chosen }) => `${chosen("storePathRootDir")}/${folder}/plain_acl.yml`,
      help: "accounts, as in RocketMQ's plain_acl.yml; those in the folder acl beside it count too",
    }),
  };
}
