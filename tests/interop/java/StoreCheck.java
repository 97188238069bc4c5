import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Fills a store with messages, and reads back all that a broker serves from its store. */
final class StoreCheck {
    private static final int UPDATE_CONSUMER_OFFSET = 15;
    private static final int PULL = 11;
    private static final int GET_ALL_TOPIC_CONFIG = 21;
    private static final int NO_MESSAGE = 208;

    private StoreCheck() {
    }

    /** Sends `count` messages of about `size` bytes, with a bounded number in flight; each is acknowledged. */
    static void fill(Session session, String topic, int count, int size) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        Ledger ledger = session.ledger(topic);
        Semaphore slots = new Semaphore(64);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        int from = ledger.size();
        for (int n = from; n < from + count; n++) {
            Message message = Sending.message(topic, topic + " fill", n);
            byte[] body = Sending.random(topic + n, size + n % 97);
            byte[] head = message.getBody();
            System.arraycopy(head, 0, body, 0, head.length);
            message.setBody(body);
            message.setKeys("fill-" + n);
            String id = ledger.add(message);
            slots.acquire();
            producer.send(message, new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    ledger.placed(id, result.getOffsetMsgId(), result.getMessageQueue().getQueueId(), result.getQueueOffset());
                    slots.release();
                }

                @Override
                public void onException(Throwable error) {
                    failure.set(error);
                    slots.release();
                }
            });
        }
        slots.acquire(64);
        if (failure.get() != null) throw new Exception("send", failure.get());
        Out.line("filled", "messages", ledger.size());
    }

    static void commit(Session session, String broker, String topic, long offset) throws Exception {
        for (int queueId = 0; queueId < 4; queueId++) {
            RemotingCommand answer = session.ask(broker, UPDATE_CONSUMER_OFFSET, null, "consumerGroup", "interop-committed",
                "topic", topic, "queueId", "" + queueId, "commitOffset", "" + (offset + queueId));
            Out.same(0, answer.getCode(), "code for UPDATE_CONSUMER_OFFSET");
        }
    }

    /**
     * Pulls every queue of every topic of clients, from its minimum to its maximum. Prints for each topic the queues,
     * messages and committed offsets, and one hash over all records exactly as they lie in the log.
     * Topics that were filled in this session are compared with what was sent.
     */
    static void read(Session session, String broker) throws Exception {
        MessageDigest hash = MessageDigest.getInstance("SHA-256");
        int total = 0;
        for (Map.Entry<String, Integer> topic : topics(session, broker).entrySet()) {
            List<MessageExt> messages = new ArrayList<>();
            List<String> committed = new ArrayList<>();
            for (int queueId = 0; queueId < topic.getValue(); queueId++) {
                readQueue(session, broker, topic.getKey(), queueId, messages, hash);
                committed.add(committed(session, broker, topic.getKey(), queueId));
            }
            if (session.ledger(topic.getKey()).size() > 0) session.ledger(topic.getKey()).verify(messages);
            total += messages.size();
            Out.line("topic", "name", topic.getKey(), "queues", topic.getValue(), "messages", messages.size(),
                "committed", committed.toString());
        }
        StringBuilder text = new StringBuilder();
        for (byte b : hash.digest()) text.append(String.format("%02x", b));
        Out.line("store", "messages", total, "hash", text.toString());
    }

    /** Topics of clients, not those that a broker makes for itself. */
    private static Map<String, Integer> topics(Session session, String broker) throws Exception {
        RemotingCommand answer = session.ask(broker, GET_ALL_TOPIC_CONFIG, null);
        Out.same(0, answer.getCode(), "code for GET_ALL_TOPIC_CONFIG");
        com.alibaba.fastjson.JSONObject table = com.alibaba.fastjson.JSON
            .parseObject(new String(answer.getBody(), "UTF-8")).getJSONObject("topicConfigTable");
        Map<String, Integer> topics = new TreeMap<>();
        for (String name : table.keySet()) {
            if (name.startsWith("Interop")) topics.put(name, table.getJSONObject(name).getIntValue("readQueueNums"));
        }
        return topics;
    }

    private static void readQueue(Session session, String broker, String topic, int queueId, List<MessageExt> messages,
        MessageDigest hash) throws Exception {
        long offset = number(session, broker, 31, topic, queueId);
        long end = number(session, broker, 30, topic, queueId);
        while (offset < end) {
            RemotingCommand answer = session.ask(broker, PULL, null, "consumerGroup", "interop-store", "topic", topic,
                "queueId", "" + queueId, "queueOffset", "" + offset, "maxMsgNums", "32", "sysFlag", "4",
                "commitOffset", "0", "suspendTimeoutMillis", "0", "subscription", "*", "subVersion", "0");
            Out.same(0, answer.getCode(), "code of the pull of " + topic + " " + queueId + " at " + offset);
            for (MessageExt message : MessageDecoder.decodes(ByteBuffer.wrap(answer.getBody()))) {
                Out.same(offset++, message.getQueueOffset(), "queue offset in " + topic + " " + queueId);
                messages.add(message);
            }
            hash.update(answer.getBody());
        }
        Out.same(end, offset, "end of " + topic + " " + queueId);
    }

    private static long number(Session session, String broker, int code, String topic, int queueId) throws Exception {
        RemotingCommand answer = session.ask(broker, code, null, "topic", topic, "queueId", "" + queueId);
        Out.same(0, answer.getCode(), "code of request " + code + " for " + topic);
        return Long.parseLong(answer.getExtFields().get("offset"));
    }

    private static String committed(Session session, String broker, String topic, int queueId) throws Exception {
        RemotingCommand answer = session.ask(broker, 14, null, "consumerGroup", "interop-committed", "topic", topic,
            "queueId", "" + queueId);
        return answer.getCode() == 0 ? answer.getExtFields().get("offset") : "none";
    }

    private static List<MessageExt> found(DefaultMQProducer producer, String topic, String key) throws Exception {
        try {
            return producer.queryMessage(topic, key, 32, 0, System.currentTimeMillis() + 60000).getMessageList();
        } catch (MQClientException e) {
            Out.same(NO_MESSAGE, e.getResponseCode(), "code for " + key + ", " + e.getErrorMessage());
            return new ArrayList<>();
        }
    }

    /** The index file leads from a key to its message: for some of the messages that fill() sent, from one to another. */
    static void findByKey(Session session, String topic, int from, int to) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        for (int n = from; n < to; n += Math.max(1, (to - from) / 10)) {
            String key = "fill-" + n;
            // What a broker had not indexed before it was killed, Java's indexes while it runs again.
            Session.await("the index of " + key, () -> !found(producer, topic, key).isEmpty());
            List<MessageExt> found = found(producer, topic, key);
            Out.same(1, found.size(), "messages with key " + key);
            Out.same(key, found.get(0).getKeys(), "key of the message found by " + key);
        }
    }
}
