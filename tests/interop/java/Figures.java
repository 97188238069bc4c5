import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.admin.ConsumeStats;
import org.apache.rocketmq.common.admin.OffsetWrapper;
import org.apache.rocketmq.common.admin.TopicOffset;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.protocol.body.BrokerStatsData;
import org.apache.rocketmq.common.protocol.body.ConsumeStatsList;
import org.apache.rocketmq.common.protocol.body.QueryConsumeQueueResponseBody;
import org.apache.rocketmq.common.protocol.body.QueueTimeSpan;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** Sends and reads known numbers of messages, and reads what the broker counted of them. */
final class Figures {
    private static DefaultMQAdminExt tool;

    private Figures() {
    }

    /**
     * TOPIC GROUP SECOND: to an empty topic with two queues, sends 5 messages to queue 0, a batch of 4 to queue 1, and 2
     * that are delayed by a second. GROUP reads the first 5 with two pulls and the 4 with one, gives one back, and is at 3
     * of queue 0; SECOND reads all 11 and is at the ends.
     */
    static void use(Session session, String[] args) throws Exception {
        String topic = args[0];
        DefaultMQProducer producer = session.producer(false);
        DefaultMQPullConsumer first = session.pullConsumer(args[1]);
        DefaultMQPullConsumer second = session.pullConsumer(args[2]);
        try {
            List<MessageQueue> queues = new ArrayList<>(first.fetchSubscribeMessageQueues(topic));
            queues.sort(null);
            MessageQueue q0 = queues.get(0);
            MessageQueue q1 = queues.get(1);
            for (int i = 0; i < 5; i++) producer.send(message(topic, i), q0);
            List<Message> batch = new ArrayList<>();
            for (int i = 5; i < 9; i++) batch.add(message(topic, i));
            producer.send(batch, q1);
            for (int i = 9; i < 11; i++) {
                Message delayed = message(topic, i);
                delayed.setDelayTimeLevel(1);
                producer.send(delayed, q1);
            }
            List<MessageExt> read = new ArrayList<>();
            read.addAll(pull(first, q0, 0, 3));
            read.addAll(pull(first, q0, 3, 32));
            read.addAll(pull(first, q1, 0, 4));
            Out.same(9, read.size(), "messages that the first group read");
            first.sendMessageBack(read.get(0), 1);
            commit(first, q0, 3);
            Session.await("the delayed messages", () -> second.maxOffset(q1) == 6);
            List<MessageExt> all = new ArrayList<>();
            all.addAll(pull(second, q0, 0, 32));
            all.addAll(pull(second, q1, 0, 32));
            Out.same(11, all.size(), "messages that the second group read");
            commit(second, q0, 5);
            commit(second, q1, 6);
            MessageQueue retries = new MessageQueue("%RETRY%" + args[1], q0.getBrokerName(), 0);
            Session.await("the message that was given back", () -> second.maxOffset(retries) == 1);
            Out.line("sizes", "first", sizes(read), "second", sizes(all));
        } finally {
            first.shutdown();
            second.shutdown();
        }
    }

    private static Message message(String topic, int n) {
        return new Message(topic, "TagA", ("figure " + n).getBytes(StandardCharsets.UTF_8));
    }

    private static List<MessageExt> pull(DefaultMQPullConsumer consumer, MessageQueue queue, long offset, int most)
        throws Exception {
        PullResult result = consumer.pull(queue, "*", offset, most);
        return result.getMsgFoundList();
    }

    /** At the broker: a consumer that shares no queues keeps offsets for itself. */
    private static void commit(DefaultMQPullConsumer consumer, MessageQueue queue, long offset) throws Exception {
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().updateConsumeOffsetToBroker(queue, offset, false);
    }

    private static int sizes(List<MessageExt> messages) {
        return messages.stream().mapToInt(MessageExt::getStoreSize).sum();
    }

    private static synchronized DefaultMQAdminExt admin(Session session) throws Exception {
        if (tool == null) {
            tool = new DefaultMQAdminExt("interop-figures", Session.TIMEOUT_MS);
            session.prepare(tool, false);
            tool.start();
        }
        return tool;
    }

    /** BROKER NAME KEY SUM: waits until the figure of the last minute has the sum, which takes the broker a sample. */
    static void view(Session session, String[] args) throws Exception {
        long sum = Long.parseLong(args[3]);
        BrokerStatsData[] data = new BrokerStatsData[1];
        try {
            Session.await(args[1] + " of " + args[2], () -> {
                data[0] = look(session, args);
                return data[0] != null && data[0].getStatsMinute().getSum() == sum;
            });
        } catch (Out.Failed waited) {
            throw new Out.Failed(waited.getMessage() + ": " + (data[0] == null ? "no such figure" : data[0].toJson()));
        }
        Out.line("figure", "tps", data[0].getStatsMinute().getTps(), "avgpt", data[0].getStatsMinute().getAvgpt());
    }

    /** BROKER NAME KEY: says why there is no such figure. */
    static void viewNone(Session session, String[] args) throws Exception {
        try {
            admin(session).viewBrokerStatsData(args[0], args[1], args[2]);
        } catch (MQClientException e) {
            Out.line("none", "code", e.getResponseCode(), "reason", e.getErrorMessage());
        }
    }

    private static BrokerStatsData look(Session session, String[] args) throws Exception {
        try {
            return admin(session).viewBrokerStatsData(args[0], args[1], args[2]);
        } catch (MQClientException e) {
            return null;
        }
    }

    /** BROKER: all that the broker tells of itself. */
    static void runtime(Session session, String[] args) throws Exception {
        Out.line("runtime", "table", new TreeMap<>(admin(session).fetchBrokerRuntimeStats(args[0]).getTable()));
    }

    /** BROKER TOPIC GROUP: what the broker tells of a topic and how far the group is in it. */
    static void places(Session session, String[] args) throws Exception {
        DefaultMQAdminExt admin = admin(session);
        Map<MessageQueue, TopicOffset> ends = new TreeMap<>(admin.examineTopicStats(args[1]).getOffsetTable());
        for (Map.Entry<MessageQueue, TopicOffset> end : ends.entrySet()) {
            TopicOffset at = end.getValue();
            Out.line("topic", "queue", end.getKey().getQueueId(), "broker", end.getKey().getBrokerName(), "min",
                at.getMinOffset(), "max", at.getMaxOffset(), "dated", at.getLastUpdateTimestamp() > 0);
        }
        progress("group", admin.examineConsumeStats(args[2], args[1]));
        ConsumeStatsList all = admin.fetchConsumeStatsInBroker(args[0], false, Session.TIMEOUT_MS);
        Out.line("all", "address", all.getBrokerAddr(), "diff", all.getTotalDiff());
        for (Map<String, List<ConsumeStats>> group : all.getConsumeStatsList()) {
            for (ConsumeStats topic : group.getOrDefault(args[2], new ArrayList<>())) progress("listed", topic);
        }
        for (QueueTimeSpan span : admin.queryConsumeTimeSpan(args[1], args[2])) {
            long delay = span.getDelayTime();
            Out.line("span", "queue", span.getMessageQueue().getQueueId(), "first", span.getMinTimeStamp() > 0, "read",
                span.getConsumeTimeStamp() >= span.getMinTimeStamp() && span.getConsumeTimeStamp() <= span.getMaxTimeStamp(),
                "delayed", delay > 0);
        }
    }

    private static void progress(String what, ConsumeStats stats) {
        for (Map.Entry<MessageQueue, OffsetWrapper> entry : new TreeMap<>(stats.getOffsetTable()).entrySet()) {
            OffsetWrapper at = entry.getValue();
            Out.line(what, "topic", entry.getKey().getTopic(), "queue", entry.getKey().getQueueId(), "end",
                at.getBrokerOffset(), "at", at.getConsumerOffset(), "dated", at.getLastTimestamp() > 0);
        }
    }

    /** BROKER TOPIC QUEUE INDEX COUNT GROUP: entries of a queue. */
    static void entries(Session session, String[] args) throws Exception {
        QueryConsumeQueueResponseBody body = admin(session).queryConsumeQueue(args[0], args[1], Integer.parseInt(args[2]),
            Long.parseLong(args[3]), Integer.parseInt(args[4]), args[5]);
        Map<String, Object> entries = new LinkedHashMap<>();
        body.getQueueData().forEach(entry -> entries.put(String.valueOf(entry.getPhysicOffset()), entry.getTagsCode()));
        Out.line("entries", "min", body.getMinQueueIndex(), "max", body.getMaxQueueIndex(), "filter", body.getFilterData(),
            "entries", entries);
    }
}
