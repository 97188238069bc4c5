/**
 * What an operator does with mqadmin, as data: every command of 4.9.7's tool, and why the few are left out.
 *
 * @module
 */

/** A command line of mqadmin. `$name` stands for what is known of the cluster, or what an earlier step kept. */
export interface Step {
  readonly run: string;
  /** What comes without a signal (an index entry, a committed offset): the command is run again until it prints this. */
  readonly until?: RegExp;
  /** A part of the output which later steps need, by its name. */
  readonly keep?: Readonly<Record<string, RegExp>>;
  /** The rows come out of a hash table whose order depends on ports and times. */
  readonly anyOrder?: true;
  /** The figures belong to the shape: both clusters hold the same messages. */
  readonly exact?: true;
  /** The command is meant to fail; what it says before the stack counts. */
  readonly fails?: true;
  /** Ours says in words of its own why it refuses; the code is the same. */
  readonly ownWords?: true;
  /** The command never ends: this many lines are enough. */
  readonly lines?: number;
  /** Lines are `name = value`, and each of the two has settings of its own. */
  readonly settings?: true;
  /** The command writes a file of JSON here: its shape counts too. */
  readonly file?: string;
}

/** A command of the test's own shell: clients that live beside the tool. */
export interface Act {
  readonly java: string;
  /** What of its report later steps need. */
  readonly keep?: string;
}

/** Commands of mqadmin that no step runs, and why. */
export const EXCUSED: Readonly<Record<string, string>> = {
  startMonitoring: "never ends, and prints nothing: it logs what its own consumers see of groups that lag",
};

const TOPIC = "ToolTopic", GROUP = "tool-group", CLONE = "tool-clone";

/** In this order, for each leans on what was done before. */
export const STEPS: readonly (Step | Act)[] = [
  // ---- topics and groups ----
  { run: `updateTopic -c $cluster -t ${TOPIC} -r 4 -w 4` },
  { run: `updateTopic -b $master -t ToolOther -r 2 -w 3 -p 6 -o false -u false -s false` },
  { run: `updateTopic -b $master -t ToolUnit -r 2 -w 2 -u true -s true` },
  { run: `updateTopicPerm -c $cluster -t ToolOther -p 4`, exact: true },
  { run: `updateTopicPerm -b $master -t ToolOther -p 6`, until: /from 4 to 6/, exact: true },
  { run: `updateTopicPerm -b $master -t ToolOther -p 6`, until: /equals to the old/ },
  { run: `updateTopicPerm -c $cluster -t ToolNone -p 6`, fails: true },
  { run: `updateSubGroup -c $cluster -g ${GROUP} -s true -m false -d true -q 1 -r 16 -i 0 -w 1 -a true` },
  { run: `updateSubGroup -b $master -g ${CLONE}` },
  { run: `getConsumerConfig -g ${GROUP}`, exact: true },
  { run: `getConsumerConfig -g tool-unheard-of` },
  { run: `topicRoute -t ${TOPIC}` },
  { run: `topicRoute -t ${TOPIC} -l` },
  { run: `topicRoute -t ToolNone`, fails: true },
  { run: `topicClusterList -t ${TOPIC}` },
  { run: `allocateMQ -t ${TOPIC} -i 10.0.0.1,10.0.0.2`, exact: true },
  { run: `updateOrderConf -t ToolOther -m put -v broker-a:2`, exact: true },
  { run: `updateOrderConf -t ToolOther -m get`, exact: true },
  { run: `updateOrderConf -t ToolOther -m delete`, exact: true },
  { run: `updateOrderConf -t ToolOther -m get`, fails: true },

  // ---- live clients ----
  { java: `join tool ${GROUP} ${TOPIC}` },
  { java: `await-queues tool ${TOPIC} 4` },
  { java: `post ${TOPIC} first 16 TagA` },
  { java: `got first 16 tool` },
  { run: `consumerProgress -g ${GROUP}`, until: /Diff Total: 0/, exact: true },
  { run: `consumerConnection -g ${GROUP}`, keep: { client: /(\S+@tool)\b/ } },
  { run: `consumerConnection -g ${GROUP} -b $master` },
  { run: `consumerConnection -g ${GROUP} -b $slave` },
  { run: `consumerConnection -g ${CLONE}`, fails: true },
  { run: `producerConnection -g interop-producer-main -t ${TOPIC}` },
  { run: `producerConnection -g tool-nobody -t ${TOPIC}`, fails: true },
  { run: `producer -b $master`, anyOrder: true },
  { run: `producer -b $slave` },
  { run: `consumerProgress`, anyOrder: true },
  { run: `consumerProgress -g ${GROUP} -s true`, exact: true },
  { run: `consumerStatus -g ${GROUP}` },
  { run: `consumerStatus -g ${GROUP} -s` },
  { run: `consumerStatus -g ${GROUP} -i $client` },
  { run: `consumerStatus -g ${GROUP} -i $client -b $master` },

  // ---- messages ----
  {
    run: `sendMessage -t ${TOPIC} -p tool -k tool-key -c TagB -b $brokerName -i 2`,
    keep: { id: /([0-9A-F]{32,})/ },
  },
  { run: "sendMessage -t ToolOther -p traced -k traced-key -m true -b $brokerName -i 1" },
  // The tool's producer may be shut down before its trace is sent; this one waits until it has been.
  { java: "trace-post ToolOther", keep: "traced" },
  { run: `consumerProgress -g ${GROUP}`, until: /Diff Total: 0/ },
  { run: `topicStatus -t ${TOPIC}`, exact: true },
  { run: `queryMsgTraceById -i $traced`, until: /#ProducerGroup/ },
  { run: `queryMsgByKey -t ${TOPIC} -k tool-key`, until: /[0-9A-F]{32,}/, exact: true },
  { run: `queryMsgByKey -t ${TOPIC} -k no-such-key`, fails: true },
  { run: `queryMsgByUniqueKey -t ${TOPIC} -i $id`, until: /Queue Offset/ },
  { run: `queryMsgByUniqueKey -t ${TOPIC} -i $id -a` },
  { run: `queryMsgByUniqueKey -t ${TOPIC} -i $id -g ${GROUP} -d $client` },
  { run: `queryMsgByOffset -t ${TOPIC} -b $brokerName -i 2 -o 4`, keep: { offsetId: /OffsetID: +(\S+)/ } },
  { run: `queryMsgByOffset -t ${TOPIC} -b $brokerName -i 2 -o 4000` },
  { run: `queryMsgById -i $offsetId` },
  { run: `queryMsgById -i $offsetId -g ${GROUP} -d $client` },
  { run: `queryMsgById -i $offsetId,$offsetId` },
  { run: `queryMsgById -i 7F00000100002A9F00000000FFFFFFFF`, fails: true },
  { run: `printMsg -t ${TOPIC}`, anyOrder: true },
  { run: `printMsg -t ${TOPIC} -d true -s TagA -b 2020-01-01#00:00:00:000`, anyOrder: true },
  { run: `printMsgByQueue -t ${TOPIC} -a $brokerName -i 2 -p true -d true -f true` },
  { run: `consumeMessage -t ${TOPIC}`, anyOrder: true },
  { run: `consumeMessage -t ${TOPIC} -b $brokerName -i 2 -o 1 -c 2` },
  { run: `checkMsgSendRT -t ${TOPIC} -a 3 -s 16` },
  { run: `sendMsgStatus -b $brokerName -s 16 -c 2` },
  { run: `clusterRT -a 2 -s 16 -i 1 -c $cluster`, lines: 2 },
  { run: `queryCq -t ${TOPIC} -q 2 -i 0 -c 3`, exact: true },
  { run: `queryCq -t ${TOPIC} -q 2 -i 0 -c 3 -b $master -g ${GROUP}` },
  { run: `queryMsgById -i $offsetId -s true` },

  // ---- offsets ----
  { run: `cloneGroupOffset -s ${GROUP} -d ${CLONE} -t ${TOPIC}` },
  { run: `consumerProgress -g ${CLONE}`, fails: true },
  { run: `resetOffsetByTime -g ${CLONE} -t ${TOPIC} -s now` },
  { run: `resetOffsetByTime -g ${CLONE} -t ${TOPIC} -s 2020-01-01#00:00:00:000 -f true` },
  { run: `skipAccumulatedMessage -g ${CLONE} -t ${TOPIC}` },
  { run: `resetOffsetByTime -g ${GROUP} -t ${TOPIC} -s 2020-01-01#00:00:00:000` },
  { run: `skipAccumulatedMessage -g ${GROUP} -t ${TOPIC} -f true` },
  { run: `resetOffsetByTime -g ${GROUP} -t ToolNone -s now`, fails: true },

  // ---- the cluster and its brokers ----
  { run: `clusterList` },
  { run: `clusterList -m` },
  { run: `clusterList -i 1`, lines: 6 },
  { run: `brokerStatus -b $master` },
  { run: `brokerStatus -b $slave` },
  { run: `brokerStatus -c $cluster`, anyOrder: true },
  { run: `brokerConsumeStats -b $master`, anyOrder: true },
  { run: `brokerConsumeStats -b $master -o true` },
  { run: `getBrokerConfig -b $master`, settings: true },
  { run: `getBrokerConfig -c $cluster`, settings: true },
  { run: `updateBrokerConfig -b $master -k fileReservedTime -v 70` },
  { run: `updateBrokerConfig -c $cluster -k fileReservedTime -v 71` },
  { run: `cleanExpiredCQ -b $master` },
  { run: `cleanExpiredCQ -b $slave` },
  { run: `cleanExpiredCQ -c $cluster` },
  { run: `deleteExpiredCommitLog -b $master` },
  { run: `deleteExpiredCommitLog -b $slave` },
  { run: `deleteExpiredCommitLog -c $cluster` },
  { run: `statsAll`, anyOrder: true },
  { run: `statsAll -t ${TOPIC}` },
  { run: `topicList`, anyOrder: true },
  { run: `topicList -c`, anyOrder: true },
  { run: `exportConfigs -c $cluster -f $dir`, file: "configs.json" },
  { run: `exportMetadata -c $cluster -f $dir`, file: "metadata.json" },
  { run: `exportMetadata -b $master -t -s -f $dir`, file: "topic.json" },
  { run: `exportMetadata -b $master -g -f $dir`, file: "subscriptionGroup.json" },
  { run: `exportMetrics -c $cluster -f $dir`, file: "metrics.json" },

  // ---- the nameserver ----
  { run: `wipeWritePerm -b $brokerName` },
  { run: `topicRoute -t ${TOPIC}`, exact: true },
  { run: `addWritePerm -b $brokerName` },
  { run: `topicRoute -t ${TOPIC}`, exact: true },
  { run: `updateKvConfig -s space -k tool -v value` },
  { run: `deleteKvConfig -s space -k tool` },
  { run: `getNamesrvConfig`, settings: true },
  { run: `updateNamesrvConfig -k orderMessageEnable -v true` },

  // ---- the end of it ----
  { java: `leave tool` },
  { run: `consumerProgress`, until: /OFFLINE/, anyOrder: true },
  { run: `deleteSubGroup -c $cluster -g ${GROUP} -r true` },
  { run: `deleteSubGroup -b $master -g ${CLONE}` },
  { run: `deleteTopic -c $cluster -t ToolOther` },
  { run: `deleteTopic -c $cluster -t ${TOPIC}` },
  { run: `topicRoute -t ${TOPIC}`, fails: true },
  { run: `cleanUnusedTopic -b $master` },
  { run: `cleanUnusedTopic -c $cluster` },
  { run: `topicList`, anyOrder: true },
];

const ACCOUNT = "tool-client";

/** What an operator does with the accounts of a broker that knows `aclEnable`. */
export const ACCESS_STEPS: readonly Step[] = [
  { run: `updateTopic -c $cluster -t ${TOPIC}` },
  { run: `topicRoute -t ${TOPIC}` },
  { run: `getBrokerConfig -b $master`, settings: true },
  { run: `updateSubGroup -c $cluster -g ${GROUP}` },
  { run: `getAclConfig -b $master`, exact: true },
  { run: `getAclConfig -c $cluster`, exact: true },
  { run: `clusterAclConfigVersion -b $master` },
  { run: `clusterAclConfigVersion -c $cluster` },
  {
    run: `updateAclConfig -b $master -a ${ACCOUNT} -s tool-client-secret -w 10.0.0.* -i DENY -u SUB ` +
      `-t ${TOPIC}=PUB|SUB,ToolNone=DENY -g ${GROUP}=SUB -m false`,
    exact: true,
  },
  { run: `getAclConfig -b $master`, until: /ToolNone=DENY/, exact: true },
  { run: `updateAclConfig -c $cluster -a ${ACCOUNT} -s tool-client-secret -i PUB` },
  { run: `getAclConfig -b $master`, until: /defaultTopicPerm *: PUB/, exact: true },
  { run: `updateAclConfig -b $master -a ${ACCOUNT} -s short`, fails: true, ownWords: true },
  { run: `updateGlobalWhiteAddr -b $master -g 10.1.0.*,10.2.0.1` },
  { run: `updateGlobalWhiteAddr -c $cluster -g 10.1.0.*` },
  { run: `getAclConfig -b $master`, until: /\[10\.1\.0\.\*\]/, exact: true },
  { run: `deleteAclConfig -b $master -a ${ACCOUNT}` },
  { run: `getAclConfig -b $master`, exact: true },
  { run: `deleteAclConfig -c $cluster -a ${ACCOUNT}`, fails: true, ownWords: true },
  { run: `sendMessage -t ${TOPIC} -p tool` },
];
