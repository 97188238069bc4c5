import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.namesrv.NamesrvUtil;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** An ordered topic as `mqadmin updateTopic -o true` makes one: the nameserver tells clients and brokers of it. */
final class OrderTopic {
    private OrderTopic() {
    }

    /** Arguments: address and name of a broker, topic. */
    static void run(Session session, String[] args) throws Exception {
        String broker = args[0];
        String topic = args[2];
        DefaultMQAdminExt admin = new DefaultMQAdminExt("interop-admin", Session.TIMEOUT_MS);
        session.prepare(admin, false);
        admin.start();
        try {
            TopicConfig config = new TopicConfig(topic, 4, 4, 6);
            config.setOrder(true);
            admin.createAndUpdateTopicConfig(broker, config);
            admin.createOrUpdateOrderConf(topic, args[1] + ":2", false);
            Out.same(args[1] + ":2", admin.getKVConfig(NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG, topic), "order configuration");
            Session.await("the route of an ordered topic", () ->
                (args[1] + ":2").equals(admin.examineTopicRouteInfo(topic).getOrderTopicConf()));
            Out.same(2, session.producer(false).fetchPublishMessageQueues(topic).size(), "queues that a producer sends to");
            awaitOrder(admin, broker, topic, true);
            admin.deleteKvConfig(NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG, topic);
            awaitOrder(admin, broker, topic, false);
        } finally {
            admin.shutdown();
        }
    }

    /** A broker learns of the order when it registers, which it does each time that a topic is made. */
    private static void awaitOrder(DefaultMQAdminExt admin, String broker, String topic, boolean order) throws Exception {
        Session.await("order " + order + " at the broker", () -> {
            admin.createAndUpdateTopicConfig(broker, new TopicConfig(topic + "-poke", 1, 1, 6));
            return admin.examineTopicConfig(broker, topic).isOrder() == order;
        });
    }
}
