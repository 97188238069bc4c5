import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.exception.RequestTimeoutException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Requests with replies: the asker sends a message and waits, and whoever consumes it sends the reply through the broker. */
final class Requesting {
    private static final int TIMEOUT_MS = 20000;
    /** Enough for the request itself, also from a client that has to connect first. */
    private static final int IN_VAIN_MS = 3000;
    /** What a request with this body waits for never comes. */
    private static final String NO_REPLY = "no reply";
    /** Replies above this are compressed by the client. */
    private static final int LARGE = 100000;

    /** Requests that were left without a reply, by body. */
    private final Map<String, MessageExt> unanswered = new ConcurrentHashMap<>();
    /** What the sends of replies came to, by the body of the request. */
    private final Map<String, SendResult> sent = new ConcurrentHashMap<>();
    private final Session session;
    private final String topic;

    private Requesting(Session session, String topic) {
        this.session = session;
        this.topic = topic;
    }

    /** Arguments: topic with a queue at least, consumer group, whether the broker keeps replies. */
    static void run(Session session, String[] args) throws Exception {
        Requesting requesting = new Requesting(session, args[0]);
        DefaultMQPushConsumer replier = requesting.replier(args[1]);
        DefaultMQProducer asker = requesting.asker(args[1]);
        try {
            requesting.wait(asker);
            requesting.callBack(asker);
            requesting.many(asker);
            requesting.large(asker);
            requesting.inVain(asker);
            requesting.gone(requesting.asker(args[1] + "-gone"));
            requesting.kept(Boolean.parseBoolean(args[2]));
        } finally {
            asker.shutdown();
            replier.shutdown();
        }
    }

    private DefaultMQProducer asker(String group) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(group);
        session.prepare(producer, false);
        producer.setRetryTimesWhenSendFailed(0);
        producer.start();
        return producer;
    }

    /** Replies to every request but those that want none; a request whose body is a number wants a reply of that length. */
    private DefaultMQPushConsumer replier(String group) throws Exception {
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                String body = text(message);
                if (body.startsWith(NO_REPLY)) unanswered.put(body, message);
                else reply(message);
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        return consumer;
    }

    private void reply(MessageExt request) {
        String body = text(request);
        byte[] reply = Ledger.utf8("reply to " + body);
        if (body.matches("\\d+")) {
            reply = new byte[Integer.parseInt(body)];
            Arrays.fill(reply, (byte) 'r');
        }
        try {
            sent.put(body, session.producer(false).send(MessageUtil.createReplyMessage(request, reply), TIMEOUT_MS));
        } catch (Exception e) {
            e.printStackTrace();
        }
    }

    private static String text(Message message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }

    private Message message(String body) {
        return new Message(topic, Ledger.utf8(body));
    }

    private void wait(DefaultMQProducer asker) throws Exception {
        Message request = message("one");
        Message reply = asker.request(request, TIMEOUT_MS);
        Out.same("reply to one", text(reply), "reply");
        Out.same(request.getProperty("CORRELATION_ID"), reply.getProperty("CORRELATION_ID"), "correlation id");
        Out.check(reply.getProperty("PUSH_REPLY_TIME") != null, "the reply has no time of its push: " + reply);
        Out.check(reply.getTopic().endsWith("_REPLY_TOPIC"), "topic of the reply: " + reply.getTopic());
    }

    private void callBack(DefaultMQProducer asker) throws Exception {
        AtomicReference<Object> got = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(1);
        asker.request(message("later"), new RequestCallback() {
            @Override
            public void onSuccess(Message reply) {
                got.set(text(reply));
                done.countDown();
            }

            @Override
            public void onException(Throwable error) {
                got.set(error);
                done.countDown();
            }
        }, TIMEOUT_MS);
        Out.check(done.await(TIMEOUT_MS * 2, TimeUnit.MILLISECONDS), "the callback was never called");
        Out.same("reply to later", got.get(), "what the callback got");
    }

    /** Requests side by side: each gets its own reply. */
    private void many(DefaultMQProducer asker) throws Exception {
        int count = 200;
        Map<Integer, String> got = new ConcurrentHashMap<>();
        for (int n = 0; n < count; n++) {
            int number = n;
            asker.request(message("many " + n), new RequestCallback() {
                @Override
                public void onSuccess(Message reply) {
                    got.put(number, text(reply));
                }

                @Override
                public void onException(Throwable error) {
                    got.put(number, error.toString());
                }
            }, TIMEOUT_MS);
        }
        Session.await("all replies", () -> got.size() == count);
        for (int n = 0; n < count; n++) Out.same("reply to many " + n, got.get(n), "reply to one of many");
    }

    private void large(DefaultMQProducer asker) throws Exception {
        byte[] body = asker.request(message("" + LARGE), TIMEOUT_MS).getBody();
        Out.same(LARGE, body.length, "length of a large reply");
        for (byte b : body) Out.check(b == 'r', "a large reply came out changed");
    }

    private void inVain(DefaultMQProducer asker) throws Exception {
        try {
            asker.request(message(NO_REPLY), IN_VAIN_MS);
            throw new Out.Failed("a request got a reply that nobody sent");
        } catch (RequestTimeoutException e) {
            Session.await("the request", () -> unanswered.containsKey(NO_REPLY));
        }
    }

    /** Who replies learns that nobody waits any more. */
    private void gone(DefaultMQProducer asker) throws Exception {
        String body = NO_REPLY + ", asker gone";
        try {
            asker.request(message(body), IN_VAIN_MS);
            throw new Out.Failed("a request got a reply that nobody sent");
        } catch (RequestTimeoutException e) {
            asker.shutdown();
        }
        Session.await("the request", () -> unanswered.containsKey(body));
        MessageExt request = unanswered.get(body);
        String reason = "channel of <" + MessageUtil.getReplyToClient(request) + "> not found";
        Session.await("the broker to notice that the asker is gone", () -> {
            try {
                session.producer(false).send(MessageUtil.createReplyMessage(request, Ledger.utf8("late")), TIMEOUT_MS);
                throw new Out.Failed("a reply to nobody was taken");
            } catch (MQClientException e) {
                MQBrokerException cause = (MQBrokerException) e.getCause();
                Out.same(1, cause.getResponseCode(), "code of a reply to nobody");
                return cause.getErrorMessage().contains(reason);
            }
        });
    }

    /** Whether the reply to the first request lies in its topic, where its sender was told. */
    private void kept(boolean expected) throws Exception {
        SendResult result = sent.get("one");
        Out.same(expected, !"0".equals(result.getOffsetMsgId()), "the broker gave the reply a place");
        DefaultMQPullConsumer observer = session.pullConsumer("interop-observer");
        try {
            MessageQueue queue = result.getMessageQueue();
            Out.same(expected, observer.maxOffset(queue) > 0, "replies in " + queue);
            if (!expected) return;
            MessageExt kept = observer.pull(queue, "*", result.getQueueOffset(), 1).getMsgFoundList().get(0);
            Out.same("reply to one", text(kept), "reply in " + queue);
        } finally {
            observer.shutdown();
        }
    }
}
