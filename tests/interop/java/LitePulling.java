import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The pull consumer of 4.6 and later: in a group, and with queues and places chosen by hand. */
final class LitePulling {
    private static final int MOVES_MAX = 10;
    /** In this time what is there comes, on a machine that has much else to do too. */
    private static final int QUIET_MS = 3000;

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

    /** Assigns one queue of a topic that has 40 messages, and moves about in it. */
    static void places(Session session, String[] args) throws Exception {
        String topic = args[0];
        String group = args[1];
        DefaultLitePullConsumer consumer = consumer(session, group);
        consumer.setAutoCommit(false);
        consumer.setPullBatchSize(8);
        consumer.start();
        try {
            MessageQueue queue = consumer.fetchMessageQueues(topic).iterator().next();
            List<MessageQueue> queues = java.util.Collections.singletonList(queue);
            consumer.assign(queues);
            Out.same(0L, first(consumer), "first offset of a new group that starts at the first");
            moves(consumer, () -> consumer.seek(queue, 30), 30, "seek");
            moves(consumer, () -> consumer.seekToBegin(queue), 0, "seekToBegin");
            silent(consumer, () -> consumer.seekToEnd(queue), "seekToEnd");
            Asking.post(session, topic, queue.getBrokerName(), queue.getQueueId(), 1, 10, "TagA");
            Out.same(40L, first(consumer), "first offset of what came after seekToEnd");
            try {
                consumer.seek(queue, 1000);
                Out.check(false, "a seek beyond the end went through");
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                Out.line("seek beyond", "error", String.valueOf(e.getErrorMessage()));
            }

            settles("a paused queue is silent, and goes on at 10 when resumed", () -> {
                consumer.pause(queues);
                consumer.seek(queue, 10);
                boolean quiet = consumer.poll(QUIET_MS).isEmpty();
                consumer.resume(queues);
                return first(consumer) == 10 && quiet;
            });

            moves(consumer, () -> consumer.seek(queue, 20), 20, "a seek before the commit");
            consumer.commitSync();
            Session.await("the commit", () -> consumer.committed(queue) > 20);
            Out.line("committed", "offset", consumer.committed(queue));

            consumer.seek(queue, 25);
            long time = poll(consumer).get(0).getStoreTimestamp();
            long found = consumer.offsetForTimestamp(queue, time);
            // Several messages may have been stored in the same millisecond: any of them is right.
            settles("time of the offset for a time, " + found, () -> {
                consumer.seek(queue, found);
                return poll(consumer).get(0).getStoreTimestamp() == time;
            });
            Out.same(0L, consumer.offsetForTimestamp(queue, time - 3600000), "offset for a time before all");
            Out.same(40L, consumer.offsetForTimestamp(queue, time + 3600000), "offset for a time behind all");
        } finally {
            consumer.shutdown();
        }
    }

    /**
     * A seek that meets a pull in hand can be lost in this client, which then goes on where it was: the old pull takes
     * the new place, or its messages come behind it. So a move is made again, but what a broker does wrong stays wrong.
     */
    private static void settles(String what, Session.Condition moved) throws Exception {
        for (int attempt = 0; attempt < MOVES_MAX; attempt++) {
            if (moved.holds()) return;
        }
        Out.check(false, what + ": not so after " + MOVES_MAX + " moves");
    }

    private interface Move {
        void make() throws Exception;
    }

    private static void moves(DefaultLitePullConsumer consumer, Move move, long offset, String what) throws Exception {
        settles("first offset after " + what + " is " + offset, () -> {
            move.make();
            return first(consumer) == offset;
        });
    }

    private static void silent(DefaultLitePullConsumer consumer, Move move, String what) throws Exception {
        settles("nothing comes after " + what, () -> {
            move.make();
            return consumer.poll(QUIET_MS).isEmpty();
        });
    }

    private static List<MessageExt> poll(DefaultLitePullConsumer consumer) throws Exception {
        List<MessageExt> received = new ArrayList<>();
        Session.await("a message", () -> received.addAll(consumer.poll(500)));
        return received;
    }

    private static long first(DefaultLitePullConsumer consumer) throws Exception {
        return poll(consumer).get(0).getQueueOffset();
    }

    private static void assigned(Session session, String topic, String group) throws Exception {
        DefaultLitePullConsumer consumer = consumer(session, group + "-assigned");
        consumer.start();
        try {
            Collection<MessageQueue> queues = consumer.fetchMessageQueues(topic);
            MessageQueue queue = queues.iterator().next();
            consumer.assign(java.util.Collections.singletonList(queue));
            moves(consumer, () -> consumer.seek(queue, 2), 2, "seek");
            MessageExt next = poll(consumer).get(0);
            Out.same(queue.getQueueId(), next.getQueueId(), "queue after assign");
            long time = next.getStoreTimestamp();
            Out.check(consumer.offsetForTimestamp(queue, time) >= 0, "offsetForTimestamp");
        } finally {
            consumer.shutdown();
        }
    }
}
