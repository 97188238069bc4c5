import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Selectors of the pull consumers, which 4.1.0 has not. */
final class FilteringByPull {
    private FilteringByPull() {
    }

    /** TOPIC GROUP TYPE EXPRESSION, this in Base64. */
    static void run(Session session, String[] args) throws Exception {
        MessageSelector selector = Filtering.selector(args[2], Filtering.decode(args[3]));
        Filtering.numbers("pulled", pulled(session, args[0], args[1], selector));
        Filtering.numbers("polled", polled(session, args[0], args[1] + "-lite", selector));
    }

    private static List<MessageExt> pulled(Session session, String topic, String group, MessageSelector selector)
        throws Exception {
        DefaultMQPullConsumer consumer = session.pullConsumer(group);
        List<MessageExt> found = new ArrayList<>();
        try {
            // Only with the answer of a heartbeat the client knows that the broker is new enough.
            MQClientInstance client = consumer.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory();
            client.updateTopicRouteInfoFromNameServer(topic);
            client.sendHeartbeatToAllBrokerWithLock();
            for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(topic)) {
                for (long offset = 0, end = consumer.maxOffset(queue); offset < end;) {
                    PullResult result = consumer.pull(queue, selector, offset, 32);
                    if (result.getMsgFoundList() != null) found.addAll(result.getMsgFoundList());
                    offset = result.getNextBeginOffset();
                }
            }
        } finally {
            consumer.shutdown();
        }
        return found;
    }

    private static List<MessageExt> polled(Session session, String topic, String group, MessageSelector selector)
        throws Exception {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(group);
        session.prepare(consumer, false);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, selector);
        consumer.start();
        List<MessageExt> found = new ArrayList<>();
        try {
            // The last messages of the queues are wanted by all, so that it is known when nothing more can come.
            int ends = 0;
            for (long deadline = System.currentTimeMillis() + 60000; ends < consumer.fetchMessageQueues(topic).size();) {
                Out.check(System.currentTimeMillis() < deadline, "waited in vain for the last messages");
                for (MessageExt message : consumer.poll(200)) {
                    found.add(message);
                    if (message.getUserProperty("last") != null) ends++;
                }
            }
        } finally {
            consumer.shutdown();
        }
        return found;
    }
}
