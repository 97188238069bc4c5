import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Every way to send, every shape of message. */
final class Sending {
    static final int EACH = 20;
    private static final int SEND_MESSAGE = 10;
    private static final int SEND_MESSAGE_V2 = 310;
    /** Just under the broker's 4 MiB. */
    private static final int LARGE = 3900 * 1024;
    /** "Aa" and "BB" share a hash code, which is all that the broker filters by. */
    static final String[] TAGS = {"TagA", "TagB", "TagC", "Aa", "BB", null};

    private Sending() {
    }

    static void sendAll(Session session, String topic, boolean vip) throws Exception {
        DefaultMQProducer producer = session.producer(vip);
        Ledger ledger = session.ledger(topic);
        String mark = topic + (vip ? " vip " : " main ");
        sync(producer, ledger, topic, mark + "sync");
        queueOffsetsGrowByOne(producer, ledger, topic, mark + "one queue");
        async(producer, ledger, topic, mark + "async");
        for (int n = 0; n < EACH; n++) {
            Message message = message(topic, mark + "one-way", n);
            ledger.add(message);
            producer.sendOneway(message);
        }
        batch(producer, ledger, topic, mark + "small batch", 3);
        batch(producer, ledger, topic, mark + "large batch", 100);
        one(producer, ledger, new Message(topic, "TagA", "", 0, new byte[] {(byte) (vip ? 1 : 2)}, true));
        one(producer, ledger, new Message(topic, "TagA", "", 0, Ledger.utf8(mark + "Grüße, 世界, 🚀 \0 end"), true));
        one(producer, ledger, new Message(topic, "TagB", "", -1, compressible(mark), true));
        one(producer, ledger, new Message(topic, "TagC", "", Integer.MAX_VALUE, random(mark, LARGE), true));
        if (!vip) bare(session, producer, ledger, topic, mark);
        Out.line("sent", "messages", ledger.size());
    }

    /** Tags, keys and properties in turn, among them text outside ASCII and outside the basic plane. */
    static Message message(String topic, String mark, int n) {
        Message message = new Message(topic, Ledger.utf8(mark + " " + n));
        String tag = TAGS[n % TAGS.length];
        if (tag != null) message.setTags(tag);
        if (n % 3 > 0) message.setKeys(n % 3 == 1 ? "key-" + n : "key-" + n + " other-" + n);
        if (n % 4 == 1) message.putUserProperty("n", "" + n);
        if (n % 4 == 2) {
            message.putUserProperty("color", "grün 🟢");
            message.putUserProperty("a", "b=c;d:e,\"f\"'{}");
        }
        message.setFlag(n * 7);
        message.setWaitStoreMsgOK(n % 2 == 0);
        return message;
    }

    private static void sync(DefaultMQProducer producer, Ledger ledger, String topic, String mark) throws Exception {
        for (int n = 0; n < EACH; n++) one(producer, ledger, message(topic, mark, n));
    }

    private static void one(DefaultMQProducer producer, Ledger ledger, Message message) throws Exception {
        String id = ledger.add(message);
        record(ledger, id, producer.send(message));
    }

    private static void record(Ledger ledger, String id, SendResult result) {
        Out.same(SendStatus.SEND_OK, result.getSendStatus(), "send status");
        Out.same("DefaultRegion", result.getRegionId(), "region");
        // Longer on a host whose first address is an IPv6 one.
        Out.check(result.getMsgId() != null && result.getMsgId().matches("[0-9A-F]{32}|[0-9A-F]{56}"), "client id: " + result);
        Out.same(32, result.getOffsetMsgId().length(), "length of the offset message id");
        ledger.placed(id, result.getOffsetMsgId(), result.getMessageQueue().getQueueId(), result.getQueueOffset());
    }

    private static void queueOffsetsGrowByOne(DefaultMQProducer producer, Ledger ledger, String topic, String mark)
        throws Exception {
        MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(1);
        long last = -1;
        for (int n = 0; n < 3; n++) {
            Message message = message(topic, mark, n);
            String id = ledger.add(message);
            SendResult result = producer.send(message, queue);
            record(ledger, id, result);
            Out.same(queue, result.getMessageQueue(), "queue asked for");
            if (n > 0) Out.same(last + 1, result.getQueueOffset(), "next queue offset");
            last = result.getQueueOffset();
        }
    }

    private static void async(DefaultMQProducer producer, Ledger ledger, String topic, String mark) throws Exception {
        CountDownLatch answered = new CountDownLatch(EACH);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int n = 0; n < EACH; n++) {
            Message message = message(topic, mark, n);
            String id = ledger.add(message);
            producer.send(message, new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    try {
                        record(ledger, id, result);
                    } catch (RuntimeException e) {
                        failure.set(e);
                    }
                    answered.countDown();
                }

                @Override
                public void onException(Throwable error) {
                    failure.set(error);
                    answered.countDown();
                }
            });
        }
        Out.check(answered.await(60, TimeUnit.SECONDS), "asynchronous sends were not all answered");
        if (failure.get() != null) throw new Exception("asynchronous send", failure.get());
    }

    /** The answer names the offset message ids of all, joined by commas, and the queue offset of the first. */
    private static void batch(DefaultMQProducer producer, Ledger ledger, String topic, String mark, int size)
        throws Exception {
        List<Message> messages = new ArrayList<>();
        List<String> ids = new ArrayList<>();
        for (int n = 0; n < size; n++) {
            Message message = message(topic, mark, n);
            message.setWaitStoreMsgOK(true);
            messages.add(message);
            ids.add(ledger.add(message));
        }
        SendResult result = producer.send(messages);
        Out.same(SendStatus.SEND_OK, result.getSendStatus(), "send status of a batch");
        String[] offsetIds = result.getOffsetMsgId().split(",");
        Out.same(size, offsetIds.length, "offset message ids of a batch");
        for (int n = 0; n < size; n++) {
            int queueId = result.getMessageQueue().getQueueId();
            ledger.placed(ids.get(n), offsetIds[n], queueId, result.getQueueOffset() + n);
        }
    }

    /** No properties at all, not even those that every client adds: with the long header names, and the short ones. */
    private static void bare(Session session, DefaultMQProducer producer, Ledger ledger, String topic, String mark)
        throws Exception {
        MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
        String broker = producer.getDefaultMQProducerImpl().getmQClientFactory()
            .findBrokerAddressInPublish(queue.getBrokerName());
        for (int code : new int[] {SEND_MESSAGE, SEND_MESSAGE_V2}) {
            Message message = new Message(topic, Ledger.utf8(mark + "bare " + code));
            String id = ledger.add(message);
            RemotingCommand answer = raw(session, broker, code, topic, queue.getQueueId(), message.getBody());
            Out.same(0, answer.getCode(), "code for a bare send, " + answer.getRemark());
            ledger.placed(id, answer.getExtFields().get("msgId"), Integer.parseInt(answer.getExtFields().get("queueId")),
                Long.parseLong(answer.getExtFields().get("queueOffset")));
        }
    }

    /** A send request as it goes over the wire, without what the client checks or adds. */
    static RemotingCommand raw(Session session, String broker, int code, String topic, int queueId, byte[] body)
        throws Exception {
        return raw(session, broker, code, topic, "TBW102", "" + queueId, body);
    }

    static RemotingCommand raw(Session session, String broker, int code, String topic, String template, String queueId,
        byte[] body) throws Exception {
        String[] names = code == SEND_MESSAGE
            ? new String[] {"producerGroup", "topic", "defaultTopic", "defaultTopicQueueNums", "queueId", "sysFlag",
                "bornTimestamp", "flag", "reconsumeTimes", "unitMode"}
            : new String[] {"a", "b", "c", "d", "e", "f", "g", "h", "j", "k"};
        String[] values = {"interop-raw", topic, template, "4", queueId, "0", "" + System.currentTimeMillis(), "0", "0",
            "false"};
        String[] fields = new String[names.length * 2];
        for (int i = 0; i < names.length; i++) {
            fields[2 * i] = names[i];
            fields[2 * i + 1] = values[i];
        }
        return session.ask(broker, code, body, fields);
    }

    /** Address and log offset of a received message, in the form in which a send is answered. */
    static String offsetMsgId(MessageExt message) {
        java.net.InetSocketAddress host = (java.net.InetSocketAddress) message.getStoreHost();
        java.nio.ByteBuffer address = java.nio.ByteBuffer.allocate(8);
        address.put(host.getAddress().getAddress()).putInt(host.getPort()).flip();
        return MessageDecoder.createMessageId(java.nio.ByteBuffer.allocate(16), address, message.getCommitLogOffset());
    }

    /** The client compresses bodies from 4 KiB up. */
    private static byte[] compressible(String mark) {
        byte[] body = new byte[LARGE];
        java.util.Arrays.fill(body, (byte) 'x');
        byte[] head = Ledger.utf8(mark);
        System.arraycopy(head, 0, body, 0, head.length);
        return body;
    }

    static byte[] random(String mark, int length) {
        byte[] body = new byte[length];
        new Random(mark.hashCode()).nextBytes(body);
        return body;
    }
}
