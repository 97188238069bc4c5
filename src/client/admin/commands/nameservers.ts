/**
 * What nameservers keep: settings, key-value configuration, permission to write to brokers. Each nameserver is told, since
 * they do not tell each other.
 *
 * @module
 */
import { GetNamesrvConfig, UpdateNamesrvConfig } from "../../../protocol/admin_requests.ts";
import {
  AddWritePermOfBroker,
  DeleteKvConfig,
  PutKvConfig,
  WipeWritePermOfBroker,
} from "../../../protocol/requests.ts";
import { changes, reads } from "../command.ts";
import { doAt, doneResult } from "../doing.ts";
import { text } from "../options.ts";
import { column, result, table } from "../result.ts";
import { settingRows, settingText } from "../settings.ts";

const BROKER_NAME = text({ short: "b", value: "NAME", required: true, help: "the broker name" });
const NAMESPACE = text({ short: "s", value: "NAMESPACE", required: true, help: "the namespace" });
const KEY = text({ short: "k", value: "KEY", required: true, help: "the key" });

const updateKvConfig = changes({
  name: "updateKvConfig",
  area: "nameserver",
  summary: "Set a value of the key-value configuration",
  options: { namespace: NAMESPACE, key: KEY, value: text({ short: "v", required: true, help: "the value" }) },
  run: async (admin, { namespace, key, value }) =>
    doneResult(
      await doAt(admin, admin.nameservers, async (nameserver) => {
        await admin.ask(nameserver, PutKvConfig, { namespace, key, value });
        return `${key} is set`;
      }),
    ),
});

const deleteKvConfig = changes({
  name: "deleteKvConfig",
  area: "nameserver",
  summary: "Delete a value of the key-value configuration",
  options: { namespace: NAMESPACE, key: KEY },
  asks: ({ namespace, key }) => `Delete ${key} of the namespace ${namespace}?`,
  run: async (admin, { namespace, key }) =>
    doneResult(
      await doAt(admin, admin.nameservers, async (nameserver) => {
        await admin.ask(nameserver, DeleteKvConfig, { namespace, key });
        return `${key} is deleted`;
      }),
    ),
});

const wipeWritePerm = changes({
  name: "wipeWritePerm",
  area: "nameserver",
  summary: "Let no producer find a broker, until addWritePerm or its next start",
  options: { brokerName: BROKER_NAME },
  asks: ({ brokerName }) => `Take ${brokerName} away from all producers?`,
  run: async (admin, { brokerName }) =>
    doneResult(
      await doAt(admin, admin.nameservers, async (nameserver) => {
        const { wipeTopicCount } = (await admin.ask(nameserver, WipeWritePermOfBroker, { brokerName })).header;
        return `${wipeTopicCount ?? 0} topics of ${brokerName} cannot be written`;
      }),
    ),
});

const addWritePerm = changes({
  name: "addWritePerm",
  area: "nameserver",
  summary: "Let producers find a broker again",
  options: { brokerName: BROKER_NAME },
  run: async (admin, { brokerName }) =>
    doneResult(
      await doAt(admin, admin.nameservers, async (nameserver) => {
        const { addTopicCount } = (await admin.ask(nameserver, AddWritePermOfBroker, { brokerName })).header;
        return `${addTopicCount ?? 0} topics of ${brokerName} can be written`;
      }),
    ),
});

const settings = table("settings", {
  nameserver: column("NAMESERVER", "text"),
  key: column("KEY", "text"),
  value: column("VALUE", "text"),
});

const getNamesrvConfig = reads({
  name: "getNamesrvConfig",
  area: "nameserver",
  summary: "Show the settings of each nameserver",
  options: {},
  run: async (admin) => {
    const { rows, failures } = await admin.each(admin.nameservers, async (nameserver) => {
      const { body } = await admin.ask(nameserver, GetNamesrvConfig, {});
      return settingRows(body).map((row) => ({ nameserver: nameserver.address, ...row }));
    });
    return result(settings(rows), failures);
  },
});

const updateNamesrvConfig = changes({
  name: "updateNamesrvConfig",
  area: "nameserver",
  summary: "Change a setting of each nameserver while it runs",
  options: {
    key: text({ short: "k", value: "KEY", required: true, help: "the setting" }),
    value: text({ short: "v", required: true, help: "its value" }),
  },
  run: async (admin, { key, value }) =>
    doneResult(
      await doAt(admin, admin.nameservers, async (nameserver) => {
        await admin.ask(nameserver, UpdateNamesrvConfig, {}, { body: settingText(key, value) });
        return `${key} is ${value}`;
      }),
    ),
});

/** Commands about nameservers. */
export const NAMESERVER_COMMANDS = [
  getNamesrvConfig,
  updateNamesrvConfig,
  updateKvConfig,
  deleteKvConfig,
  wipeWritePerm,
  addWritePerm,
];
