/**
 * Brokers: how they are, how they are set up, and having them clean up.
 *
 * @module
 */
import {
  CleanExpiredConsumequeue,
  CleanUnusedTopic,
  DeleteExpiredCommitlog,
  UpdateBrokerConfig,
} from "../../../protocol/admin_requests.ts";
import { decodeKvTable } from "../../../protocol/bodies/mod.ts";
import type { RequestType } from "../../../protocol/request.ts";
import { GetBrokerConfig, GetBrokerRuntimeInfo } from "../../../protocol/requests.ts";
import type { Admin, Target } from "../admin.ts";
import { changes, reads } from "../command.ts";
import { doAt, doneResult } from "../doing.ts";
import { text } from "../options.ts";
import { column, result, table, wide } from "../result.ts";
import { settingRows, settingText } from "../settings.ts";
import { BROKER_OR_CLUSTER, namedMasters, whereTo } from "../targets.ts";

const facts = {
  broker: column("BROKER", "text"),
  address: wide("text"),
  key: column("KEY", "text"),
  value: column("VALUE", "text"),
} as const;
const runtimeTable = table("runtime", facts);
const settingsTable = table("settings", facts);

/** What a broker tells of itself, by RocketMQ's names. */
export async function runtimeOf(admin: Admin, broker: { readonly address: string }): Promise<Map<string, string>> {
  return decodeKvTable((await admin.ask(broker, GetBrokerRuntimeInfo, {})).body);
}

const brokerStatus = reads({
  name: "brokerStatus",
  area: "cluster",
  summary: "Show what brokers tell of themselves: version, figures, disks",
  options: BROKER_OR_CLUSTER,
  watched: true,
  run: async (admin, target) => {
    const { rows, failures } = await admin.each(await admin.masters(target), async (broker) => {
      const runtime = [...await runtimeOf(admin, broker)].sort(([a], [b]) => a < b ? -1 : 1);
      return runtime.map(([key, value]) => ({ broker: broker.name, address: broker.address, key, value }));
    });
    return result(runtimeTable(rows), failures);
  },
});

const getBrokerConfig = reads({
  name: "getBrokerConfig",
  area: "cluster",
  summary: "Show the settings of brokers",
  options: BROKER_OR_CLUSTER,
  run: async (admin, target) => {
    const { rows, failures } = await admin.each(await admin.masters(target), async (broker) => {
      const { body } = await admin.ask(broker, GetBrokerConfig, {});
      return settingRows(body).map((row) => ({ broker: broker.name, address: broker.address, ...row }));
    });
    return result(settingsTable(rows), failures);
  },
});

const updateBrokerConfig = changes({
  name: "updateBrokerConfig",
  area: "cluster",
  summary: "Change a setting of brokers while they run",
  options: {
    ...BROKER_OR_CLUSTER,
    key: text({ short: "k", value: "KEY", required: true, help: "the setting" }),
    value: text({ short: "v", required: true, help: "its value" }),
  },
  run: async (admin, { key, value, ...target }) =>
    doneResult(
      await doAt(admin, await namedMasters(admin, target), async (broker) => {
        await admin.ask(broker, UpdateBrokerConfig, {}, { body: settingText(key, value) });
        return `${key} is ${value}`;
      }),
    ),
});

/** How much longer than other answers brokers may take to clean up. */
const CLEANING_PATIENCE = 6;

function cleaning(name: string, summary: string, type: RequestType, question: (where: string) => string) {
  return changes({
    name,
    area: "cluster",
    summary,
    options: BROKER_OR_CLUSTER,
    notes: ["Without -b and -c it goes to all masters."],
    asks: (target: Target) => question(whereTo(target)),
    run: async (admin, target) =>
      doneResult(
        await doAt(admin, await admin.masters(target), async (broker) => {
          await admin.ask(broker, type, {}, { patience: CLEANING_PATIENCE });
          return "done";
        }),
      ),
  });
}

const cleanExpiredCQ = cleaning(
  "cleanExpiredCQ",
  "Drop consume queues whose messages have all gone",
  CleanExpiredConsumequeue,
  (where) => `Drop the consume queues of ${where} whose messages have gone?`,
);
const cleanUnusedTopic = cleaning(
  "cleanUnusedTopic",
  "Drop the queues of topics that brokers no longer have",
  CleanUnusedTopic,
  (where) => `Drop the queues of topics that ${where} no longer have?`,
);
const deleteExpiredCommitLog = cleaning(
  "deleteExpiredCommitLog",
  "Delete the log files that are past their time now, not at the hour set for it",
  DeleteExpiredCommitlog,
  (where) => `Delete the expired log files of ${where}?`,
);

/** Commands about brokers. */
export const BROKER_COMMANDS = [
  brokerStatus,
  getBrokerConfig,
  updateBrokerConfig,
  cleanExpiredCQ,
  cleanUnusedTopic,
  deleteExpiredCommitLog,
];
