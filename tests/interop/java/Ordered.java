import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Consumers that take a queue in order, and the locks by which they have it for themselves. */
final class Ordered {
    private static final int LOCK = 41;
    private static final int UNLOCK = 42;
    private static final int UPDATE_GROUP = 200;

    /** Members that stay from one command to the next, all with one watch. */
    private static final List<DefaultMQPushConsumer> members = new ArrayList<>();
    private static Watch watch = new Watch();

    private Ordered() {
    }

    /** What the members of this process see: who is in a queue, and which messages came from it. */
    private static final class Watch {
        private final Map<Integer, String> inside = new TreeMap<>();
        private final Map<Integer, List<Integer>> seen = new TreeMap<>();
        private final Map<String, Integer> counts = new TreeMap<>();
        private final List<String> faults = new ArrayList<>();

        synchronized void enter(String name, int queueId) {
            String other = inside.put(queueId, name);
            if (other != null) faults.add(name + " entered queue " + queueId + " while " + other + " was in it");
        }

        /** A message may come again after its queue went to another member, but none may be left out. */
        synchronized void leave(String name, int queueId, int number) {
            inside.remove(queueId);
            counts.merge(name, 1, Integer::sum);
            List<Integer> numbers = seen.computeIfAbsent(queueId, key -> new ArrayList<>());
            if (!numbers.isEmpty() && number > numbers.get(numbers.size() - 1) + 1) {
                faults.add("queue " + queueId + ": " + number + " came after " + numbers.get(numbers.size() - 1));
            }
            numbers.add(number);
        }

        synchronized int count(String name) {
            return counts.getOrDefault(name, 0);
        }

        /** Whether this message came from so many queues. */
        synchronized boolean reached(int number, int queues) {
            int found = 0;
            for (List<Integer> numbers : seen.values()) found += numbers.contains(number) ? 1 : 0;
            return found == queues;
        }

        synchronized void verify() {
            Out.check(faults.isEmpty(), faults.toString());
        }
    }

    private static DefaultMQPushConsumer member(Session session, String topic, String group, String name) throws Exception {
        Watch watch = Ordered.watch;
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            for (MessageExt message : messages) {
                watch.enter(name, message.getQueueId());
                try {
                    Thread.sleep(2);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                watch.leave(name, message.getQueueId(), number(message));
            }
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        return consumer;
    }

    private static int number(MessageExt message) {
        return Integer.parseInt(new String(message.getBody(), StandardCharsets.UTF_8));
    }

    /** Messages of these numbers to every queue. */
    static void post(Session session, String topic, int from, int to) throws Exception {
        DefaultMQProducer producer = session.producer(false);
        for (int number = from; number < to; number++) {
            for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
                producer.send(new Message(topic, Ledger.utf8("" + number)), queue);
            }
        }
    }

    /** A second member comes and leaves while both have work. The topic has 4 queues. */
    static void share(Session session, String topic, String group) throws Exception {
        watch = new Watch();
        post(session, topic, 0, 100);
        DefaultMQPushConsumer one = member(session, topic, group, "one");
        try {
            Session.await("work of the first member", () -> watch.count("one") > 20);
            DefaultMQPushConsumer two = member(session, topic, group, "two");
            try {
                Groups.awaitQueues(one, topic, 2);
                Groups.awaitQueues(two, topic, 2);
                post(session, topic, 100, 200);
                Session.await("work of the second member", () -> watch.count("two") > 20);
            } finally {
                two.shutdown();
            }
            Groups.awaitQueues(one, topic, 4);
            post(session, topic, 200, 220);
            Session.await("the last message of each queue", () -> watch.reached(219, 4));
        } finally {
            one.shutdown();
        }
        watch.verify();
        Out.line("shared in order", "one", watch.count("one"), "two", watch.count("two"));
    }

    /** A queue that is suspended tries its message again before any other; the other queue goes on. 2 queues. */
    static void suspend(Session session, String topic, String group) throws Exception {
        List<String> seen = new ArrayList<>();
        Watch watch = new Watch();
        DefaultMQPushConsumer consumer = session.pushConsumer(group, false);
        consumer.setSuspendCurrentQueueTimeMillis(100);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            for (MessageExt message : messages) {
                boolean stuck = message.getQueueId() == 0 && number(message) == 2 && message.getReconsumeTimes() < 3;
                if (message.getQueueId() == 0) {
                    synchronized (seen) {
                        seen.add(number(message) + "/" + message.getReconsumeTimes());
                    }
                }
                if (stuck) return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
                watch.leave("one", message.getQueueId(), number(message));
            }
            return ConsumeOrderlyStatus.SUCCESS;
        });
        post(session, topic, 0, 5);
        consumer.start();
        try {
            Session.await("the last message of both queues", () -> watch.reached(4, 2));
        } finally {
            consumer.shutdown();
        }
        watch.verify();
        Out.same(Arrays.asList("0/0", "1/0", "2/0", "2/1", "2/2", "2/3", "3/0", "4/0"), seen, "messages of the stuck queue");
    }

    /** A member that stays, here or in another process, until it is killed or its group is left. */
    static void join(Session session, String topic, String group, int queues) throws Exception {
        DefaultMQPushConsumer consumer = member(session, topic, group, group + members.size());
        members.add(consumer);
        Groups.awaitQueues(consumer, topic, queues);
    }

    static void awaitQueues(String topic, int queues) throws Exception {
        for (DefaultMQPushConsumer consumer : members) Groups.awaitQueues(consumer, topic, queues);
    }

    /** Waits until the members here have this message of so many queues, and checks all that they saw. */
    static void awaitSeen(int number, int queues) throws Exception {
        Session.await("message " + number + " of " + queues + " queues", () -> watch.reached(number, queues));
        watch.verify();
    }

    static void leave() {
        for (DefaultMQPushConsumer consumer : members) consumer.shutdown();
        members.clear();
        watch = new Watch();
    }

    /** Locks as clients ask for them: one owner, who renews and gives up, and who loses a lock that he does not renew. */
    static void locks(Session session, String broker, String topic, String group, long liveMs) throws Exception {
        Out.same(0, session.ask(broker, UPDATE_GROUP, Ledger.utf8("{\"groupName\":\"" + group + "\"}")).getCode(), "group");
        Locks one = new Locks(session, broker, topic, group, "one");
        Locks two = new Locks(session, broker, topic, group, "two");
        Out.same("[0, 1]", one.lock(0, 1), "free queues");
        Out.same("[2]", two.lock(1, 2), "one queue of another and one free one");
        Out.same("[0, 1]", one.lock(0, 1, 2), "own queues and one of another");
        two.unlock(0, 1);
        Out.same("[]", two.lock(0, 1), "queues that a stranger unlocked");
        one.unlock(0);
        Out.same("[0]", two.lock(0, 1), "a queue that its owner unlocked");
        Out.same("[]", one.lock(), "no queues");
        long renewed = System.nanoTime();
        Out.same("[1]", one.lock(1), "a renewed lock");
        Session.await("a lock to expire", () -> two.lock(1).equals("[1]"));
        long lived = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - renewed);
        // The broker may have a clock of its own.
        Out.check(lived >= liveMs - 100, "the lock lived only " + lived + " ms");
        Out.same("[]", one.lock(1), "a queue that another took after expiry");
    }

    /** The requests of one client. */
    private static final class Locks {
        private static final Pattern QUEUE = Pattern.compile("\"queueId\":(\\d+)");
        private final Session session;
        private final String broker;
        private final String start;
        private final String topic;

        Locks(Session session, String broker, String topic, String group, String clientId) {
            this.session = session;
            this.broker = broker;
            this.topic = topic;
            this.start = "{\"clientId\":\"" + clientId + "\",\"consumerGroup\":\"" + group + "\",\"mqSet\":";
        }

        private RemotingCommand ask(int code, int... queues) throws Exception {
            List<String> items = new ArrayList<>();
            for (int queue : queues) {
                items.add("{\"brokerName\":\"broker-a\",\"queueId\":" + queue + ",\"topic\":\"" + topic + "\"}");
            }
            RemotingCommand answer = session.ask(broker, code, Ledger.utf8(start + "[" + String.join(",", items) + "]}"));
            Out.same(0, answer.getCode(), "code of " + code);
            return answer;
        }

        /** The queues that are the client's then. */
        String lock(int... queues) throws Exception {
            Matcher found = QUEUE.matcher(new String(ask(LOCK, queues).getBody(), StandardCharsets.UTF_8));
            TreeSet<Integer> locked = new TreeSet<>();
            while (found.find()) locked.add(Integer.parseInt(found.group(1)));
            return locked.toString();
        }

        void unlock(int... queues) throws Exception {
            ask(UNLOCK, queues);
        }
    }
}
