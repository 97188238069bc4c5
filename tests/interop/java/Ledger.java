import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** What was sent to a topic, and whether what arrived is just that. A message is known by its body, which is unique. */
final class Ledger {
    /** Names that the client or the broker adds, so that a receiver may see them although the sender never set them. */
    private static final Set<String> ADDED = new HashSet<>(java.util.Arrays.asList(
        "UNIQ_KEY", "WAIT", "MIN_OFFSET", "MAX_OFFSET", "CLUSTER", "MSG_REGION", "TRACE_ON", "CONSUME_START_TIME",
        "TAGS", "KEYS", "INSTANCE_ID"));

    private static final class Entry {
        String tags;
        String keys;
        int flag;
        Map<String, String> properties;
        String offsetMsgId;
        Integer queueId;
        Long queueOffset;
    }

    private final Map<String, Entry> sent = new LinkedHashMap<>();

    static String digest(byte[] body) {
        try {
            StringBuilder text = new StringBuilder();
            for (byte b : MessageDigest.getInstance("SHA-256").digest(body)) text.append(String.format("%02x", b));
            return text.toString();
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Before the send, since the client adds properties to the message (and may compress the body). */
    synchronized String add(Message message) {
        Entry entry = new Entry();
        entry.tags = message.getTags();
        entry.keys = message.getKeys();
        entry.flag = message.getFlag();
        entry.properties = user(message.getProperties());
        String id = digest(message.getBody());
        Out.check(sent.put(id, entry) == null, "the test sent the same body twice");
        return id;
    }

    /** Where the broker said it put the message. */
    synchronized void placed(String id, String offsetMsgId, int queueId, long queueOffset) {
        Entry entry = sent.get(id);
        entry.offsetMsgId = offsetMsgId;
        entry.queueId = queueId;
        entry.queueOffset = queueOffset;
    }

    synchronized int size() {
        return sent.size();
    }

    /** How many carry one of the tags; all for none. */
    synchronized int count(String... tags) {
        return wanted(tags).size();
    }

    private Set<String> wanted(String... tags) {
        Set<String> ids = new HashSet<>();
        for (Map.Entry<String, Entry> entry : sent.entrySet()) {
            boolean matches = tags.length == 0;
            for (String tag : tags) matches |= tag.equals(entry.getValue().tags);
            if (matches) ids.add(entry.getKey());
        }
        return ids;
    }

    /** Fails unless the received messages are those with the tags (all for none), each once and each unchanged. */
    synchronized void verify(List<MessageExt> received, String... tags) {
        Set<String> missing = wanted(tags);
        int expected = missing.size();
        Map<String, Integer> times = new HashMap<>();
        for (MessageExt message : received) {
            String name = name(message);
            String id = digest(message.getBody());
            Entry entry = sent.get(id);
            Out.check(entry != null, "received what nobody sent: " + name);
            Out.same(null, times.put(id, 1), "second receipt of " + name);
            Out.check(missing.remove(id), "received although filtered out: " + name);
            verify(entry, message, name);
        }
        List<String> tagsMissing = new ArrayList<>();
        for (String id : missing) tagsMissing.add(sent.get(id).properties + "/" + sent.get(id).tags);
        Collections.sort(tagsMissing);
        Out.check(missing.isEmpty(), missing.size() + " of " + expected + " never came: " + tagsMissing);
    }

    private static void verify(Entry entry, MessageExt message, String name) {
        Out.same(entry.tags, message.getTags(), "tags of " + name);
        Out.same(entry.keys, message.getKeys(), "keys of " + name);
        Out.same(entry.flag, message.getFlag(), "flag of " + name);
        Out.same(entry.properties, user(message.getProperties()), "properties of " + name);
        Out.same(0, message.getReconsumeTimes(), "reconsumeTimes of " + name);
        Out.same("127.0.0.1", ((java.net.InetSocketAddress) message.getStoreHost()).getAddress().getHostAddress(), "store host");
        Out.check(message.getStoreTimestamp() >= message.getBornTimestamp() - 1000, "stored before it was born: " + name);
        if (entry.queueId == null) return;
        Out.same(entry.queueId, message.getQueueId(), "queue of " + name);
        Out.same(entry.queueOffset, message.getQueueOffset(), "queue offset of " + name);
        if (entry.offsetMsgId != null) Out.same(entry.offsetMsgId, Sending.offsetMsgId(message), "offset message id");
    }

    /** Not toString() of the message: that writes out the body, megabytes of it. */
    private static String name(MessageExt message) {
        return message.getTopic() + " queue " + message.getQueueId() + " offset " + message.getQueueOffset();
    }

    private static Map<String, String> user(Map<String, String> properties) {
        Map<String, String> kept = new TreeMap<>();
        if (properties == null) return kept;
        for (Map.Entry<String, String> property : properties.entrySet()) {
            if (!ADDED.contains(property.getKey())) kept.put(property.getKey(), property.getValue());
        }
        return kept;
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
