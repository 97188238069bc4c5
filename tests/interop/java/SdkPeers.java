import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.client.trace.TraceBean;
import org.apache.rocketmq.client.trace.TraceContext;
import org.apache.rocketmq.client.trace.TraceDataEncoder;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Whom clients in other languages meet: senders by key, askers, repliers, and readers of traces. */
final class SdkPeers {
    private static final int TIMEOUT_MS = 20000;
    private static DefaultMQPushConsumer replier;

    private SdkPeers() {
    }

    /** Arguments: topic, keys: `s:text`, `i:int` or `l:long`. Reports the queue that each goes to. */
    static void sendByKey(Session session, String[] args) throws Exception {
        for (int i = 1; i < args.length; i++) {
            String text = args[i].substring(2);
            char type = args[i].charAt(0);
            Object key = type == 's' ? text : type == 'i' ? (Object) Integer.valueOf(text) : (Object) Long.valueOf(text);
            Message message = new Message(args[0], Ledger.utf8("by " + args[i]));
            SendResult result = session.producer(false).send(message, new SelectMessageQueueByHash(), key);
            Out.line("sent", "key", args[i], "broker", result.getMessageQueue().getBrokerName(),
                "queue", result.getMessageQueue().getQueueId());
        }
    }

    /** Arguments: topic, group. Replies to every message of the topic, until the shell ends. */
    static void reply(Session session, String[] args) throws Exception {
        replier = session.pushConsumer(args[1], false);
        replier.subscribe(args[0], "*");
        replier.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                try {
                    byte[] body = Ledger.utf8("reply to " + new String(message.getBody(), StandardCharsets.UTF_8));
                    session.producer(false).send(MessageUtil.createReplyMessage(message, body), TIMEOUT_MS);
                } catch (Exception e) {
                    e.printStackTrace();
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        replier.start();
    }

    /** Arguments: topic, body. Asks, and reports the reply. */
    static void ask(Session session, String[] args) throws Exception {
        DefaultMQProducer asker = new DefaultMQProducer("interop-sdk-asker");
        session.prepare(asker, false);
        asker.start();
        try {
            Message reply = asker.request(new Message(args[0], Ledger.utf8(args[1])), TIMEOUT_MS);
            Out.line("reply", "body", new String(reply.getBody(), StandardCharsets.UTF_8), "tag", reply.getTags());
        } finally {
            asker.shutdown();
        }
    }

    /** Arguments: topic of traces, message id, count. Waits for so many, and reports all as Java reads them. */
    static void traces(Session session, String[] args) throws Exception {
        List<TraceContext> traces = new ArrayList<>();
        Session.await(args[2] + " traces of " + args[1], () -> {
            traces.clear();
            traces.addAll(tracesOf(session, args[0], args[1]));
            return traces.size() >= Integer.parseInt(args[2]);
        });
        for (TraceContext trace : traces) {
            TraceBean bean = trace.getTraceBeans().get(0);
            Out.line("trace", "type", trace.getTraceType(), "group", trace.getGroupName(), "topic", bean.getTopic(),
                "tags", bean.getTags(), "keys", bean.getKeys(), "kind", String.valueOf(bean.getMsgType()),
                "state", String.valueOf(bean.getTransactionState()), "success", trace.isSuccess(),
                "retries", bean.getRetryTimes(), "code", trace.getContextCode(), "request", trace.getRequestId());
        }
    }

    private static List<TraceContext> tracesOf(Session session, String topic, String msgId) throws Exception {
        List<TraceContext> traces = new ArrayList<>();
        long now = System.currentTimeMillis();
        try {
            for (MessageExt found
                : session.reader().queryMessage(topic, msgId, 64, now - 3600000, now + 3600000).getMessageList()) {
                String text = new String(found.getBody(), StandardCharsets.UTF_8);
                for (TraceContext trace : TraceDataEncoder.decoderFromTraceDataString(text)) {
                    if (msgId.equals(trace.getTraceBeans().get(0).getMsgId())) traces.add(trace);
                }
            }
        } catch (org.apache.rocketmq.client.exception.MQClientException e) {
            // Nothing is found yet.
        }
        return traces;
    }
}
