import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.PlainAccessConfig;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** The official clients with the official ACL hook, each in the name of an account. What is refused is reported, not thrown. */
final class AccessControl {
    private static final Map<String, RPCHook> HOOKS = new HashMap<>();
    private static final Map<String, DefaultMQProducer> PRODUCERS = new HashMap<>();
    private static final Map<String, DefaultMQAdminExt> ADMINS = new HashMap<>();
    private static final Map<String, DefaultMQPullConsumer> PULLERS = new HashMap<>();

    private AccessControl() {
    }

    /** Commands: NAME WHAT ARGUMENTS...; the account NAME is known by `account`, and nobody signs for `nobody`. */
    static void run(Session session, String[] args) throws Exception {
        String name = args[0];
        String[] rest = Arrays.copyOfRange(args, 2, args.length);
        try {
            switch (args[1]) {
                case "account": HOOKS.put(name, new AclClientRPCHook(new SessionCredentials(rest[0], rest[1]))); break;
                case "send": send(session, name, rest[0], Integer.parseInt(rest[1]), Boolean.parseBoolean(rest[2])); break;
                case "send-batch": sendBatch(session, name, rest[0]); break;
                case "transact": transact(session, name, rest[0]); break;
                case "receive": receive(session, name, rest[0], rest[1], Integer.parseInt(rest[2])); break;
                case "pull": pull(session, name, rest[0], rest[1]); break;
                case "find": find(session, name, rest[0], rest[1]); break;
                case "make-topic": makeTopic(session, name, rest[0], rest[1]); break;
                case "put-account": putAccount(session, name, rest); break;
                case "remove-account": admin(session, name).deletePlainAccessConfig(rest[0], rest[1]); break;
                case "set-white": admin(session, name).updateGlobalWhiteAddrConfig(rest[0], rest[1]); break;
                case "version": version(session, name, rest[0]); break;
                default: throw new Out.Failed("unknown " + args[1]);
            }
            Out.line("done");
        } catch (MQClientException | MQBrokerException e) {
            // What a broker said is the cause of what a producer says after its last attempt.
            if (e.getCause() instanceof MQBrokerException) report((MQBrokerException) e.getCause());
            else if (e instanceof MQBrokerException) report((MQBrokerException) e);
            else if (((MQClientException) e).getResponseCode() <= 0) throw e;
            else Out.line("refused", "code", ((MQClientException) e).getResponseCode(), "remark", e.getMessage());
        }
    }

    private static void report(MQBrokerException refusal) {
        Out.line("refused", "code", refusal.getResponseCode(), "remark", refusal.getErrorMessage());
    }

    private static RPCHook hook(String name) {
        Out.check(name.equals("nobody") || HOOKS.containsKey(name), "no account " + name);
        return HOOKS.get(name);
    }

    private static DefaultMQProducer producer(Session session, String name, boolean vip) throws Exception {
        String key = name + vip;
        DefaultMQProducer producer = PRODUCERS.get(key);
        if (producer == null) {
            producer = new DefaultMQProducer("acl-producer-" + key, hook(name));
            session.prepare(producer, vip);
            producer.setRetryTimesWhenSendFailed(0);
            producer.setSendMsgTimeout(Session.TIMEOUT_MS);
            producer.start();
            PRODUCERS.put(key, producer);
        }
        return producer;
    }

    private static Message message(String topic, String name, int number) {
        return new Message(topic, "TagA", "key-" + number, Ledger.utf8(name + " " + number));
    }

    private static void send(Session session, String name, String topic, int count, boolean vip) throws Exception {
        for (int i = 0; i < count; i++) {
            Out.line("sent", "msgId", producer(session, name, vip).send(message(topic, name, i)).getMsgId());
        }
    }

    private static void sendBatch(Session session, String name, String topic) throws Exception {
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < 3; i++) messages.add(message(topic, name, i));
        producer(session, name, false).send(messages);
    }

    private static void transact(Session session, String name, String topic) throws Exception {
        TransactionMQProducer producer = new TransactionMQProducer("acl-transactions-" + name, hook(name));
        session.prepare(producer, false);
        producer.setSendMsgTimeout(Session.TIMEOUT_MS);
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                return LocalTransactionState.COMMIT_MESSAGE;
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                return LocalTransactionState.UNKNOW;
            }
        });
        producer.start();
        try {
            producer.sendMessageInTransaction(message(topic, name, 1000), null);
        } finally {
            producer.shutdown();
        }
    }

    /** Waits for that many different messages, and reports what they say. */
    private static void receive(Session session, String name, String group, String topic, int count) throws Exception {
        Set<String> seen = ConcurrentHashMap.newKeySet();
        DefaultMQPushConsumer consumer =
            new DefaultMQPushConsumer(group, hook(name), new AllocateMessageQueueAveragely());
        session.prepare(consumer, false);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) seen.add(new String(message.getBody()));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        try {
            Session.await(count + " messages of " + topic, () -> seen.size() >= count);
        } finally {
            consumer.shutdown();
        }
        for (String text : new HashSet<>(seen)) Out.line("received", "text", text);
    }

    private static void pull(Session session, String name, String group, String topic) throws Exception {
        String key = name + group;
        DefaultMQPullConsumer consumer = PULLERS.get(key);
        if (consumer == null) {
            consumer = new DefaultMQPullConsumer(group, hook(name));
            session.prepare(consumer, false);
            consumer.start();
            PULLERS.put(key, consumer);
        }
        MessageQueue queue = consumer.fetchSubscribeMessageQueues(topic).iterator().next();
        PullResult result = consumer.pull(queue, "*", 0, 1);
        Out.line("pulled", "status", result.getPullStatus());
    }

    private static void find(Session session, String name, String topic, String uniqueKey) throws Exception {
        MessageExt found = admin(session, name).viewMessage(topic, uniqueKey);
        Out.line("found", "text", new String(found.getBody()));
    }

    private static DefaultMQAdminExt admin(Session session, String name) throws Exception {
        DefaultMQAdminExt admin = ADMINS.get(name);
        if (admin == null) {
            admin = new DefaultMQAdminExt(hook(name), Session.TIMEOUT_MS);
            session.prepare(admin, false);
            admin.start();
            ADMINS.put(name, admin);
        }
        return admin;
    }

    private static void makeTopic(Session session, String name, String broker, String topic) throws Exception {
        admin(session, name).createAndUpdateTopicConfig(broker, new TopicConfig(topic, 4, 4, 6));
        Session.await("route of " + topic, () -> {
            try {
                return admin(session, name).examineTopicRouteInfo(topic) != null;
            } catch (MQClientException e) {
                return false;
            }
        });
    }

    /** BROKER ACCESS_KEY SECRET_KEY ADMIN TOPIC_PERMS GROUP_PERMS; the last two with commas, or `-`. */
    private static void putAccount(Session session, String name, String[] args) throws Exception {
        PlainAccessConfig config = new PlainAccessConfig();
        config.setAccessKey(args[1]);
        config.setSecretKey(args[2]);
        config.setAdmin(Boolean.parseBoolean(args[3]));
        if (!args[4].equals("-")) config.setTopicPerms(Arrays.asList(args[4].split(",")));
        if (!args[5].equals("-")) config.setGroupPerms(Arrays.asList(args[5].split(",")));
        admin(session, name).createAndUpdatePlainAccessConfig(args[0], config);
    }

    private static void version(Session session, String name, String broker) throws Exception {
        Out.line("version", "counter",
            admin(session, name).examineBrokerClusterAclVersionInfo(broker).getAclConfigDataVersion().getCounter().get());
    }
}
