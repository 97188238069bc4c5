import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The pull consumer of 4.6 and later: in a group, and with queues and places chosen by hand. */
final class LitePulling {
    private LitePulling() {
    }

    /** The topic is one that `send` filled. */
    static void run(Session session, String[] args) throws Exception {
        String topic = args[0];
        String group = args[1];
        subscribed(session, topic, group);
        assigned(session, topic, group);
    }

    private static DefaultLitePullConsumer consumer(Session session, String group) {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(group);
        session.prepare(consumer, false);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        return consumer;
    }

    private static void subscribed(Session session, String topic, String group) throws Exception {
        DefaultLitePullConsumer consumer = consumer(session, group);
        consumer.setAutoCommit(false);
        consumer.subscribe(topic, "TagA || TagB");
        consumer.start();
        try {
            List<MessageExt> received = new ArrayList<>();
            int wanted = session.ledger(topic).count("TagA", "TagB");
            Session.await(wanted + " messages", () ->  received.addAll(consumer.poll(500)) && received.size() >= wanted);
            session.ledger(topic).verify(received, "TagA", "TagB");
            consumer.commitSync();
            Out.line("lite-pulled", "messages", received.size());
        } finally {
            consumer.shutdown();
        }
    }

    private static void assigned(Session session, String topic, String group) throws Exception {
        DefaultLitePullConsumer consumer = consumer(session, group + "-assigned");
        consumer.start();
        try {
            Collection<MessageQueue> queues = consumer.fetchMessageQueues(topic);
            MessageQueue queue = queues.iterator().next();
            consumer.assign(java.util.Collections.singletonList(queue));
            consumer.seek(queue, 2);
            List<MessageExt> received = new ArrayList<>();
            Session.await("a message", () -> received.addAll(consumer.poll(500)));
            Out.same(2L, received.get(0).getQueueOffset(), "first offset after seek");
            Out.same(queue.getQueueId(), received.get(0).getQueueId(), "queue after assign");
            long time = received.get(0).getStoreTimestamp();
            Out.check(consumer.offsetForTimestamp(queue, time) >= 0, "offsetForTimestamp");
        } finally {
            consumer.shutdown();
        }
    }
}
