import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** The pull consumer: offsets and their bounds, time, pulls at and off the ends, long polling. */
final class Pulling {
    private static final int QUERY_CONSUMER_OFFSET = 14;
    /** More than one answer's worth (32), so that pulling takes several. */
    private static final int COUNT = 70;

    private Pulling() {
    }

    /** The topic must have one queue and be empty. */
    static void run(Session session, String topic, String group) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        DefaultMQPullConsumer consumer = session.pullConsumer(group);
        try {
            MessageQueue queue = consumer.fetchSubscribeMessageQueues(topic).iterator().next();
            emptyQueue(consumer, queue);
            for (int n = 0; n < COUNT; n++) {
                Message message = Sending.message(topic, topic + " pull", n);
                session.ledger(topic).add(message);
                producer.send(message, queue);
                // Distinct store times, for the search by time.
                if (n % 10 == 0) Thread.sleep(5);
            }
            List<MessageExt> all = pullAll(consumer, queue);
            session.ledger(topic).verify(all);
            bounds(consumer, queue, all);
            ends(consumer, queue);
            filter(consumer, queue);
            offsets(session, consumer, queue, group);
            longPolling(session, consumer, producer, queue);
        } finally {
            consumer.shutdown();
        }
    }

    private static void emptyQueue(DefaultMQPullConsumer consumer, MessageQueue queue) throws Exception {
        Out.same(0L, consumer.minOffset(queue), "minOffset of an empty queue");
        Out.same(0L, consumer.maxOffset(queue), "maxOffset of an empty queue");
        expect(consumer.pull(queue, "*", 0, 32), PullStatus.NO_NEW_MSG, 0, "pull of an empty queue");
        expect(consumer.pull(queue, "*", 5, 32), PullStatus.OFFSET_ILLEGAL, 0, "pull of an empty queue beyond its end");
    }

    static List<MessageExt> pullAll(DefaultMQPullConsumer consumer, MessageQueue queue) throws Exception {
        List<MessageExt> all = new ArrayList<>();
        long offset = consumer.minOffset(queue);
        for (long end = consumer.maxOffset(queue); offset < end;) {
            PullResult result = consumer.pull(queue, "*", offset, 32);
            Out.same(PullStatus.FOUND, result.getPullStatus(), "status of the pull at " + offset);
            Out.same(offset + result.getMsgFoundList().size(), result.getNextBeginOffset(), "next offset after " + offset);
            for (MessageExt message : result.getMsgFoundList()) {
                Out.same(offset++, message.getQueueOffset(), "queue offset of a pulled message");
                Out.same(queue.getQueueId(), message.getQueueId(), "queue of a pulled message");
            }
            all.addAll(result.getMsgFoundList());
        }
        return all;
    }

    private static void bounds(DefaultMQPullConsumer consumer, MessageQueue queue, List<MessageExt> all) throws Exception {
        Out.same(0L, consumer.minOffset(queue), "minOffset");
        Out.same((long) COUNT, consumer.maxOffset(queue), "maxOffset");
        MessageExt first = all.get(0);
        MessageExt last = all.get(COUNT - 1);
        Out.same(first.getStoreTimestamp(), consumer.earliestMsgStoreTime(queue), "earliestMsgStoreTime");
        Out.same(0L, consumer.searchOffset(queue, first.getStoreTimestamp() - 60000), "searchOffset before the first");
        for (MessageExt message : new MessageExt[] {first, all.get(31), all.get(COUNT / 2), last}) {
            long found = consumer.searchOffset(queue, message.getStoreTimestamp());
            Out.same(message.getStoreTimestamp(), all.get((int) found).getStoreTimestamp(),
                "store time at searchOffset(" + message.getStoreTimestamp() + ")");
        }
        long after = consumer.searchOffset(queue, last.getStoreTimestamp() + 60000);
        Out.same(COUNT - 1L, after, "searchOffset after the last");
    }

    private static void ends(DefaultMQPullConsumer consumer, MessageQueue queue) throws Exception {
        PullResult middle = consumer.pull(queue, "*", 10, 5);
        expect(middle, PullStatus.FOUND, 15, "pull of five");
        Out.same(5, middle.getMsgFoundList().size(), "messages of a pull of five");
        Out.same(0L, middle.getMinOffset(), "minOffset in an answer");
        Out.same((long) COUNT, middle.getMaxOffset(), "maxOffset in an answer");
        expect(consumer.pull(queue, "*", COUNT - 1, 32), PullStatus.FOUND, COUNT, "pull of the last");
        expect(consumer.pull(queue, "*", COUNT, 32), PullStatus.NO_NEW_MSG, COUNT, "pull at the end");
        expect(consumer.pull(queue, "*", COUNT + 1, 32), PullStatus.OFFSET_ILLEGAL, COUNT, "pull one beyond the end");
        expect(consumer.pull(queue, "*", COUNT + 1000, 32), PullStatus.OFFSET_ILLEGAL, COUNT, "pull far beyond the end");
        try {
            consumer.pull(queue, "*", -1, 32);
            Out.check(false, "a pull from offset -1 went through");
        } catch (MQClientException e) {
            Out.line("negative offset", "error", String.valueOf(e.getErrorMessage()));
        }
    }

    private static void filter(DefaultMQPullConsumer consumer, MessageQueue queue) throws Exception {
        PullResult none = consumer.pull(queue, "NobodyHasIt", 0, 32);
        Out.same(PullStatus.NO_MATCHED_MSG, none.getPullStatus(), "status of a pull that matches nothing");
        Out.same((long) COUNT, none.getNextBeginOffset(), "offset after a pull that matches nothing");
        PullResult some = consumer.pull(queue, "TagA || TagC", 0, 32);
        Out.same(PullStatus.FOUND, some.getPullStatus(), "status of a filtered pull");
        int matching = 0;
        for (int n = 0; n < COUNT; n++) matching += n % 6 == 0 || n % 6 == 2 ? 1 : 0;
        Out.same(Math.min(32, matching), some.getMsgFoundList().size(), "messages of a filtered pull");
        for (MessageExt message : some.getMsgFoundList()) {
            Out.check("TagA".equals(message.getTags()) || "TagC".equals(message.getTags()), "filtered in: " + message);
        }
    }

    private static void offsets(Session session, DefaultMQPullConsumer consumer, MessageQueue queue, String group)
        throws Exception {
        // A group that never committed starts at 0, as long as the queue still has its beginning in memory.
        Out.same(0L, consumer.fetchConsumeOffset(queue, true), "offset of a group that never committed");
        consumer.updateConsumeOffset(queue, 7);
        Out.same(7L, consumer.fetchConsumeOffset(queue, false), "offset in the client");
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().persist(queue);
        Session.await("offset 7", () -> committed(session, consumer, group, queue) == 7);
        Out.same(7L, consumer.fetchConsumeOffset(queue, true), "offset at the broker");
        // Synchronously, and back to an earlier place: the broker takes what it is told.
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().updateConsumeOffsetToBroker(queue, 3, false);
        Out.same(3L, committed(session, consumer, group, queue), "offset moved back");
    }

    /** What the broker holds for a group; -1 for nothing. */
    static long committed(Session session, DefaultMQPullConsumer observer, String group, MessageQueue queue)
        throws Exception {
        String broker = observer.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory()
            .findBrokerAddressInPublish(queue.getBrokerName());
        RemotingCommand answer = session.ask(broker, QUERY_CONSUMER_OFFSET, null, "consumerGroup", group,
            "topic", queue.getTopic(), "queueId", "" + queue.getQueueId());
        return answer.getCode() == 0 ? Long.parseLong(answer.getExtFields().get("offset")) : -1;
    }

    private static void longPolling(Session session, DefaultMQPullConsumer consumer, DefaultMQProducer producer,
        MessageQueue queue) throws Exception {
        CompletableFuture<PullResult> held = CompletableFuture.supplyAsync(() -> {
            try {
                return consumer.pullBlockIfNotFound(queue, null, COUNT, 32);
            } catch (Exception e) {
                throw new RuntimeException(e);
            }
        });
        Thread.sleep(300);
        Out.check(!held.isDone(), "a pull at the end was not held");
        Message message = Sending.message(queue.getTopic(), queue.getTopic() + " wakes", COUNT);
        session.ledger(queue.getTopic()).add(message);
        producer.send(message, queue);
        PullResult woken = held.get(60, TimeUnit.SECONDS);
        expect(woken, PullStatus.FOUND, COUNT + 1, "held pull");
        Out.same(1, woken.getMsgFoundList().size(), "messages of a held pull");

        // Nothing comes: the broker answers when the time that the client allowed is over.
        consumer.setBrokerSuspendMaxTimeMillis(1000);
        expect(consumer.pullBlockIfNotFound(queue, "*", COUNT + 1, 32), PullStatus.NO_NEW_MSG, COUNT + 1, "held in vain");
    }

    /** The topic has one queue, whose first messages are gone. */
    static void afterRetention(Session session, String topic, String group) throws Exception {
        DefaultMQPullConsumer consumer = session.pullConsumer(group);
        try {
            MessageQueue queue = consumer.fetchSubscribeMessageQueues(topic).iterator().next();
            long min = consumer.minOffset(queue);
            long max = consumer.maxOffset(queue);
            Out.check(min > 0 && min < max, "minOffset " + min + ", maxOffset " + max);
            expect(consumer.pull(queue, "*", 0, 32), PullStatus.OFFSET_ILLEGAL, min, "pull of what is gone");
            expect(consumer.pull(queue, "*", min - 1, 32), PullStatus.OFFSET_ILLEGAL, min, "pull just below the first");
            expect(consumer.pullBlockIfNotFound(queue, "*", 0, 32), PullStatus.OFFSET_ILLEGAL, min, "blocking pull of what is gone");
            expect(consumer.pull(queue, "*", min, 1), PullStatus.FOUND, min + 1, "pull of the first");
            expect(consumer.pull(queue, "*", max, 32), PullStatus.NO_NEW_MSG, max, "pull at the end");
            expect(consumer.pull(queue, "*", max + 1, 32), PullStatus.OFFSET_ILLEGAL, max, "pull beyond the end");
            Out.same(max - min, (long) pullAll(consumer, queue).size(), "messages that are left");
            MessageExt first = consumer.pull(queue, "*", min, 1).getMsgFoundList().get(0);
            Out.same(first.getStoreTimestamp(), consumer.earliestMsgStoreTime(queue), "earliestMsgStoreTime");
            Out.same(min, consumer.searchOffset(queue, first.getStoreTimestamp() - 600000), "searchOffset before the first");
            MessageQueue beyond = new MessageQueue(topic, queue.getBrokerName(), 7);
            try {
                consumer.pull(beyond, "*", 0, 32);
                Out.check(false, "a pull of a queue beyond went through");
            } catch (MQBrokerException e) {
                Out.same(1, e.getResponseCode(), "code for a queue beyond");
            }
            // The beginning is gone: where the group starts is for its client to decide.
            Out.same(-1L, committed(session, consumer, group, queue), "offset of a group that never committed");
            Out.line("left", "min", min, "max", max);
        } finally {
            consumer.shutdown();
        }
    }

    private static void expect(PullResult result, PullStatus status, long next, String what) {
        Out.same(status, result.getPullStatus(), "status of " + what);
        Out.same(next, result.getNextBeginOffset(), "next offset of " + what);
    }
}
