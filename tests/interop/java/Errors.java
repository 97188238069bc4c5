import java.util.Arrays;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Requests that must be refused. Prints the response code of each; the test knows what Java's servers answer. */
final class Errors {
    private static final int SEND = 10;
    private static final int PULL = 11;
    private static final int SEND_V2 = 310;
    private static final byte[] BODY = Ledger.utf8("hello");

    private Errors() {
    }

    /** `open` makes topics by itself, `closed` does not; the topic has four queues on `open`. */
    static void run(Session session, String open, String closed, String topic) throws Exception {
        raw("send to an unknown topic", Sending.raw(session, closed, SEND, "NoSuchTopic", 0, BODY));
        raw("send to an unknown topic, short names", Sending.raw(session, closed, SEND_V2, "NoSuchTopic", 0, BODY));
        raw("send with an unknown template", Sending.raw(session, open, SEND, "NoSuchTopic", "NoTemplate", "0", BODY));
        for (String name : new String[] {"bad topic", "bad/topic", "../../etc/x", "b\u00e4d", "", repeat('t', 128)}) {
            String shown = name.length() > 20 ? "of 128 characters" : "'" + name + "'";
            raw("send to topic " + shown, Sending.raw(session, open, SEND_V2, name, 0, BODY));
            raw("create topic " + shown, Topics.request(session, open, name, 4, 6));
        }
        raw("send to a system topic", Sending.raw(session, open, SEND_V2, "SCHEDULE_TOPIC_XXXX", 0, BODY));
        raw("send more than 4 MiB", Sending.raw(session, open, SEND_V2, topic, 0, new byte[(4 << 20) + 1]));
        raw("send to a queue beyond", Sending.raw(session, open, SEND_V2, topic, 4, BODY));
        raw("send to queue 'x'", Sending.raw(session, open, SEND_V2, topic, "TBW102", "x", BODY));
        raw("pull an unknown topic", pull(session, open, "NoSuchTopic2", "0", "*"));
        raw("pull a queue beyond", pull(session, open, topic, "4", "*"));
        raw("pull without a subscription, offline", pull(session, open, topic, "0", null));
        raw("consumer list of an unknown group", session.ask(open, 38, null, "consumerGroup", "NoSuchGroup"));
        raw("offset of an unknown topic",
            session.ask(open, 14, null, "consumerGroup", "NoSuchGroup", "topic", "NoSuchTopic3", "queueId", "0"));
        raw("unknown request code", session.ask(open, 9999, null));
        raw("route of an unknown topic", session.ask(session.namesrvAddr, 105, null, "topic", "NoSuchTopic"));
        permissions(session, open, topic);
        clients(session, topic);
    }

    private static void permissions(Session session, String open, String topic) throws Exception {
        Out.same(0, Topics.request(session, open, topic + "-read", 4, 4).getCode(), "making a topic that can only be read");
        raw("send without write permission", Sending.raw(session, open, SEND_V2, topic + "-read", 0, BODY));
        Out.same(0, Topics.request(session, open, topic + "-write", 4, 2).getCode(), "making a topic that can only be written");
        raw("pull without read permission", pull(session, open, topic + "-write", "0", "*"));
    }

    /** The same through the client, whose exceptions carry the server's code. */
    private static void clients(Session session, String topic) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        MessageQueue beyond = new MessageQueue(topic, producer.fetchPublishMessageQueues(topic).get(0).getBrokerName(), 4);
        client("client sends to a queue beyond", () -> producer.send(new Message(topic, BODY), beyond));
        Message huge = new Message(topic, Sending.random("huge", (4 << 20) + 1));
        client("client sends more than 4 MiB", () -> producer.send(huge));
        String template = producer.getCreateTopicKey();
        producer.setCreateTopicKey("NoTemplate");
        client("client sends to an unknown topic", () -> producer.send(new Message("NoSuchTopic", BODY)));
        producer.setCreateTopicKey(template);
    }

    private static RemotingCommand pull(Session session, String broker, String topic, String queueId, String expression)
        throws Exception {
        return session.ask(broker, PULL, null, "consumerGroup", "interop-errors", "topic", topic, "queueId", queueId,
            "queueOffset", "0", "maxMsgNums", "32", "sysFlag", expression == null ? "0" : "4", "commitOffset", "0",
            "suspendTimeoutMillis", "0", "subscription", expression, "subVersion", "0");
    }

    private static void raw(String what, RemotingCommand answer) {
        String remark = String.valueOf(answer.getRemark());
        Out.line(what, "code", answer.getCode(), "remark", remark.length() > 200 ? remark.substring(0, 200) : remark);
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void client(String what, Action action) throws Exception {
        try {
            action.run();
            Out.line(what, "code", 0, "remark", "");
        } catch (MQBrokerException e) {
            Out.line(what, "code", e.getResponseCode(), "remark", String.valueOf(e.getErrorMessage()));
        } catch (MQClientException e) {
            int code = e.getCause() instanceof MQBrokerException
                ? ((MQBrokerException) e.getCause()).getResponseCode() : e.getResponseCode();
            Out.line(what, "code", code, "remark", String.valueOf(e.getErrorMessage()));
        }
    }

    private static String repeat(char c, int count) {
        char[] text = new char[count];
        Arrays.fill(text, c);
        return new String(text);
    }
}
