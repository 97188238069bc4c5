import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Requests as a test wants them, without what clients check, add or retry; and the answers as they came. */
final class Asking {
    private static final int PULL = 11;

    private Asking() {
    }

    /** Arguments: address, request code, body ("-" for none), name=value for each field. */
    static void ask(Session session, String[] args) throws Exception {
        int code = Integer.parseInt(args[1]);
        byte[] body = args[2].equals("-") ? null : Ledger.utf8(args[2]);
        String[] namesAndValues = new String[2 * (args.length - 3)];
        for (int i = 3; i < args.length; i++) {
            int split = args[i].indexOf('=');
            namesAndValues[2 * (i - 3)] = args[i].substring(0, split);
            namesAndValues[2 * (i - 3) + 1] = args[i].substring(split + 1);
        }
        RemotingCommand answer = session.ask(args[0], code, body, namesAndValues);
        Map<String, String> fields = new TreeMap<>();
        if (answer.getExtFields() != null) fields.putAll(answer.getExtFields());
        boolean found = code == PULL && answer.getCode() == 0;
        int records = found ? MessageDecoder.decodes(ByteBuffer.wrap(answer.getBody())).size() : 0;
        Out.line("answer", "code", answer.getCode(), "remark", String.valueOf(answer.getRemark()), "fields", fields,
            "records", records);
    }

    /** Sends messages of `size` bytes, which cannot be compressed, to one queue, one after the other. */
    static void post(Session session, String topic, String broker, int queueId, int count, int size, String tag)
        throws Exception {
        DefaultMQProducer producer = session.producer(false);
        byte[] body = Sending.random(topic, size);
        for (int n = 0; n < count; n++) {
            producer.send(new Message(topic, tag, body), new MessageQueue(topic, broker, queueId));
        }
    }

    /**
     * Holds `perQueue` pulls on each queue of an empty topic, all from one connection, and wakes first those of one
     * queue, then the others. Reports how many had been answered at each time.
     */
    static void hold(Session session, String address, String topic, String broker, int queues, int perQueue)
        throws Exception {
        Map<Integer, AtomicInteger> found = new ConcurrentHashMap<>();
        AtomicInteger others = new AtomicInteger();
        for (int queueId = 0; queueId < queues; queueId++) found.put(queueId, new AtomicInteger());
        NettyRemotingClient client = new NettyRemotingClient(new NettyClientConfig());
        client.start();
        try {
            for (int n = 0; n < queues * perQueue; n++) {
                int queueId = n % queues;
                client.invokeAsync(address, pull(topic, queueId), 120000, future -> {
                    RemotingCommand answer = future.getResponseCommand();
                    boolean woken = answer != null && answer.getCode() == 0;
                    (woken ? found.get(queueId) : others).incrementAndGet();
                });
            }
            Thread.sleep(1000);
            Out.line("held", "answered", sum(found) + others.get());
            post(session, topic, broker, 1, 1, 10, "TagA");
            Session.await("the pulls of one queue", () -> found.get(1).get() == perQueue);
            Out.line("one queue woken", "answered", sum(found) + others.get());
            for (int queueId = 0; queueId < queues; queueId++) {
                if (queueId != 1) post(session, topic, broker, queueId, 1, 10, "TagA");
            }
            Session.await("all pulls", () -> sum(found) == queues * perQueue);
            Out.line("all woken", "answered", sum(found) + others.get());
        } finally {
            client.shutdown();
        }
    }

    private static int sum(Map<Integer, AtomicInteger> counts) {
        int sum = 0;
        for (AtomicInteger count : counts.values()) sum += count.get();
        return sum;
    }

    private static RemotingCommand pull(String topic, int queueId) {
        RemotingCommand request = RemotingCommand.createRequestCommand(PULL, null);
        HashMap<String, String> fields = new HashMap<>();
        fields.put("consumerGroup", "interop-held");
        fields.put("topic", topic);
        fields.put("queueId", "" + queueId);
        fields.put("queueOffset", "0");
        fields.put("maxMsgNums", "32");
        fields.put("sysFlag", "6");
        fields.put("commitOffset", "0");
        fields.put("suspendTimeoutMillis", "60000");
        fields.put("subscription", "*");
        fields.put("subVersion", "0");
        request.setExtFields(fields);
        return request;
    }
}
