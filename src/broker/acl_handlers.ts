/**
 * The accounts of access control by request: shown, changed, removed (codes 50 to 54). Follows AdminBrokerProcessor of
 * RocketMQ 4.9.7, but never shows a secret, and takes no path but those of the files that are there.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import {
  DeleteAclConfig,
  GetBrokerClusterAclConfig,
  GetBrokerClusterAclInfo,
  UpdateAndCreateAclConfig,
  UpdateGlobalWhiteAddrsConfig,
} from "../protocol/admin_requests.ts";
import { encodeAclConfig, encodeAclVersions } from "../protocol/bodies/acl.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { stringifyFastJson } from "../protocol/fastjson.ts";
import type { RequestHeader } from "../protocol/request.ts";
import type { Accounts } from "../remoting/access/accounts.ts";
import type { AccountEntry } from "../remoting/access/acl_file.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";

const log = getLogger(["rocketd", "access"]);

const success: Answer = { code: ResponseCode.SUCCESS };
const OFF = "aclEnable is false here: this broker has no accounts";
/** What stands for a secret. */
const HIDDEN = "******";

/** Adds the requests; `accounts` are there with `aclEnable`. */
export function aclHandlers(
  table: HandlerTable,
  { settings, address }: Pick<BrokerContext, "settings" | "address">,
  accounts: Accounts | undefined,
): void {
  /** Does a change, and says what became of it: in the answer, and for the operator in the log. */
  const change = (
    code: number,
    what: string,
    { connection }: Incoming,
    apply: (accounts: Accounts) => void,
  ): Answer => {
    try {
      if (accounts === undefined) throw new Error(OFF);
      apply(accounts);
    } catch (error) {
      return { code, remark: messageOf(error) };
    }
    log.warn("{what} by a request of {peer}", { what, peer: connection.peer });
    return success;
  };
  table
    .on(UpdateAndCreateAclConfig, (request) => {
      const given = entryOf(request.header);
      const what = `the account ${given.accessKey} was changed`;
      const code = ResponseCode.UPDATE_AND_CREATE_ACL_CONFIG_FAILED;
      return change(code, what, request, (accounts) => accounts.put(given));
    })
    .on(DeleteAclConfig, (request) => {
      const { accessKey } = request.header;
      const what = `the account ${accessKey} was removed`;
      return change(ResponseCode.DELETE_ACL_CONFIG_FAILED, what, request, (accounts) => {
        if (!accounts.remove(accessKey)) throw new Error(`there is no account ${accessKey}`);
      });
    })
    .on(UpdateGlobalWhiteAddrsConfig, (request) => {
      const { globalWhiteAddrs, aclFileFullPath } = request.header;
      const what = `the addresses that need no account became ${JSON.stringify(globalWhiteAddrs)}`;
      return change(ResponseCode.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG_FAILED, what, request, (accounts) => {
        accounts.setGlobalWhiteAddresses(split(globalWhiteAddrs) ?? [], aclFileFullPath || undefined);
      });
    })
    .on(GetBrokerClusterAclInfo, () => {
      if (accounts === undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: OFF };
      const { brokerName, brokerClusterName: clusterName } = settings;
      const version = stringifyFastJson(accounts.version), allAclFileVersion = encodeAclVersions(accounts.versions);
      const header = { version, allAclFileVersion, brokerName, brokerAddr: address, clusterName };
      return { code: ResponseCode.SUCCESS, header };
    })
    .on(GetBrokerClusterAclConfig, () => {
      if (accounts === undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: OFF };
      const body = encodeAclConfig({
        globalWhiteAddrs: accounts.globalWhiteAddresses,
        plainAccessConfigs: accounts.entries.map((entry) => ({
          ...entry,
          admin: entry.admin ?? false,
          secretKey: HIDDEN,
        })),
      });
      return { code: ResponseCode.SUCCESS, body };
    });
}

/** What a request says of an account; blank fields say nothing, but for the addresses, which can be taken away. */
function entryOf(
  header: RequestHeader<typeof UpdateAndCreateAclConfig>,
): Partial<AccountEntry> & Pick<AccountEntry, "accessKey"> {
  const { topicPerms, groupPerms, secretKey, defaultTopicPerm, defaultGroupPerm, ...others } = header;
  return {
    ...others,
    // A tool that shows an account and sends it back must not set the secret to what stands for it.
    ...(secretKey === HIDDEN || !secretKey ? {} : { secretKey }),
    ...(defaultTopicPerm ? { defaultTopicPerm } : {}),
    ...(defaultGroupPerm ? { defaultGroupPerm } : {}),
    topicPerms: split(topicPerms),
    groupPerms: split(groupPerms),
  };
}

/** The items of a text with commas between them; undefined when it has none. */
function split(text: string | undefined): string[] | undefined {
  const items = text?.split(",").map((item) => item.trim()).filter((item) => item !== "") ?? [];
  return items.length === 0 ? undefined : items;
}
