import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Members of groups under remote control: they stay from one command to the next, until they leave or are killed. */
final class Members {
    private static final int PULL = 11;
    private static final int UPDATE_GROUP = 200;
    private static final Map<String, Members> byName = new HashMap<>();

    private final DefaultMQPushConsumer consumer;
    private final List<MessageExt> received = Collections.synchronizedList(new ArrayList<MessageExt>());

    private Members(DefaultMQPushConsumer consumer) {
        this.consumer = consumer;
    }

    /** NAME GROUP TOPIC, then from=FIRST_OFFSET and the like, time=MS, model=BROADCASTING, tags=EXPRESSION. */
    static void join(Session session, String[] args) throws Exception {
        Map<String, String> options = options(args, 3);
        DefaultMQPushConsumer consumer = session.pushConsumer(args[1], false);
        // Local offsets are kept under this name.
        consumer.setInstanceName(args[0]);
        consumer.setConsumeFromWhere(ConsumeFromWhere.valueOf("CONSUME_FROM_" + options.getOrDefault("from", "FIRST_OFFSET")));
        if (options.containsKey("time")) {
            Date time = new Date(Long.parseLong(options.get("time")));
            consumer.setConsumeTimestamp(new SimpleDateFormat("yyyyMMddHHmmss").format(time));
        }
        if (options.containsKey("model")) Compat.setEnum(consumer, "setMessageModel", options.get("model"));
        consumer.subscribe(args[2], options.getOrDefault("tags", "*"));
        Members member = new Members(consumer);
        Consuming.listen(consumer, member.received);
        consumer.start();
        byName.put(args[0], member);
    }

    static void leave(String name) {
        byName.remove(name).consumer.shutdown();
    }

    /** By itself a client commits for the first time after ten seconds. */
    static void persist(String name) {
        byName.get(name).consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
    }

    static void subscribe(String name, String topic, String expression) throws Exception {
        DefaultMQPushConsumer consumer = byName.get(name).consumer;
        consumer.subscribe(topic, expression);
        Groups.lookAgain(consumer, topic);
    }

    /** The client's own heartbeat comes every 30 s. */
    static void unsubscribe(String name, String topic) {
        DefaultMQPushConsumer consumer = byName.get(name).consumer;
        consumer.unsubscribe(topic);
        consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().sendHeartbeatToAllBrokerWithLock();
    }

    /** Waits until a member holds so many queues of a topic: a share of them, or all. */
    static void awaitQueues(String name, String topic, int count) throws Exception {
        Groups.awaitQueues(byName.get(name).consumer, topic, count);
    }

    /** TOPIC MARK COUNT [TAG]: the same number of messages to every queue; their bodies are the mark and a number. */
    static void post(Session session, String[] args) throws Exception {
        List<MessageQueue> queues = session.producer(false).fetchPublishMessageQueues(args[0]);
        for (int n = 0; n < Integer.parseInt(args[2]); n++) {
            Message message = new Message(args[0], args.length > 3 ? args[3] : "", Ledger.utf8(args[1] + " " + n));
            session.producer(false).send(message, queues.get(n % queues.size()));
        }
    }

    /** MARK COUNT NAME...: waits until the members together have every message of a mark; says what each one has. */
    static void got(String[] args) throws Exception {
        int count = Integer.parseInt(args[1]);
        String[] names = java.util.Arrays.copyOfRange(args, 2, args.length);
        Session.await(count + " messages of " + args[0], () -> {
            Set<String> distinct = new HashSet<>();
            for (String name : names) distinct.addAll(byName.get(name).bodies(args[0]));
            return distinct.size() >= count;
        });
        for (String name : names) Out.line(name, "messages", byName.get(name).bodies(args[0]).size());
    }

    private List<String> bodies(String mark) {
        List<String> bodies = new ArrayList<>();
        synchronized (received) {
            for (MessageExt message : received) {
                String body = new String(message.getBody(), StandardCharsets.UTF_8);
                if (body.startsWith(mark + " ")) bodies.add(body);
            }
        }
        return bodies;
    }

    /** BROKER GROUP, then switches as name=value: what mqadmin's updateSubGroup sends. */
    static void updateGroup(Session session, String[] args) throws Exception {
        StringBuilder config = new StringBuilder("{\"groupName\":" + Out.quote(args[1]));
        options(args, 2).forEach((name, value) -> config.append(',').append(Out.quote(name)).append(':').append(value));
        RemotingCommand answer = session.ask(args[0], UPDATE_GROUP, Ledger.utf8(config + "}"));
        Out.same(0, answer.getCode(), "code of the group's update: " + answer.getRemark());
    }

    /** BROKER GROUP TOPIC SUB_VERSION: one pull that leans on the subscription in the heartbeat. */
    static void pullCode(Session session, String broker, String group, String topic, String subVersion) throws Exception {
        RemotingCommand answer = session.ask(broker, PULL, null, "consumerGroup", group, "topic", topic, "queueId", "0",
            "queueOffset", "0", "maxMsgNums", "1", "sysFlag", "0", "commitOffset", "0", "suspendTimeoutMillis", "0",
            "subVersion", subVersion);
        Out.line("pull", "code", answer.getCode(), "remark", String.valueOf(answer.getRemark()));
    }

    private static Map<String, String> options(String[] args, int from) {
        Map<String, String> options = new HashMap<>();
        for (int i = from; i < args.length; i++) {
            String[] parts = args[i].split("=", 2);
            options.put(parts[0], parts[1]);
        }
        return options;
    }
}
