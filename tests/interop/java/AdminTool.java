import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.protocol.body.ClusterInfo;
import org.apache.rocketmq.common.protocol.route.QueueData;
import org.apache.rocketmq.common.protocol.route.TopicRouteData;
import org.apache.rocketmq.common.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** The library under mqadmin: makes a topic, and finds it again in the cluster, in the route and at the broker; a group too. */
final class AdminTool {
    private AdminTool() {
    }

    static void run(Session session, String[] args) throws Exception {
        String broker = args[0];
        String topic = args[1];
        DefaultMQAdminExt admin = new DefaultMQAdminExt("interop-admin", Session.TIMEOUT_MS);
        session.prepare(admin, false);
        admin.start();
        try {
            ClusterInfo cluster = admin.examineBrokerClusterInfo();
            boolean known = cluster.getBrokerAddrTable().values().stream()
                .anyMatch(data -> broker.equals(data.getBrokerAddrs().get(0L)));
            Out.check(known, "the cluster info does not know " + broker + ": " + cluster.getBrokerAddrTable());
            admin.createAndUpdateTopicConfig(broker, new TopicConfig(topic, 3, 5, 6));
            Session.await("route of " + topic, () -> {
                try {
                    TopicRouteData route = admin.examineTopicRouteInfo(topic);
                    QueueData queues = route.getQueueDatas().get(0);
                    return queues.getReadQueueNums() == 3 && queues.getWriteQueueNums() == 5 && queues.getPerm() == 6;
                } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                    return false;
                }
            });
            Out.check(admin.fetchAllTopicList().getTopicList().contains(topic), "the nameserver's list lacks " + topic);
            TopicConfig kept = admin.examineTopicConfig(broker, topic);
            Out.same(3, kept.getReadQueueNums(), "read queues at the broker");
            Out.same(5, kept.getWriteQueueNums(), "write queues at the broker");
            SubscriptionGroupConfig group = new SubscriptionGroupConfig();
            group.setGroupName(topic + "-group");
            group.setConsumeEnable(false);
            group.setConsumeFromMinEnable(false);
            group.setRetryQueueNums(3);
            group.setRetryMaxTimes(5);
            group.setWhichBrokerWhenConsumeSlowly(2);
            group.setNotifyConsumerIdsChangedEnable(false);
            admin.createAndUpdateSubscriptionGroupConfig(broker, group);
            Out.same(group, admin.examineSubscriptionGroupConfig(broker, group.getGroupName()), "group at the broker");
        } finally {
            admin.shutdown();
        }
    }
}
