import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** What the commands of one shell share: the nameserver, clients, and the messages sent to each topic. */
final class Session {
    /** Of requests that must be answered, on a machine that has much else to do. */
    static final int TIMEOUT_MS = 30000;

    final String namesrvAddr;
    /** By topic: what a consumer of it has to receive. */
    private final Map<String, Ledger> ledgers = new ConcurrentHashMap<>();
    private final Map<Boolean, DefaultMQProducer> producers = new LinkedHashMap<>();
    private NettyRemotingClient raw;
    private DefaultMQPullConsumer reader;
    private int instances;

    Session(String namesrvAddr) {
        this.namesrvAddr = namesrvAddr;
    }

    Ledger ledger(String topic) {
        return ledgers.computeIfAbsent(topic, key -> new Ledger());
    }

    /** One producer for the main port and one for the VIP port: each has its own connections. */
    synchronized DefaultMQProducer producer(boolean vip) throws Exception {
        DefaultMQProducer producer = producers.get(vip);
        if (producer == null) {
            producer = new DefaultMQProducer("interop-producer-" + (vip ? "vip" : "main"));
            prepare(producer, vip);
            producer.setSendMsgTimeout(TIMEOUT_MS);
            producer.setRetryTimesWhenSendFailed(0);
            producer.setRetryTimesWhenSendAsyncFailed(0);
            producer.setMaxMessageSize(64 << 20);
            producer.start();
            patient(producer.getDefaultMQProducerImpl().getmQClientFactory());
            producers.put(vip, producer);
        }
        return producer;
    }

    /** Not started yet, so that the caller can subscribe. */
    DefaultMQPushConsumer pushConsumer(String group, boolean vip) {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
        prepare(consumer, vip);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        return consumer;
    }

    DefaultMQPullConsumer pullConsumer(String group) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(group);
        prepare(consumer, false);
        consumer.start();
        patient(consumer.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory());
        return consumer;
    }

    /** A pull consumer that all readers share. */
    synchronized DefaultMQPullConsumer reader() throws Exception {
        if (reader == null) reader = pullConsumer("interop-reader");
        return reader;
    }

    synchronized void prepare(ClientConfig client, boolean vip) {
        client.setNamesrvAddr(namesrvAddr);
        client.setVipChannelEnabled(vip);
        client.setInstanceName("interop-" + instances++);
        Compat.setIfThere(client, "setMqClientApiTimeout", TIMEOUT_MS);
    }

    /** By itself a client waits six seconds for an answer about a topic, a queue or a message. */
    private static void patient(MQClientInstance client) {
        client.getMQAdminImpl().setTimeoutMillis(TIMEOUT_MS);
    }

    /** A request without the client's own checks and retries. Headers go out in the serialization of this JVM. */
    synchronized RemotingCommand ask(String address, int code, byte[] body, String... namesAndValues) throws Exception {
        if (raw == null) {
            raw = new NettyRemotingClient(new NettyClientConfig());
            raw.start();
        }
        RemotingCommand request = RemotingCommand.createRequestCommand(code, null);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] != null) request.addExtField(namesAndValues[i], namesAndValues[i + 1]);
        }
        request.setBody(body);
        return raw.invokeSync(address, request, TIMEOUT_MS);
    }

    private static final int AWAIT_MS = 60000;

    interface Condition {
        boolean holds() throws Exception;
    }

    /** Waits for something that comes without a signal; fails the command when it does not come. */
    static void await(String what, Condition condition) throws Exception {
        long deadline = System.currentTimeMillis() + AWAIT_MS;
        while (!condition.holds()) {
            Out.check(System.currentTimeMillis() < deadline, "waited in vain for " + what);
            Thread.sleep(20);
        }
    }
}
