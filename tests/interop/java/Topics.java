import java.util.List;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Topics come into being in three ways: by an administrator's request, through a client, and by the first message. */
final class Topics {
    private static final int UPDATE_AND_CREATE_TOPIC = 17;

    private Topics() {
    }

    /** Makes the topic on one broker, and waits until clients find it, with the queues that it has on others. */
    static void create(Session session, String broker, String topic, int queues, int onOthers) throws Exception {
        RemotingCommand answer = request(session, broker, topic, queues, 6);
        Out.same(0, answer.getCode(), "code for UPDATE_AND_CREATE_TOPIC, " + answer.getRemark());
        await(session, topic, queues + onOthers);
    }

    static RemotingCommand request(Session session, String broker, String topic, int queues, int perm) throws Exception {
        return session.ask(broker, UPDATE_AND_CREATE_TOPIC, null, "topic", topic, "defaultTopic", "TBW102",
            "readQueueNums", "" + queues, "writeQueueNums", "" + queues, "perm", "" + perm,
            "topicFilterType", "SINGLE_TAG", "topicSysFlag", "0", "order", "false");
    }

    /** The client asks the nameserver who may make topics (TBW102), and makes it there. */
    static void createByClient(Session session, String topic, int queues) throws Exception {
        Compat.createTopic(session.producer(false), "TBW102", topic, queues);
        await(session, topic, queues);
    }

    /** min(4 wanted by the client, 8 of the template) queues. */
    static void autoCreate(Session session, String topic) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        SendResult result = producer.send(new Message(topic, "TagA", Ledger.utf8("makes " + topic)));
        Out.line("auto-created", "brokerName", result.getMessageQueue().getBrokerName());
        await(session, topic, producer.getDefaultTopicQueueNums());
    }

    private static void await(Session session, String topic, int queues) throws Exception {
        Session.await(queues + " queues of " + topic, () -> {
            try {
                List<MessageQueue> found = session.producer(false).fetchPublishMessageQueues(topic);
                return found.size() == queues;
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
    }
}
