import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Messages with properties, and consumers that choose among them. Expressions come in Base64. */
final class Filtering {
    private static final int PULL = 11;
    private static final int CHECK_CLIENT_CONFIG = 46;
    private static final int WITH_SUBSCRIPTION = 4;
    private static final String END = "end";
    private static final String[] REGIONS = {"east", "west", null};
    private static final Map<String, Filtering> byName = new HashMap<>();

    private final DefaultMQPushConsumer consumer;
    private final String topic;
    private final List<MessageExt> received = Collections.synchronizedList(new ArrayList<MessageExt>());

    private Filtering(DefaultMQPushConsumer consumer, String topic) {
        this.consumer = consumer;
        this.topic = topic;
    }

    static void run(Session session, String[] args) throws Exception {
        switch (args[0]) {
            case "send": send(session, args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3])); break;
            case "start": start(session, args[1], args[2], args[3], selector(args[4], decode(args[5]))); break;
            case "change": byName.get(args[1]).change(selector(args[2], decode(args[3]))); break;
            case "received": byName.get(args[1]).report(session, args[2]); break;
            case "stop": byName.remove(args[1]).consumer.shutdown(); break;
            case "pull": pull(session, args[1], args[2], args[3], args[4], decode(args[5])); break;
            case "check": check(session, args[1], args[2], args[3], decode(args[4])); break;
            default: throw new Out.Failed("unknown command " + args[0]);
        }
    }

    static String decode(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }

    static MessageSelector selector(String type, String expression) {
        return type.equals("TAG") ? MessageSelector.byTag(expression) : MessageSelector.bySql(expression);
    }

    /** The number is the body, and what the properties are made of. */
    private static void send(Session session, String topic, int from, int count) throws Exception {
        List<MessageQueue> queues = session.producer(false).fetchPublishMessageQueues(topic);
        for (int n = from; n < from + count; n++) {
            Message message = new Message(topic, "Tag" + n % 4, Ledger.utf8(String.valueOf(n)));
            message.putUserProperty("n", String.valueOf(n));
            message.putUserProperty("price", n + ".5");
            message.putUserProperty("even", String.valueOf(n % 2 == 0));
            if (REGIONS[n % 3] != null) message.putUserProperty("region", REGIONS[n % 3]);
            session.producer(false).send(message, queues.get(n % queues.size()));
        }
    }

    private static void start(Session session, String name, String group, String topic, MessageSelector selector)
        throws Exception {
        Filtering filtering = new Filtering(session.pushConsumer(group, false), topic);
        filtering.consumer.subscribe(topic, selector);
        Consuming.listen(filtering.consumer, filtering.received);
        try {
            filtering.consumer.start();
        } catch (MQClientException e) {
            int code = e.getCause() instanceof MQBrokerException
                ? ((MQBrokerException) e.getCause()).getResponseCode() : e.getResponseCode();
            Out.line("refused", "code", code, "remark", String.valueOf(e.getErrorMessage()));
            filtering.consumer.shutdown();
            return;
        }
        byName.put(name, filtering);
        Out.line("started");
    }

    private void change(MessageSelector selector) throws Exception {
        consumer.subscribe(topic, selector);
    }

    /**
     * Sends a last message, with these properties (name=value,name=value), to each queue, waits until the consumer is
     * through with all, and reports the others that it received since the last report.
     */
    private void report(Session session, String properties) throws Exception {
        // The client may have lost a broker that was restarted, and that knows no groups: by itself it would look for it,
        // and tell it, up to 30 s later.
        MQClientInstance client = consumer.getDefaultMQPushConsumerImpl().getmQClientFactory();
        client.updateTopicRouteInfoFromNameServer(topic);
        client.sendHeartbeatToAllBrokerWithLock();
        Groups.lookAgain(consumer, topic);
        for (MessageQueue queue : session.producer(false).fetchPublishMessageQueues(topic)) {
            Message message = new Message(topic, "Tag1", Ledger.utf8(END));
            for (String property : properties.split(",")) {
                String[] parts = property.split("=", 2);
                message.putUserProperty(parts[0], parts[1]);
            }
            session.producer(false).send(message, queue);
        }
        Consuming.awaitCommitted(session, consumer.getConsumerGroup(), topic, consumer);
        synchronized (received) {
            numbers("received", received);
            received.clear();
        }
    }

    static void numbers(String what, List<MessageExt> messages) {
        TreeSet<Integer> numbers = new TreeSet<>();
        for (MessageExt message : messages) {
            String body = new String(message.getBody(), StandardCharsets.UTF_8);
            if (!body.equals(END)) Out.check(numbers.add(Integer.parseInt(body)), "received twice: " + body);
        }
        Out.line(what, "numbers", numbers.toString());
    }

    /** Pulls each queue from its begin to its end; reports the messages, or the code that refuses. */
    private static void pull(Session session, String broker, String topic, String group, String type, String expression)
        throws Exception {
        List<MessageExt> found = new ArrayList<>();
        for (MessageQueue queue : session.producer(false).fetchPublishMessageQueues(topic)) {
            for (long offset = 0, end = 1; offset < end;) {
                RemotingCommand answer = session.ask(broker, PULL, null, "consumerGroup", group, "topic", topic, "queueId",
                    String.valueOf(queue.getQueueId()), "queueOffset", String.valueOf(offset), "maxMsgNums", "32", "sysFlag",
                    String.valueOf(WITH_SUBSCRIPTION), "commitOffset", "0", "suspendTimeoutMillis", "0", "subscription",
                    expression, "subVersion", "0", "expressionType", type);
                List<Integer> served = Arrays.asList(0, 20);
                if (!served.contains(answer.getCode())) {
                    Out.line("refused", "code", answer.getCode(), "remark", String.valueOf(answer.getRemark()));
                    return;
                }
                if (answer.getCode() == 0) found.addAll(MessageDecoder.decodes(ByteBuffer.wrap(answer.getBody())));
                long next = Long.parseLong(answer.getExtFields().get("nextBeginOffset"));
                Out.check(next > offset, "no way on from " + offset);
                offset = next;
                end = Long.parseLong(answer.getExtFields().get("maxOffset"));
            }
        }
        numbers("pulled", found);
    }

    /** CHECK_CLIENT_CONFIG as clients send it before they start. */
    private static void check(Session session, String broker, String topic, String type, String expression) throws Exception {
        String subscription = "{\"topic\":" + Out.quote(topic) + ",\"subString\":" + Out.quote(expression)
            + ",\"expressionType\":" + Out.quote(type) + ",\"subVersion\":1,\"tagsSet\":[],\"codeSet\":[]}";
        String body = "{\"clientId\":\"c\",\"group\":\"interop-check\",\"subscriptionData\":" + subscription + "}";
        RemotingCommand answer = session.ask(broker, CHECK_CLIENT_CONFIG, Ledger.utf8(body));
        Out.line("check", "code", answer.getCode(), "remark", String.valueOf(answer.getRemark()));
    }
}
