import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** More sends at once than a broker has patience for. */
final class Flooding {
    private static final int SYSTEM_BUSY = 2;
    private static final int PRODUCERS = 8;
    private static final int EACH = 500;
    /** A machine that is fast enough takes it all at first. */
    private static final int ROUNDS_MAX = 40;
    private static final Pattern REMARK = Pattern.compile(
        "\\[(\\w+)\\](broker busy, start flow control for a while, period in queue: \\d+ms, size of queue: \\d+"
            + "|system busy, start flow control for a while)");

    private Flooding() {
    }

    /**
     * Sends from several connections until some were refused and some were not. Each send ends with one of the two; the
     * store holds the acknowledged ones, once each, and none of the refused.
     */
    static void run(Session session, String topic, String group) throws Exception {
        List<DefaultMQProducer> producers = new ArrayList<>();
        for (int n = 0; n < PRODUCERS; n++) {
            DefaultMQProducer producer = new DefaultMQProducer("flooding");
            session.prepare(producer, false);
            producer.setSendMsgTimeout(Session.TIMEOUT_MS);
            producer.setRetryTimesWhenSendFailed(0);
            producer.setRetryTimesWhenSendAsyncFailed(0);
            producer.start();
            producers.add(producer);
        }
        Set<String> acknowledged = ConcurrentHashMap.newKeySet();
        Map<String, String> refused = new ConcurrentHashMap<>();
        Map<String, String> strange = new ConcurrentHashMap<>();
        int sent = 0;
        while (refused.isEmpty() || acknowledged.isEmpty()) {
            Out.check(sent < ROUNDS_MAX * PRODUCERS * EACH, acknowledged.size() + " sends of " + sent + " were acknowledged");
            round(producers, topic, sent, acknowledged, refused, strange);
            sent += PRODUCERS * EACH;
        }
        for (DefaultMQProducer producer : producers) producer.shutdown();
        Out.check(strange.isEmpty(), strange.size() + " sends ended otherwise, as " + strange.values().stream().findAny());
        Out.same(sent, acknowledged.size() + refused.size(), "sends that ended");

        Set<String> stored = new HashSet<>();
        DefaultMQPullConsumer consumer = session.pullConsumer(group);
        for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(topic)) {
            for (MessageExt message : Pulling.pullAll(consumer, queue)) {
                Out.check(stored.add(new String(message.getBody(), "UTF-8")), "stored twice: " + message.getMsgId());
            }
        }
        consumer.shutdown();
        Out.same(acknowledged, stored, "what is stored");
        Out.line("flooded", "sent", sent, "acknowledged", acknowledged.size(), "refused", refused.size(),
            "reasons", new HashSet<>(refused.values()).toString());
    }

    private static void round(List<DefaultMQProducer> producers, String topic, int from, Set<String> acknowledged,
        Map<String, String> refused, Map<String, String> strange) throws Exception {
        CountDownLatch answered = new CountDownLatch(PRODUCERS * EACH);
        List<MessageQueue> queues = producers.get(0).fetchPublishMessageQueues(topic);
        for (int n = 0; n < PRODUCERS * EACH; n++) {
            String body = topic + " " + (from + n);
            producers.get(n % PRODUCERS).send(new Message(topic, Ledger.utf8(body)), queues.get(n % queues.size()), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    if (result.getSendStatus() == SendStatus.SEND_OK) acknowledged.add(body);
                    else strange.put(body, result.toString());
                    answered.countDown();
                }

                @Override
                public void onException(Throwable error) {
                    String reason = reasonOf(error);
                    if (reason == null) strange.put(body, String.valueOf(error));
                    else refused.put(body, reason);
                    answered.countDown();
                }
            });
        }
        Out.check(answered.await(60, TimeUnit.SECONDS), answered.getCount() + " sends have no answer");
    }

    /** The word in brackets; null for anything but SYSTEM_BUSY with one of RocketMQ's remarks. */
    private static String reasonOf(Throwable error) {
        if (!(error instanceof MQBrokerException)) return null;
        MQBrokerException busy = (MQBrokerException) error;
        java.util.regex.Matcher remark = REMARK.matcher(busy.getErrorMessage());
        return busy.getResponseCode() == SYSTEM_BUSY && remark.matches() ? remark.group(1) : null;
    }
}
