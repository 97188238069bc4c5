import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Messages found again: by key, by id, by the time they were stored at. */
final class Finding {
    private static final int NO_MESSAGE = 208;
    private static final int SYSTEM_ERROR = 1;
    /** More than one answer gives, whatever is asked for. */
    private static final int SAME_KEY = 80;
    private static final int ANSWER_MAX = 64;
    private static final int UNIQUE_KEY_MAX = 32;
    /** The index keeps seconds: what is further apart than two of them can be told from each other. */
    private static final int APART_MS = 2100;
    private static final String[] SPECIAL = {"schlüssel-世界-🚀", "a#b|c%d&e=f", "\"'\\{}[]<>;,", "key", "KEY", "0"};

    private Finding() {
    }

    /** The topic must be new. */
    static void byKey(Session session, String topic) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        Message several = new Message(topic, Ledger.utf8(topic + " several"));
        several.setKeys(Arrays.asList("first", "second", "third"));
        producer.send(several);
        for (String key : SPECIAL) {
            Message message = new Message(topic, "TagA", key, Ledger.utf8(topic + " special " + key));
            producer.send(message);
        }
        for (int n = 0; n < SAME_KEY; n++) {
            producer.send(new Message(topic, "TagB", "same", Ledger.utf8(topic + " same " + n)));
        }
        Message last = new Message(topic, "TagA", "last", Ledger.utf8(topic + " last"));
        producer.send(last);
        found(producer, topic, "last", topic + " last");

        for (String key : new String[] {"first", "second", "third"}) found(producer, topic, key, topic + " several");
        for (String key : SPECIAL) found(producer, topic, key, topic + " special " + key);
        for (int max : new int[] {1, 5, 32, 64, 100}) {
            List<String> expected = new ArrayList<>();
            for (int n = SAME_KEY - Math.min(max, ANSWER_MAX); n < SAME_KEY; n++) expected.add(topic + " same " + n);
            Out.same(expected, query(producer, topic, "same", max, 0, Long.MAX_VALUE), "newest " + max + " of a key");
        }
        for (String key : new String[] {"first second", "fir", "unknown", "TagA", topic}) {
            nothing(producer, topic, key, 0, Long.MAX_VALUE);
        }
        nothing(producer, topic, "same", 0, 0);
        nothing(producer, topic, "same", last.getBody().length, 1000);
        nothing(producer, topic, "last", System.currentTimeMillis() + 60000, Long.MAX_VALUE);
        // Another topic's messages are not found, though the key is the same.
        nothing(producer, "TBW102", "last", 0, Long.MAX_VALUE);
        Out.line("by key", "messages", SAME_KEY + SPECIAL.length + 2);
    }

    /** Three groups of messages with one key, far enough apart for the index. */
    static void byKeyAndTime(Session session, String topic) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
        List<MessageExt> all = new ArrayList<>();
        for (int group = 0; group < 3; group++) {
            if (group > 0) Thread.sleep(APART_MS);
            for (int n = 0; n < 4; n++) {
                String id = producer.send(new Message(topic, "", "timed", Ledger.utf8(group + "." + n)), queue).getOffsetMsgId();
                all.add(producer.viewMessage(id));
            }
        }
        long[] from = new long[3];
        long[] to = new long[3];
        for (int group = 0; group < 3; group++) {
            from[group] = all.get(group * 4).getStoreTimestamp() - 1000;
            to[group] = all.get(group * 4 + 3).getStoreTimestamp();
        }
        Session.await("the index", () -> query(producer, topic, "timed", 32, 0, Long.MAX_VALUE).size() == 12);
        for (int first = 0; first < 3; first++) {
            for (int last = first; last < 3; last++) {
                List<String> expected = new ArrayList<>();
                for (int group = first; group <= last; group++) {
                    for (int n = 0; n < 4; n++) expected.add(group + "." + n);
                }
                Out.same(expected, query(producer, topic, "timed", 32, from[first], to[last]), "groups " + first + " to " + last);
                // Of a range, too, the newest come first.
                Out.same(expected.subList(expected.size() - 3, expected.size()),
                    query(producer, topic, "timed", 3, from[first], to[last]), "newest of groups " + first + " to " + last);
            }
        }
        nothing(producer, topic, "timed", 0, from[0] - 1000);
        nothing(producer, topic, "timed", to[2] + 1000, Long.MAX_VALUE);
        Out.line("by key and time", "messages", all.size());
    }

    /** By the id that the broker gave, and by the one that the client made. */
    static void byId(Session session, String topic) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        Ledger ledger = session.ledger(topic);
        List<SendResult> results = new ArrayList<>();
        for (int n = 0; n < Sending.EACH; n++) {
            Message message = Sending.message(topic, topic + " by id", n);
            String id = ledger.add(message);
            SendResult result = producer.send(message);
            ledger.placed(id, result.getOffsetMsgId(), result.getMessageQueue().getQueueId(), result.getQueueOffset());
            results.add(result);
        }
        List<MessageExt> byOffset = new ArrayList<>();
        for (SendResult result : results) byOffset.add(producer.viewMessage(result.getOffsetMsgId()));
        ledger.verify(byOffset);
        String lastId = results.get(results.size() - 1).getMsgId();
        Session.await("the index", () -> view(producer, topic, lastId) != null);
        List<MessageExt> byKey = new ArrayList<>();
        for (SendResult result : results) byKey.add(view(producer, topic, result.getMsgId()));
        ledger.verify(byKey);

        // The same id many times: the client takes the one that was stored first, of those that it was given.
        MessageQueue queue = results.get(0).getMessageQueue();
        Message twice = new Message(topic, Ledger.utf8(topic + " twice"));
        String firstId = producer.send(twice, queue).getOffsetMsgId();
        for (int n = 1; n < UNIQUE_KEY_MAX; n++) producer.send(twice, queue);
        String uniqueId = twice.getProperty("UNIQ_KEY");
        Session.await("the index", () -> query(producer, topic, uniqueId, 64, 0, Long.MAX_VALUE, false) == UNIQUE_KEY_MAX);
        MessageExt first = producer.viewMessage(firstId);
        Out.same(first.getQueueOffset(), view(producer, topic, uniqueId).getQueueOffset(), "first with a unique key");

        Out.same(null, view(producer, topic, uniqueId.substring(0, 28) + "FFFF"), "message of an id that nobody has");
        for (String place : new String[] {"7FFFFFFFFFFFFFFF", "0000FFFFFFFFFFFF", "FFFFFFFFFFFFFFFF"}) {
            try {
                MessageExt message = producer.viewMessage(firstId.substring(0, 16) + place);
                Out.check(false, "found at " + place + ": " + message);
            } catch (MQBrokerException e) {
                Out.same(SYSTEM_ERROR, e.getResponseCode(), "code for the place " + place);
            }
        }
        Out.line("by id", "messages", ledger.size());
    }

    /** A message that waits for its time is found by its key in its own topic once it is there. */
    static void delayed(Session session, String topic) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        Message message = new Message(topic, "TagA", "late", Ledger.utf8(topic + " late"));
        message.setDelayTimeLevel(1);
        producer.send(message);
        found(producer, topic, "late", topic + " late");
    }

    /** The topic must have one queue and be empty. */
    static void byTime(Session session, String topic, String group) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        DefaultMQPullConsumer consumer = session.pullConsumer(group);
        try {
            MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
            long now = System.currentTimeMillis();
            for (MessageQueue empty : new MessageQueue[] {queue, new MessageQueue(topic, queue.getBrokerName(), 99),
                new MessageQueue(topic + "-unknown", queue.getBrokerName(), 0)}) {
                for (long time : new long[] {0, now, now + 60000}) {
                    Out.same(0L, offset(producer, queue, empty, time), "searchOffset in the empty " + empty);
                }
                if (empty.getTopic().equals(topic)) {
                    Out.same(-1L, consumer.earliestMsgStoreTime(empty), "earliestMsgStoreTime of the empty " + empty);
                    Out.same(0L, consumer.minOffset(empty), "minOffset of the empty " + empty);
                    Out.same(0L, consumer.maxOffset(empty), "maxOffset of the empty " + empty);
                }
            }
            for (int round = 0; round < 12; round++) {
                // Those of a batch share their time.
                List<Message> batch = new ArrayList<>();
                for (int n = 0; n <= round % 5; n++) batch.add(new Message(topic, Ledger.utf8(round + "." + n)));
                producer.send(batch, queue);
                Thread.sleep(7 * (round % 3) + 1);
            }
            int count = (int) consumer.maxOffset(queue);
            List<MessageExt> all = Pulling.pullAll(consumer, queue);
            Out.same(count, all.size(), "messages pulled");
            long[] times = new long[count];
            int same = 0;
            for (int i = 0; i < count; i++) {
                times[i] = all.get(i).getStoreTimestamp();
                if (i > 0 && times[i] == times[i - 1]) same++;
            }
            Out.check(same > 0, "no two messages have the same time");
            Out.same(times[0], consumer.earliestMsgStoreTime(queue), "earliestMsgStoreTime");
            List<Long> asked = new ArrayList<>(Arrays.asList(0L, 1L, times[0] - 60000, times[count - 1] + 60000, Long.MAX_VALUE));
            for (int i = 0; i < count; i++) {
                Collections.addAll(asked, times[i] - 1, times[i], times[i] + 1);
                if (i > 0) Collections.addAll(asked, (times[i - 1] + times[i]) / 2, (times[i - 1] + times[i] + 1) / 2);
            }
            for (long time : asked) {
                long found = consumer.searchOffset(queue, time);
                Out.same(nearest(times, time), found, "searchOffset(" + time + ") in " + Arrays.toString(times));
            }
            Out.line("by time", "messages", count, "asked", asked.size());
        } finally {
            consumer.shutdown();
        }
    }

    /** Halving, as a broker does it: which of several equal times is met first matters. */
    private static long nearest(long[] times, long time) {
        int low = 0;
        int high = times.length - 1;
        while (low <= high) {
            int middle = (low + high) / 2;
            if (times[middle] == time) return middle;
            if (times[middle] > time) high = middle - 1;
            else low = middle + 1;
        }
        if (high < 0) return low;
        if (low == times.length) return high;
        return time - times[high] > times[low] - time ? low : high;
    }

    /** For a topic that the client does not know, too: it asks the broker of the queue that it knows. */
    private static long offset(DefaultMQProducer producer, MessageQueue known, MessageQueue queue, long time) throws Exception {
        producer.fetchPublishMessageQueues(known.getTopic());
        return producer.searchOffset(queue, time);
    }

    private static void found(DefaultMQProducer producer, String topic, String key, String body) throws Exception {
        Session.await("the index of " + key, () -> !query(producer, topic, key, 32, 0, Long.MAX_VALUE).isEmpty());
        Out.same(Collections.singletonList(body), query(producer, topic, key, 32, 0, Long.MAX_VALUE), "messages of " + key);
    }

    private static void nothing(DefaultMQProducer producer, String topic, String key, long begin, long end) throws Exception {
        Out.same(Collections.emptyList(), query(producer, topic, key, 32, begin, end), "messages of " + key + " in " + topic);
    }

    /** The bodies of what was found, in the order in which the client gives them; the client itself drops other keys. */
    private static List<String> query(DefaultMQProducer producer, String topic, String key, int max, long begin, long end)
        throws Exception {
        List<String> bodies = new ArrayList<>();
        try {
            QueryResult result = producer.queryMessage(topic, key, max, begin, end);
            Out.check(result.getIndexLastUpdateTimestamp() > 0, "no time of the last change of the index");
            for (MessageExt message : result.getMessageList()) bodies.add(new String(message.getBody(), "UTF-8"));
        } catch (MQClientException e) {
            Out.same(NO_MESSAGE, e.getResponseCode(), "code for " + key + " in " + topic + ", " + e.getErrorMessage());
        }
        return bodies;
    }

    /** How many records the broker has under a unique key, by the wire: the client gives only one of them. */
    private static int query(DefaultMQProducer producer, String topic, String key, int max, long begin, long end,
        boolean unique) throws Exception {
        org.apache.rocketmq.remoting.protocol.RemotingCommand request =
            org.apache.rocketmq.remoting.protocol.RemotingCommand.createRequestCommand(12, null);
        String[] fields = {"topic", topic, "key", key, "maxNum", "" + max, "beginTimestamp", "" + begin, "endTimestamp", "" + end};
        for (int i = 0; i < fields.length; i += 2) request.addExtField(fields[i], fields[i + 1]);
        if (unique) request.addExtField("_UNIQUE_KEY_QUERY", "true");
        MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
        org.apache.rocketmq.client.impl.factory.MQClientInstance factory = producer.getDefaultMQProducerImpl().getmQClientFactory();
        String broker = factory.findBrokerAddressInPublish(queue.getBrokerName());
        org.apache.rocketmq.remoting.protocol.RemotingCommand answer =
            factory.getMQClientAPIImpl().getRemotingClient().invokeSync(broker, request, Session.TIMEOUT_MS);
        if (answer.getCode() != 0) return 0;
        return org.apache.rocketmq.common.message.MessageDecoder.decodes(java.nio.ByteBuffer.wrap(answer.getBody())).size();
    }

    private static MessageExt view(DefaultMQProducer producer, String topic, String uniqueId) throws Exception {
        try {
            return producer.viewMessage(topic, uniqueId);
        } catch (MQClientException e) {
            Out.same(NO_MESSAGE, e.getResponseCode(), "code for the id " + uniqueId + ", " + e.getErrorMessage());
            return null;
        }
    }
}
