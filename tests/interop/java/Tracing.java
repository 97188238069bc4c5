import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Clients that trace messages: each sends what it did with a message to a topic, as a message too. */
final class Tracing {
    /** Between the fields of a trace. */
    private static final String FIELD = "\u0001";

    private Tracing() {
    }

    /** Arguments: topic, consumer group, topic of traces (the usual one if it is "usual"). */
    static void run(Session session, String[] args) throws Exception {
        String topic = args[0];
        String group = args[1];
        boolean usual = args[2].equals("usual");
        String traces = usual ? "RMQ_SYS_TRACE_TOPIC" : args[2];
        DefaultMQProducer producer = new DefaultMQProducer(group + "-producer", null, true, usual ? null : traces);
        session.prepare(producer, false);
        producer.setSendMsgTimeout(Session.TIMEOUT_MS);
        producer.start();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(
            group, null, new AllocateMessageQueueAveragely(), true, usual ? null : traces);
        session.prepare(consumer, false);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        List<MessageExt> received = new ArrayList<>();
        Consuming.listen(consumer, received);
        try {
            Message message = new Message(topic, "TagA", "traced-key", Ledger.utf8("traced"));
            SendResult result = producer.send(message);
            Out.same("DefaultRegion", result.getRegionId(), "region");
            Out.check(result.isTraceOn(), "the broker wants no traces");
            consumer.start();
            Out.check(traceOf(session, traces, "Pub", result.getMsgId()).contains(topic), "the trace lacks the topic");
            Out.check(traceOf(session, traces, "SubBefore", result.getMsgId()).contains(group), "the trace lacks the group");
            traceOf(session, traces, "SubAfter", result.getMsgId());
            byKey(session, traces, result.getMsgId());
        } finally {
            consumer.shutdown();
            producer.shutdown();
        }
    }

    /** Arguments: topic. Sends a message, waits for its trace, and reports its id. */
    static void post(Session session, String[] args) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("interop-traced", null, true, null);
        session.prepare(producer, false);
        producer.setSendMsgTimeout(Session.TIMEOUT_MS);
        producer.start();
        try {
            SendResult result = producer.send(new Message(args[0], "TagA", "traced-key", Ledger.utf8("traced")));
            traceOf(session, "RMQ_SYS_TRACE_TOPIC", "Pub", result.getMsgId());
            Out.line("trace-post", "traced", result.getMsgId());
        } finally {
            producer.shutdown();
        }
    }

    /** Waits for the trace of a kind about a message; its fields. */
    private static List<String> traceOf(Session session, String traces, String kind, String msgId) throws Exception {
        List<String> found = new ArrayList<>();
        DefaultMQPullConsumer observer = session.pullConsumer("interop-observer");
        try {
            Session.await(kind + " of " + msgId + " in " + traces, () -> {
                for (MessageExt message : all(observer, traces)) {
                    for (String trace : new String(message.getBody(), StandardCharsets.UTF_8).split("\u0002")) {
                        List<String> fields = Arrays.asList(trace.split(FIELD));
                        if (fields.get(0).equals(kind) && fields.contains(msgId)) found.addAll(fields);
                    }
                }
                return !found.isEmpty();
            });
        } finally {
            observer.shutdown();
        }
        return found;
    }

    private static List<MessageExt> all(DefaultMQPullConsumer observer, String topic) throws Exception {
        List<MessageExt> messages = new ArrayList<>();
        try {
            for (MessageQueue queue : observer.fetchSubscribeMessageQueues(topic)) {
                PullResult result = observer.pull(queue, "*", 0, 32);
                while (result.getPullStatus() == PullStatus.FOUND) {
                    messages.addAll(result.getMsgFoundList());
                    result = observer.pull(queue, "*", result.getNextBeginOffset(), 32);
                }
            }
        } catch (MQClientException e) {
            // The first trace has not made the topic yet.
        }
        return messages;
    }

    /** Operators look for traces by the id of the message, which is a key of theirs. */
    private static void byKey(Session session, String traces, String msgId) throws Exception {
        Session.await("the traces of " + msgId + " by key", () -> {
            try {
                long now = System.currentTimeMillis();
                List<MessageExt> found =
                    session.producer(false).queryMessage(traces, msgId, 10, now - 3600000, now + 3600000).getMessageList();
                return found.size() >= 2;
            } catch (MQClientException e) {
                return false;
            }
        });
    }
}
