import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.protocol.topic.OffsetMovedEvent;

/** The topics that are there without anybody making them. */
final class SystemTopics {
    private SystemTopics() {
    }

    /** What a broker answers to a send to each topic; the client itself refuses some. Arguments: broker-a, topics. */
    static void send(Session session, String[] args) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        Map<String, Integer> codes = new HashMap<>();
        for (int i = 1; i < args.length; i++) {
            String topic = args[i];
            byte[] body = Ledger.utf8("to " + topic);
            int code = Sending.raw(session, args[0], 310, topic, 0, body).getCode();
            if (code == 0) producer.send(new Message(topic, body), new MessageQueue(topic, "broker-a", 0));
            codes.put(topic, code);
        }
        Out.line("sent", "codes", codes);
    }

    /** A pull off the end is told to those who consume OFFSET_MOVED_EVENT. Arguments: topic with one message, group. */
    static void offsetMoved(Session session, String[] args) throws Exception {
        MessageQueue queue = new MessageQueue(args[0], "broker-a", 0);
        List<MessageExt> received = Collections.synchronizedList(new ArrayList<MessageExt>());
        DefaultMQPushConsumer listener = session.pushConsumer(args[1] + "-listener", false);
        listener.subscribe("OFFSET_MOVED_EVENT", args[1]);
        Consuming.listen(listener, received);
        DefaultMQPullConsumer puller = session.pullConsumer(args[1]);
        listener.start();
        try {
            session.producer(false).send(new Message(args[0], Ledger.utf8("the only one")), queue);
            Out.same(PullStatus.OFFSET_ILLEGAL, puller.pull(queue, "*", 100, 32).getPullStatus(), "pull off the end");
            Session.await("the event", () -> !received.isEmpty());
            MessageExt message = received.get(0);
            OffsetMovedEvent event = OffsetMovedEvent.decode(message.getBody(), OffsetMovedEvent.class);
            Out.same(args[1], event.getConsumerGroup(), "group");
            Out.same(queue, event.getMessageQueue(), "queue");
            Out.same(100L, event.getOffsetRequest(), "offset that was asked for");
            Out.same(1L, event.getOffsetNew(), "offset to go on from");
            Out.same(args[1], message.getKeys(), "key of the event");
        } finally {
            listener.shutdown();
            puller.shutdown();
        }
    }
}
