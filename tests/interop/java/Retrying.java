import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.consumer.ProcessQueue;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Messages that a consumer cannot handle. Each message's body says what happens to it; reported are all attempts to
 * consume it and what ends in the dead letter queue.
 */
final class Retrying implements MessageListenerConcurrently {
    private static final int SEND_MSG_BACK = 36;
    /** After so many retries a message is a dead letter. */
    private static final int MAX = 2;

    private final DefaultMQPushConsumer consumer;
    private final Map<String, String> sentIds = new ConcurrentHashMap<>();
    private final Map<String, Long> lastHandled = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> attempts = new ConcurrentHashMap<>();
    private final CountDownLatch hanging = new CountDownLatch(1);
    private final CountDownLatch hung = new CountDownLatch(1);

    private Retrying(DefaultMQPushConsumer consumer) {
        this.consumer = consumer;
    }

    /** The topic must have one queue and be empty. The groups must exist. */
    static void run(Session session, String topic, String group, String observers) throws Exception {
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        Retrying retrying = new Retrying(consumer);
        consumer.subscribe(topic, "*");
        consumer.setMaxReconsumeTimes(MAX);
        consumer.registerMessageListener(retrying);
        consumer.start();
        Groups.lookAgain(consumer, "%RETRY%" + group);
        DefaultMQPullConsumer observer = session.pullConsumer(observers);
        try {
            for (String body : new String[] {"later", "spent", "level", "dead", "api", "fallback", "pulled"}) {
                retrying.send(session, topic, body);
            }
            retrying.await("pulled", 1);
            giveBack(observer, topic, group, "pulled");
            retrying.await("later", 3);
            retrying.await("spent", 3);
            for (String body : new String[] {"level", "api", "fallback", "pulled"}) retrying.await(body, 2);
            retrying.timeOut(session, topic);
            retrying.reportDeadLetters(observer, "%DLQ%" + group, 4);
        } finally {
            consumer.shutdown();
            observer.shutdown();
        }
    }

    /** An ordered consumer tries again by itself, and holds up what is behind; then it sends to the retry topic. */
    static void inOrder(Session session, String topic, String group, String observers) throws Exception {
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        Retrying retrying = new Retrying(consumer);
        consumer.subscribe(topic, "*");
        consumer.setMaxReconsumeTimes(MAX);
        consumer.setSuspendCurrentQueueTimeMillis(10);
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            MessageExt message = messages.get(0);
            String body = new String(message.getBody(), StandardCharsets.UTF_8);
            Out.line("attempt", "message", body, "times", message.getReconsumeTimes());
            retrying.attempts.computeIfAbsent(body, key -> new AtomicInteger()).incrementAndGet();
            return body.equals("stuck") ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
        });
        for (String body : new String[] {"stuck", "behind"}) retrying.send(session, topic, body);
        consumer.start();
        DefaultMQPullConsumer observer = session.pullConsumer(observers);
        try {
            retrying.await("behind", 1);
            retrying.reportDeadLetters(observer, "%DLQ%" + group, 1);
        } finally {
            consumer.shutdown();
            observer.shutdown();
        }
    }

    private void send(Session session, String topic, String body) throws Exception {
        Message message = new Message(topic, "TagA", "key-" + body, body.getBytes(StandardCharsets.UTF_8));
        message.putUserProperty("color", "green");
        sentIds.put(body, session.producer(false).send(message).getOffsetMsgId());
    }

    @Override
    public ConsumeConcurrentlyStatus consumeMessage(List<MessageExt> messages, ConsumeConcurrentlyContext context) {
        MessageExt message = messages.get(0);
        String body = new String(message.getBody(), StandardCharsets.UTF_8);
        int times = message.getReconsumeTimes();
        Long before = lastHandled.put(body, System.currentTimeMillis());
        Out.line("attempt", "message", body, "times", times, "topic", message.getTopic(), "waited",
            before == null ? null : message.getStoreTimestamp() - before, "properties", properties(body, message));
        try {
            return handle(body, times, message, context);
        } catch (Exception e) {
            throw new RuntimeException(e);
        } finally {
            attempts.computeIfAbsent(body, key -> new AtomicInteger()).incrementAndGet();
        }
    }

    private ConsumeConcurrentlyStatus handle(String body, int times, MessageExt message, ConsumeConcurrentlyContext context)
        throws Exception {
        switch (body) {
            case "later": return times < MAX ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            case "spent": return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            case "level":
                context.setDelayLevelWhenNextConsume(2);
                return times == 0 ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            case "dead":
                context.setDelayLevelWhenNextConsume(-1);
                return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            case "api":
                if (times == 0) consumer.sendMessageBack(message, 1);
                else consumer.sendMessageBack(message, -1, context.getMessageQueue().getBrokerName());
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            case "fallback":
                // The broker does not find it, and the client sends it to the retry topic itself.
                message.setCommitLogOffset(1L << 50);
                return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            case "slow":
                if (times == 0) {
                    hung.countDown();
                    hanging.await();
                }
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            default: return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        }
    }

    private void await(String body, int count) throws Exception {
        Session.await(count + " attempts to consume " + body,
            () -> attempts.containsKey(body) && attempts.get(body).get() >= count);
    }

    /** A pull consumer may give back on behalf of any group. */
    private static void giveBack(DefaultMQPullConsumer observer, String topic, String group, String body) throws Exception {
        MessageQueue queue = observer.fetchSubscribeMessageQueues(topic).iterator().next();
        for (MessageExt message : Pulling.pullAll(observer, queue)) {
            if (!body.equals(new String(message.getBody(), StandardCharsets.UTF_8))) continue;
            observer.sendMessageBack(message, 1, queue.getBrokerName(), group);
        }
    }

    /** What the client does by itself once a minute at the earliest: it gives back what is being consumed for too long. */
    private void timeOut(Session session, String topic) throws Exception {
        send(session, topic, "slow");
        hung.await();
        Thread.sleep(5);
        consumer.setConsumeTimeout(0);
        Map<MessageQueue, ProcessQueue> table =
            consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable();
        for (ProcessQueue queue : table.values()) queue.cleanExpiredMsg(consumer);
        Session.await("the timed out message", () -> attempts.containsKey("slow"));
        hanging.countDown();
        await("slow", 2);
    }

    private void reportDeadLetters(DefaultMQPullConsumer observer, String topic, int count) throws Exception {
        Session.await(count + " dead letters", () -> {
            try {
                return observer.maxOffset(observer.fetchSubscribeMessageQueues(topic).iterator().next()) >= count;
            } catch (MQClientException e) {
                return false;
            }
        });
        Out.same(1, observer.fetchSubscribeMessageQueues(topic).size(), "queues of " + topic);
        for (MessageExt message : Pulling.pullAll(observer, observer.fetchSubscribeMessageQueues(topic).iterator().next())) {
            String body = new String(message.getBody(), StandardCharsets.UTF_8);
            Out.line("dead letter", "message", body, "times", message.getReconsumeTimes(), "topic", message.getTopic(),
                "properties", properties(body, message));
        }
    }

    /** Those that a retry is about; ORIGIN_MESSAGE_ID is "first" when it is the id that the sender was told. */
    private Map<String, String> properties(String body, MessageExt message) {
        Map<String, String> kept = new TreeMap<>(message.getProperties());
        for (String other : new String[] {"UNIQ_KEY", "MIN_OFFSET", "MAX_OFFSET", "CONSUME_START_TIME", "CLUSTER",
            "MSG_REGION", "TRACE_ON"}) kept.remove(other);
        String first = sentIds.get(body);
        if (first != null && first.equals(kept.get("ORIGIN_MESSAGE_ID"))) kept.put("ORIGIN_MESSAGE_ID", "first");
        return kept;
    }

    /** The topic must have a message at its first queue's offset 0. Prints the response codes. */
    static void refusals(Session session, String broker, String topic, String group, String observers) throws Exception {
        DefaultMQPullConsumer observer = session.pullConsumer(observers);
        long offset;
        try {
            MessageQueue queue = observer.fetchSubscribeMessageQueues(topic).iterator().next();
            offset = observer.pull(queue, "*", 0, 1).getMsgFoundList().get(0).getCommitLogOffset();
        } finally {
            observer.shutdown();
        }
        back("no message there", session, broker, group, offset + 1);
        back("beyond the log", session, broker, group, 1L << 50);
        back("before the log", session, broker, group, -1);
        back("unknown group", session, broker, "NoSuchGroup", offset);
        back("a message that is there", session, broker, group, offset);
        RemotingCommand sent = Sending.raw(session, broker, 310, "%RETRY%NoSuchGroup", 0, Ledger.utf8("hello"));
        Out.line("send to the retry topic of an unknown group", "code", sent.getCode(), "remark", sent.getRemark());
    }

    private static void back(String what, Session session, String broker, String group, long offset) throws Exception {
        RemotingCommand answer = session.ask(broker, SEND_MSG_BACK, null, "offset", "" + offset, "group", group,
            "delayLevel", "0", "originMsgId", "", "originTopic", "", "unitMode", "false", "maxReconsumeTimes", "16");
        Out.line(what, "code", answer.getCode(), "remark", answer.getRemark());
    }
}
