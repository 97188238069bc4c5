import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.protocol.body.Connection;
import org.apache.rocketmq.common.protocol.body.ConsumeMessageDirectlyResult;
import org.apache.rocketmq.common.protocol.body.ConsumerConnection;
import org.apache.rocketmq.common.protocol.body.ConsumerRunningInfo;
import org.apache.rocketmq.common.protocol.body.ProducerInfo;
import org.apache.rocketmq.common.protocol.body.ProducerTableInfo;
import org.apache.rocketmq.common.protocol.body.QueryCorrectionOffsetBody;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** What the library under mqadmin asks about clients, and does with their offsets. */
final class AdminClients {
    private static final int QUERY_CORRECTION_OFFSET = 308;
    private static DefaultMQAdminExt admin;

    private AdminClients() {
    }

    static void run(Session session, String[] args) throws Exception {
        if (admin == null) {
            admin = new DefaultMQAdminExt("interop-admin", Session.TIMEOUT_MS);
            session.prepare(admin, false);
            admin.start();
        }
        switch (args[0]) {
            case "consumers": consumers(args[1]); break;
            case "producers": producers(session, args[1], args[2]); break;
            case "running": running(args[1], args[2], args.length > 3 ? args[3] : "NettyClient"); break;
            case "consume": consume(session, args[1], args[2], args[3]); break;
            case "status": status(args[1], args[2], args.length > 3 ? args[3] : null); break;
            case "reset": reset(args[1], args[2], Long.parseLong(args[3]), Boolean.parseBoolean(args[4])); break;
            case "reset-new": admin.resetOffsetNew(args[1], args[2], Long.parseLong(args[3])); break;
            case "clone": admin.cloneGroupOffset(args[1], args[2], args[3], true); break;
            case "corrections": corrections(session, args[1], args[2], args[3]); break;
            case "clean":
                Out.line("cleaned", "unused", admin.cleanUnusedTopicByAddr(args[1]),
                    "expired", admin.cleanExpiredConsumerQueueByAddr(args[1]),
                    "log", admin.deleteExpiredCommitLogByAddr(args[1]));
                break;
            case "delete-topic": admin.deleteTopicInBroker(Collections.singleton(args[1]), args[2]); break;
            case "delete-group":
                admin.deleteSubscriptionGroup(args[1], args[2], Boolean.parseBoolean(args[3]));
                break;
            case "await-half": awaitHalf(session, args[1]); break;
            case "resume-half": resumeHalf(args[1], args[2], args[3]); break;
            default: throw new Out.Failed("unknown command " + args[0]);
        }
    }

    /** Clients of a group by their versions, which tell them apart. */
    private static void consumers(String group) throws Exception {
        ConsumerConnection found = admin.examineConsumerConnectionInfo(group);
        Map<Integer, String> clients = new TreeMap<>();
        for (Connection connection : found.getConnectionSet()) {
            Out.check(connection.getClientAddr().matches("[0-9.]+:[0-9]+"), "address " + connection.getClientAddr());
            clients.put(connection.getVersion(), connection.getLanguage() + " " + connection.getClientId());
        }
        Out.line("consumers", "clients", clients, "type", found.getConsumeType(), "model", found.getMessageModel(),
            "from", found.getConsumeFromWhere(), "topics", new TreeMap<>(found.getSubscriptionTable()).keySet());
    }

    private static void producers(Session session, String broker, String topic) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        producer.send(new Message(topic, Ledger.utf8("makes the producer known")));
        // By itself it comes every 30 s.
        producer.getDefaultMQProducerImpl().getmQClientFactory().sendHeartbeatToAllBrokerWithLock();
        String group = producer.getProducerGroup();
        Connection one = admin.examineProducerConnectionInfo(group, topic).getConnectionSet().iterator().next();
        ProducerTableInfo all = admin.getAllProducerInfo(broker);
        List<ProducerInfo> infos = all.getData().get(group);
        Out.same(1, infos.size(), "producers of " + group);
        ProducerInfo info = infos.get(0);
        Out.same(one.getClientId(), info.getClientId(), "client id");
        Out.same("/" + one.getClientAddr(), info.getRemoteIP(), "remote address");
        Out.check(System.currentTimeMillis() - info.getLastUpdateTimestamp() < 30000, "time of the last heartbeat");
        Out.line("producer", "language", one.getLanguage(), "version", one.getVersion(), "infoLanguage",
            info.getLanguage(), "infoVersion", info.getVersion());
    }

    /** `thread`: what the stacks of the client's threads tell of. */
    private static void running(String group, String clientId, String thread) throws Exception {
        ConsumerRunningInfo info = admin.getConsumerRunningInfo(group, clientId, true);
        Out.check(info.getJstack().contains(thread), "the stacks lack the client's threads: " + info.getJstack());
        Out.same(null, admin.getConsumerRunningInfo(group, clientId, false).getJstack(), "stacks that nobody asked for");
        List<String> queues = new ArrayList<>();
        info.getMqTable().forEach((queue, held) -> {
            if (!queue.getTopic().startsWith("%")) queues.add(queue.getTopic() + "-" + held.getCommitOffset());
        });
        Out.line("running", "type", info.getProperties().getProperty(ConsumerRunningInfo.PROP_CONSUME_TYPE),
            "queues", queues, "topics", info.getStatusTable().keySet());
    }

    /** Sends a message that nobody subscribes to, and hands it to a consumer. */
    private static void consume(Session session, String topic, String group, String clientId) throws Exception {
        SendResult sent = session.producer(false).send(new Message(topic, Ledger.utf8("direct 0")));
        ConsumeMessageDirectlyResult result = admin.consumeMessageDirectly(group, clientId, sent.getOffsetMsgId());
        Out.line("consumed", "result", result.getConsumeResult(), "order", result.isOrder(), "remark", result.getRemark());
    }

    private static void status(String topic, String group, String clientId) throws Exception {
        Map<String, Long> offsets = new TreeMap<>();
        Map<String, Map<MessageQueue, Long>> found = admin.getConsumeStatus(topic, group, clientId);
        found.values().forEach(one -> one.forEach((queue, offset) -> offsets.put("" + queue.getQueueId(), offset)));
        Out.line("status", "clients", found.size(), "offsets", offsets);
    }

    private static void reset(String topic, String group, long timestamp, boolean force) throws Exception {
        try {
            Map<String, Long> offsets = new TreeMap<>();
            admin.resetOffsetByTimestamp(topic, group, timestamp, force)
                .forEach((queue, offset) -> offsets.put("" + queue.getQueueId(), offset));
            Out.line("reset", "code", 0, "offsets", offsets);
        } catch (MQClientException e) {
            Out.line("reset", "code", e.getResponseCode(), "remark", e.getErrorMessage());
        }
    }

    private static void corrections(Session session, String broker, String topic, String compared) throws Exception {
        RemotingCommand answer = session.ask(broker, QUERY_CORRECTION_OFFSET, null, "topic", topic, "compareGroup", compared);
        Out.same(0, answer.getCode(), "code: " + answer.getRemark());
        QueryCorrectionOffsetBody body = RemotingSerializable.decode(answer.getBody(), QueryCorrectionOffsetBody.class);
        Out.line("corrections", "offsets", new TreeMap<>(body.getCorrectionOffsets()));
    }

    /** Waits for a half message that was put aside, and reports its id. */
    private static void awaitHalf(Session session, String broker) throws Exception {
        MessageQueue queue = new MessageQueue("TRANS_CHECK_MAX_TIME_TOPIC", broker, 0);
        List<MessageExt> found = new ArrayList<>();
        Session.await("a half message that was put aside", () -> {
            try {
                PullResult result = session.reader().pull(queue, "*", 0, 1);
                if (result.getMsgFoundList() != null) found.addAll(result.getMsgFoundList());
            } catch (MQClientException | MQBrokerException e) {
                // The broker is not known yet, or has no such topic.
            }
            return !found.isEmpty();
        });
        Out.line("aside", "id", ((MessageClientExt) found.get(0)).getOffsetMsgId());
    }

    /** Has a half message asked about again once its producer is there. */
    private static void resumeHalf(String address, String group, String id) throws Exception {
        Session.await(group, () -> admin.getAllProducerInfo(address).getData().containsKey(group));
        Out.line("resumed", "resumed", admin.resumeCheckHalfMessage(id));
    }
}
