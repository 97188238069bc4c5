import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Messages with a delay level: when they come, where, in which order, and what has become of them. */
final class Delaying {
    private static final int GET_MAX_OFFSET = 30;
    private static final int GET_ALL_DELAY_OFFSET = 45;
    private static final int SEND_MESSAGE_V2 = 310;
    private static final String SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";

    /** What was sent, by its body. */
    private static final class Sent {
        final int number;
        final int level;
        final int queueId;
        final Message message;

        Sent(int number, int level, int queueId, Message message) {
            this.number = number;
            this.level = level;
            this.queueId = queueId;
            this.message = message;
        }
    }

    /** By topic. */
    private static final Map<String, Map<String, Sent>> SENT = new LinkedHashMap<>();

    private Delaying() {
    }

    /** Sends `count` messages with each of the levels, in turn: those of a level go to the same queue. */
    static void send(Session session, String topic, int count, int... levels) throws Exception {
        Map<String, Sent> sent = SENT.computeIfAbsent(topic, key -> new LinkedHashMap<>());
        List<MessageQueue> queues = session.producer(false).fetchPublishMessageQueues(topic);
        for (int i = 0; i < count; i++) {
            for (int level : levels) {
                int number = sent.size();
                MessageQueue queue = queues.get(level % queues.size());
                String body = topic + " " + number;
                Message message = new Message(topic, "Tag" + "AB".charAt(number % 2), "key-" + number, number, Ledger.utf8(body), true);
                message.putUserProperty("color", "grün");
                message.setDelayTimeLevel(level);
                sent.put(body, new Sent(number, level, queue.getQueueId(), message));
                SendResult result = session.producer(false).send(message, queue);
                Out.same(SendStatus.SEND_OK, result.getSendStatus(), "send status, level " + level);
                Out.same(queue, result.getMessageQueue(), "queue of the answer, level " + level);
            }
        }
    }

    /**
     * Waits until everything that was sent to the topic has come, and checks it. `delays`: seconds of each level. Prints
     * for each level how many messages came, and how early and how late the first deliveries were.
     */
    static void receive(Session session, String topic, int... delays) throws Exception {
        Map<String, Sent> sent = SENT.get(topic);
        Map<String, MessageExt> first = new LinkedHashMap<>();
        Map<Integer, Integer> times = new TreeMap<>();
        for (MessageExt message : readAll(session, topic, sent)) {
            String body = new String(message.getBody(), "UTF-8");
            Out.check(sent.containsKey(body), "received what nobody sent: " + body);
            times.merge(sent.get(body).level, 1, Integer::sum);
            if (!first.containsKey(body)) first.put(body, message);
        }
        Map<Integer, List<Long>> late = new TreeMap<>();
        Map<Integer, Integer> last = new TreeMap<>();
        for (Map.Entry<String, MessageExt> entry : first.entrySet()) {
            Sent what = sent.get(entry.getKey());
            MessageExt message = entry.getValue();
            int level = Math.min(what.level, delays.length);
            verify(what, level, message);
            long due = message.getBornTimestamp() + delays[level - 1] * 1000L;
            Out.check(last.getOrDefault(what.level, -1) < what.number, "the order of level " + what.level + " is broken at " + what.number);
            last.put(what.level, what.number);
            late.computeIfAbsent(what.level, key -> new ArrayList<>()).add(message.getStoreTimestamp() - due);
        }
        for (Map.Entry<Integer, List<Long>> entry : late.entrySet()) {
            List<Long> values = entry.getValue();
            int level = entry.getKey();
            Out.line("level", "level", level, "messages", values.size(), "received", times.get(level),
                "earlyMs", Math.max(0, -Collections.min(values)), "lateMs", Collections.max(values));
        }
    }

    private static void verify(Sent sent, int level, MessageExt message) {
        String name = "message " + sent.number + " of level " + sent.level;
        Message before = sent.message;
        Out.same(before.getTopic(), message.getTopic(), "topic of " + name);
        Out.same(sent.queueId, message.getQueueId(), "queue of " + name);
        Out.same(before.getTags(), message.getTags(), "tags of " + name);
        Out.same(before.getKeys(), message.getKeys(), "keys of " + name);
        Out.same(before.getFlag(), message.getFlag(), "flag of " + name);
        Out.same(0, message.getReconsumeTimes(), "reconsumeTimes of " + name);
        Out.same("grün", message.getUserProperty("color"), "property of " + name);
        // The detour stays visible.
        Out.same(level, message.getDelayTimeLevel(), "delay level of " + name);
        Out.same(before.getTopic(), message.getProperty("REAL_TOPIC"), "REAL_TOPIC of " + name);
        Out.same("" + sent.queueId, message.getProperty("REAL_QID"), "REAL_QID of " + name);
    }

    /** Reads the topic again and again until every message has come; in the order of the queues. */
    private static List<MessageExt> readAll(Session session, String topic, Map<String, Sent> sent) throws Exception {
        DefaultMQPullConsumer consumer = session.pullConsumer("delay-reader");
        try {
            List<MessageExt> all = new ArrayList<>();
            Session.await(sent.size() + " messages of " + topic, () -> {
                all.clear();
                for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(topic)) all.addAll(Pulling.pullAll(consumer, queue));
                return all.stream().map(message -> Arrays.hashCode(message.getBody())).distinct().count() >= sent.size();
            });
            return all;
        } finally {
            consumer.shutdown();
        }
    }

    /** The broker finds delayed messages by their tags, as it does others. */
    static void filtered(Session session, String topic, String group) throws Exception {
        List<MessageExt> received = Collections.synchronizedList(new ArrayList<MessageExt>());
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        consumer.subscribe(topic, "TagA");
        Consuming.listen(consumer, received);
        consumer.start();
        try {
            long wanted = SENT.get(topic).values().stream().filter(sent -> "TagA".equals(sent.message.getTags())).count();
            Session.await(wanted + " messages with TagA", () -> received.size() >= wanted);
            for (MessageExt message : received) Out.same("TagA", message.getTags(), "tag");
        } finally {
            consumer.shutdown();
        }
    }

    /** Sends one message of each level, and prints how many each queue of the schedule topic got by that. */
    static void levels(Session session, String broker, String topic, int... levels) throws Exception {
        long[] before = ends(session, broker);
        MessageQueue queue = session.producer(false).fetchPublishMessageQueues(topic).get(0);
        for (int level : levels) {
            Message message = new Message(topic, Ledger.utf8("level " + level));
            message.putUserProperty("DELAY_ASKED", "" + level);
            message.setDelayTimeLevel(level);
            Out.same(SendStatus.SEND_OK, session.producer(false).send(message, queue).getSendStatus(), "send status, level " + level);
        }
        long wanted = Arrays.stream(levels).filter(level -> level > 0).count();
        Session.await("the queues to have them", () -> Arrays.stream(ends(session, broker)).sum() - Arrays.stream(before).sum() >= wanted);
        long[] after = ends(session, broker);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < after.length; i++) text.append(i == 0 ? "" : " ").append(after[i] - before[i]);
        Out.line("scheduled", "byLevel", text.toString());
    }

    private static long[] ends(Session session, String broker) throws Exception {
        long[] ends = new long[20];
        for (int queueId = 0; queueId < ends.length; queueId++) {
            RemotingCommand answer = session.ask(broker, GET_MAX_OFFSET, null, "topic", SCHEDULE_TOPIC, "queueId", "" + queueId);
            Out.same(0, answer.getCode(), "code for GET_MAX_OFFSET");
            ends[queueId] = Long.parseLong(answer.getExtFields().get("offset"));
        }
        return ends;
    }

    /** The code for a level that is no number, which no client's API lets through. */
    static void illegal(Session session, String broker, String topic) throws Exception {
        RemotingCommand answer = session.ask(broker, SEND_MESSAGE_V2, Ledger.utf8("x"), "a", "interop-raw", "b", topic, "c", "TBW102",
            "d", "4", "e", "0", "f", "0", "g", "" + System.currentTimeMillis(), "h", "0", "i", "DELAY\u0001soon", "j", "0", "k", "false");
        Out.line("illegal level", "code", answer.getCode());
    }

    /** How far each level is. */
    static void offsets(Session session, String broker) throws Exception {
        RemotingCommand answer = session.ask(broker, GET_ALL_DELAY_OFFSET, null);
        Out.same(0, answer.getCode(), "code for GET_ALL_DELAY_OFFSET");
        Out.line("offsets", "body", new String(answer.getBody(), "UTF-8"));
    }

    static int[] ints(String[] words, int from) {
        return Arrays.stream(words).skip(from).mapToInt(Integer::parseInt).toArray();
    }
}
