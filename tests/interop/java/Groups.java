import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** What a group remembers and how its members divide the work. */
final class Groups {
    private static final int COUNT = 40;

    private Groups() {
    }

    /** A consumer that comes back gets what was sent meanwhile, and nothing a second time. */
    static void resume(Session session, String topic, String group) throws Exception {
        List<MessageExt> received = Collections.synchronizedList(new ArrayList<MessageExt>());
        for (int round = 0; round < 2; round++) {
            send(session, topic, "round " + round);
            DefaultMQPushConsumer consumer = member(session, topic, group, received);
            try {
                Consuming.awaitCommitted(session, group, topic, consumer);
            } finally {
                consumer.shutdown();
            }
            session.ledger(topic).verify(received);
        }
        Out.line("resumed", "messages", received.size());
    }

    /** The topic has four queues. Clients here look for themselves only every ten minutes: notices must do it. */
    static void share(Session session, String topic, String group) throws Exception {
        List<MessageExt> first = Collections.synchronizedList(new ArrayList<MessageExt>());
        List<MessageExt> second = Collections.synchronizedList(new ArrayList<MessageExt>());
        DefaultMQPushConsumer one = member(session, topic, group, first);
        try {
            awaitQueues(one, topic, 4);
            send(session, topic, "alone");
            Consuming.awaitCommitted(session, group, topic, one);
            Out.same(COUNT, first.size(), "messages of the only member");

            DefaultMQPushConsumer two = member(session, topic, group, second);
            try {
                awaitQueues(one, topic, 2);
                awaitQueues(two, topic, 2);
                send(session, topic, "together");
                Consuming.awaitCommitted(session, group, topic, one, two);
                Out.same(COUNT + COUNT / 2, first.size(), "messages of the first of two members");
                Out.same(COUNT / 2, second.size(), "messages of the second of two members");
            } finally {
                two.shutdown();
            }
            awaitQueues(one, topic, 4);
            send(session, topic, "alone again");
            Consuming.awaitCommitted(session, group, topic, one);
            Out.same(COUNT / 2, second.size(), "messages of the member that left");
        } finally {
            one.shutdown();
        }
        List<MessageExt> all = new ArrayList<>(first);
        all.addAll(second);
        session.ledger(topic).verify(all);
        Out.line("shared", "first", first.size(), "second", second.size());
    }

    private static DefaultMQPushConsumer member(Session session, String topic, String group, List<MessageExt> received)
        throws Exception {
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        consumer.subscribe(topic, "*");
        Consuming.listen(consumer, received);
        consumer.start();
        return consumer;
    }

    /** The same number of messages to every queue. */
    private static void send(Session session, String topic, String mark) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        List<MessageQueue> queues = producer.fetchPublishMessageQueues(topic);
        for (int n = 0; n < COUNT; n++) {
            Message message = Sending.message(topic, topic + " " + mark, n);
            session.ledger(topic).add(message);
            producer.send(message, queues.get(n % queues.size()));
        }
    }

    /** A topic that came after the consumer's start is found when it looks again, which here comes too late by itself. */
    static void lookAgain(DefaultMQPushConsumer consumer, String topic) throws Exception {
        Session.await("queues of " + topic, () -> {
            consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().updateTopicRouteInfoFromNameServer(topic);
            consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().rebalanceImmediately();
            return countQueues(consumer, topic) > 0;
        });
    }

    static void awaitQueues(DefaultMQPushConsumer consumer, String topic, int count) throws Exception {
        Session.await(count + " queues for one member", () -> countQueues(consumer, topic) == count);
    }

    private static int countQueues(DefaultMQPushConsumer consumer, String topic) {
        Set<MessageQueue> held = consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet();
        int found = 0;
        for (MessageQueue queue : held) found += queue.getTopic().equals(topic) ? 1 : 0;
        return found;
    }
}
