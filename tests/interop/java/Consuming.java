import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Push consumers in a group, with and without a tag filter. */
final class Consuming {
    private Consuming() {
    }

    static void filtered(Session session, String topic, String group, boolean vip) throws Exception {
        verify(session, topic, group, "TagA || TagB", vip, "TagA", "TagB");
        // The broker only compares hash codes, and lets "BB" through: the client has to sort it out.
        verify(session, topic, group + "-same-hash", "Aa", vip, "Aa");
    }

    static void everything(Session session, String topic, String group, boolean vip) throws Exception {
        verify(session, topic, group, "*", vip);
    }

    /** While the master is gone its client cannot ask for the ends of queues: it is done when all that was sent has come. */
    static void withoutMaster(Session session, String topic, String group) throws Exception {
        List<MessageExt> received = Collections.synchronizedList(new ArrayList<MessageExt>());
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        consumer.subscribe(topic, "*");
        listen(consumer, received);
        consumer.start();
        try {
            int sent = session.ledger(topic).size();
            Session.await(group + " to receive " + sent + " messages", () -> received.size() >= sent);
        } finally {
            consumer.shutdown();
        }
        session.ledger(topic).verify(received);
        Out.line("consumed", "messages", received.size());
    }

    private static void verify(Session session, String topic, String group, String expression, boolean vip, String... tags)
        throws Exception {
        List<MessageExt> received = Collections.synchronizedList(new ArrayList<MessageExt>());
        DefaultMQPushConsumer consumer = session.pushConsumer(group, vip);
        consumer.subscribe(topic, expression);
        listen(consumer, received);
        if (tags.length > 0) endWith(session, topic, group, tags[0]);
        consumer.start();
        try {
            awaitCommitted(session, group, topic, consumer);
        } finally {
            consumer.shutdown();
        }
        session.ledger(topic).verify(received, tags);
        Out.line("consumed", "expression", expression, "messages", received.size());
    }

    /** One more match at the end of every queue: a client commits what it skips there only after a long poll. */
    private static void endWith(Session session, String topic, String group, String tag) throws Exception {
        for (MessageQueue queue : session.producer(false).fetchPublishMessageQueues(topic)) {
            Message message = new Message(topic, tag, Ledger.utf8(group + " ends " + queue.getQueueId()));
            session.ledger(topic).add(message);
            session.producer(false).send(message, queue);
        }
    }

    static void listen(DefaultMQPushConsumer consumer, List<MessageExt> received) {
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            received.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
    }

    /** A group is through with a topic when the broker holds an offset at the end of every queue. */
    static void awaitCommitted(Session session, String group, String topic, DefaultMQPushConsumer... members)
        throws Exception {
        DefaultMQPullConsumer observer = session.pullConsumer("interop-observer");
        try {
            for (MessageQueue queue : observer.fetchSubscribeMessageQueues(topic)) {
                long end = observer.maxOffset(queue);
                Session.await(group + " to commit " + end + " of " + queue, () -> {
                    // By itself a client commits for the first time after ten seconds.
                    for (DefaultMQPushConsumer member : members) member.getDefaultMQPushConsumerImpl().persistConsumerOffset();
                    return Pulling.committed(session, observer, group, queue) == end;
                });
            }
        } finally {
            observer.shutdown();
        }
    }
}
