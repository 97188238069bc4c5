/**
 * The commands of RocketMQ 4.9.7's mqadmin with the letters of their options, and which of them rocketd leaves out.
 *
 * @module
 */

/** Letters by command (`MQAdminStartup.initCommand`, `buildCommandlineOptions`). */
export const MQADMIN: Readonly<Record<string, string>> = {
  updateTopic: "bctrwpous",
  deleteTopic: "tc",
  updateSubGroup: "bcgsmdqriwa",
  deleteSubGroup: "bcgr",
  updateBrokerConfig: "bckv",
  updateTopicPerm: "bctp",
  topicRoute: "tl",
  topicStatus: "t",
  topicClusterList: "t",
  brokerStatus: "bc",
  queryMsgById: "igdsu",
  queryMsgByKey: "tk",
  queryMsgByUniqueKey: "igdta",
  queryMsgByOffset: "tbio",
  queryMsgTraceById: "it",
  printMsg: "tcsbed",
  printMsgByQueue: "taicsbepdf",
  sendMsgStatus: "bsc",
  brokerConsumeStats: "btlo",
  producerConnection: "gt",
  consumerConnection: "gb",
  consumerProgress: "gs",
  consumerStatus: "gibs",
  cloneGroupOffset: "sdto",
  producer: "b",
  clusterList: "mi",
  topicList: "c",
  updateKvConfig: "skv",
  deleteKvConfig: "sk",
  wipeWritePerm: "b",
  addWritePerm: "b",
  resetOffsetByTime: "gtsfc",
  skipAccumulatedMessage: "gtf",
  updateOrderConf: "tvm",
  cleanExpiredCQ: "bc",
  deleteExpiredCommitLog: "bc",
  cleanUnusedTopic: "bc",
  startMonitoring: "",
  statsAll: "at",
  allocateMQ: "ti",
  checkMsgSendRT: "tas",
  clusterRT: "ascpmi",
  getNamesrvConfig: "",
  updateNamesrvConfig: "kv",
  getBrokerConfig: "bc",
  getConsumerConfig: "g",
  queryCq: "tqicbg",
  sendMessage: "tpkcbim",
  consumeMessage: "tbiogsec",
  updateAclConfig: "bcaswiutgm",
  deleteAclConfig: "bca",
  clusterAclConfigVersion: "bc",
  updateGlobalWhiteAddr: "bcgp",
  getAclConfig: "bc",
  exportMetadata: "cbftgs",
  exportConfigs: "cf",
  exportMetrics: "cf",
};

/** Commands that rocketd does not have, with the reason. */
export const WITHOUT_COMMAND: Readonly<Record<string, string>> = {
  startMonitoring: "a daemon that logs what `consumerProgress -i SECONDS` shows",
};

/** Letters that rocketd does not have, with the reason. */
export const WITHOUT_LETTER: Readonly<Record<string, string>> = {
  "queryMsgById s": "sends a message again, with all its properties: nobody could tell the two apart",
  "queryMsgById u": "goes with -s",
  "printMsg c": "bodies are shown as UTF-8",
  "printMsgByQueue c": "bodies are shown as UTF-8",
  "resetOffsetByTime c": "the broker knows which of the members are C++ clients",
  "clusterRT p": "a form of log lines; --json is for programs",
  "clusterRT m": "goes with -p",
  "sendMessage m": "our clients do not trace",
};
