import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Producers of transactional messages whose bodies say how their transactions go: `unknown-commit.label#7` is open after
 * the local transaction, and committed when the broker asks. The last word stands for all further questions.
 */
abstract class Transactions {
    private static final Map<String, Transactions> RUNNING = new ConcurrentHashMap<>();
    /** By body: the questions of the broker. */
    private static final Map<String, List<MessageExt>> CHECKS = new ConcurrentHashMap<>();
    /** By body: when it was sent, and the ms from then to the first question. */
    private static final Map<String, Long> SENT = new ConcurrentHashMap<>();
    private static final Map<String, Long> WAITED = new ConcurrentHashMap<>();

    final TransactionMQProducer producer;

    Transactions(String group) {
        producer = new TransactionMQProducer(group);
    }

    /** In the way that the client's version has for it. */
    abstract TransactionSendResult send(Message message) throws Exception;

    /** Starts a producer; a group may have one in this JVM. */
    static void start(Session session, String group) throws Exception {
        Transactions transactions = Compat.make(Transactions.class,
            new String[] {"TransactionListening", "TransactionExecuting"}, group);
        session.prepare(transactions.producer, false);
        // Soon after the broker is there again it must know of the producer again.
        transactions.producer.setHeartbeatBrokerInterval(500);
        transactions.producer.setSendMsgTimeout(Session.TIMEOUT_MS);
        transactions.producer.start();
        RUNNING.put(group, transactions);
    }

    static void stop(String group) {
        RUNNING.remove(group).producer.shutdown();
    }

    /** Arguments: topic, group, messages for each plan, plans; a plan may end in `~` and seconds of immunity. */
    static void run(Session session, String[] args) throws Exception {
        int count = Integer.parseInt(args[2]);
        for (int i = 3; i < args.length; i++) {
            String[] parts = args[i].split("~");
            for (int n = 0; n < count; n++) one(args[0], args[1], parts[0] + "#" + n, parts.length > 1 ? parts[1] : null);
        }
    }

    private static void one(String topic, String group, String body, String immunity) throws Exception {
        Message message = new Message(topic, "TagA", "key-" + body, Ledger.utf8(body));
        message.setFlag(7);
        message.putUserProperty("color", "grün 🟢");
        if (immunity != null) message.putUserProperty("CHECK_IMMUNITY_TIME_IN_SECONDS", immunity);
        SENT.put(body, System.currentTimeMillis());
        TransactionSendResult result = RUNNING.get(group).send(message);
        Out.same(SendStatus.SEND_OK, result.getSendStatus(), "send status of " + body);
        Out.same(planned(body, 0), result.getLocalTransactionState(), "local state of " + body);
        Out.same(topic, result.getMessageQueue().getTopic(), "topic of " + body);
    }

    /** What the n-th word of a body means; 0 is the local transaction. */
    static LocalTransactionState planned(String body, int n) {
        String[] words = body.split("[.#]")[0].split("-");
        String word = words[Math.min(n, words.length - 1)];
        return word.equals("commit") ? LocalTransactionState.COMMIT_MESSAGE
            : word.equals("rollback") ? LocalTransactionState.ROLLBACK_MESSAGE : LocalTransactionState.UNKNOW;
    }

    static LocalTransactionState planned(Message message) {
        return planned(text(message), 0);
    }

    /** Answers a question of the broker. */
    static LocalTransactionState checked(MessageExt message) {
        String body = text(message);
        List<MessageExt> checks = CHECKS.computeIfAbsent(body, key -> new ArrayList<>());
        synchronized (checks) {
            checks.add(message);
            WAITED.putIfAbsent(body, System.currentTimeMillis() - SENT.getOrDefault(body, 0L));
            return planned(body, checks.size());
        }
    }

    private static String text(Message message) {
        return new String(message.getBody(), java.nio.charset.StandardCharsets.UTF_8);
    }

    /** Reports what the broker asked since the last time. */
    static void checks() {
        for (Map.Entry<String, List<MessageExt>> entry : CHECKS.entrySet()) {
            synchronized (entry.getValue()) {
                MessageExt first = entry.getValue().get(0);
                Out.line("checked", "message", entry.getKey(), "times", entry.getValue().size(),
                    "waited", WAITED.get(entry.getKey()), "topic", first.getTopic(), "flag", first.getFlag(),
                    "key", first.getKeys(), "color", first.getUserProperty("color"),
                    "count", first.getProperty("TRANSACTION_CHECK_TIMES"));
            }
        }
        CHECKS.clear();
    }

    /** Reports every message of a topic: of all queues, or (with a broker's name) of queue 0. */
    static void read(Session session, String topic, String brokerName) throws Exception {
        DefaultMQPullConsumer consumer = session.reader();
        List<MessageQueue> queues = new ArrayList<>();
        if (brokerName == null) queues.addAll(consumer.fetchSubscribeMessageQueues(topic));
        else queues.add(new MessageQueue(topic, brokerName, 0));
        for (MessageQueue queue : queues) {
            for (long offset = consumer.minOffset(queue); offset < consumer.maxOffset(queue);) {
                PullResult result = consumer.pull(queue, "*", offset, 32);
                Out.same(PullStatus.FOUND, result.getPullStatus(), "pull status of " + queue + " at " + offset);
                for (MessageExt message : result.getMsgFoundList()) report(message);
                offset = result.getNextBeginOffset();
            }
        }
    }

    private static void report(MessageExt message) {
        Map<String, String> properties = new LinkedHashMap<>(message.getProperties());
        for (String local : new String[] {"MIN_OFFSET", "MAX_OFFSET"}) properties.remove(local);
        Out.same(properties.remove("UNIQ_KEY") != null, true, "UNIQ_KEY of " + text(message));
        Out.line("message", "body", text(message), "sysFlag", message.getSysFlag(), "flag", message.getFlag(),
            "prepared", message.getPreparedTransactionOffset(), "queue", message.getQueueId(), "properties", properties);
    }
}
