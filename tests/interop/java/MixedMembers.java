import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Members of groups that consumers of other makers belong to as well; what they saw is known after they left, too. */
final class MixedMembers {
    private static final int CALL_MS = 5;
    private static final Map<String, MixedMembers> byName = new HashMap<>();

    private final DefaultMQPushConsumer consumer;
    /** What came, and when its call began and ended, ms: `queue:body:begun:ended`. */
    private final List<String> seen = new ArrayList<>();

    private MixedMembers(DefaultMQPushConsumer consumer) {
        this.consumer = consumer;
    }

    static void run(Session session, String[] args) throws Exception {
        switch (args[0]) {
            case "join": join(session, args[1], args[2], args[3], args[4].equals("orderly")); break;
            case "leave": byName.get(args[1]).consumer.shutdown(); break;
            case "queues": queues(args[1], args[2]); break;
            case "seen": byName.get(args[1]).report(args[1]); break;
            default: throw new Out.Failed("unknown command " + args[0]);
        }
    }

    private static void join(Session session, String name, String group, String topic, boolean orderly) throws Exception {
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        MixedMembers member = new MixedMembers(consumer);
        consumer.subscribe(topic, "*");
        if (orderly) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                member.see(messages);
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                member.see(messages);
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
        consumer.start();
        byName.put(name, member);
    }

    private void see(List<MessageExt> messages) {
        for (MessageExt message : messages) {
            long begun = System.currentTimeMillis();
            try {
                Thread.sleep(CALL_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            String body = new String(message.getBody(), StandardCharsets.UTF_8);
            synchronized (seen) {
                seen.add(message.getQueueId() + ":" + body + ":" + begun + ":" + System.currentTimeMillis());
            }
        }
    }

    private static void queues(String name, String topic) {
        TreeSet<String> held = new TreeSet<>();
        for (MessageQueue queue : byName.get(name).consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl()
            .getProcessQueueTable().keySet()) {
            if (queue.getTopic().equals(topic)) held.add("" + queue.getQueueId());
        }
        Out.line(name, "queues", String.join(",", held));
    }

    private void report(String name) {
        synchronized (seen) {
            Out.line(name, "seen", String.join(",", seen));
        }
    }
}
