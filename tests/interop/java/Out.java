import java.util.Map;

/** Prints one JSON object a line, and fails a command by throwing. */
final class Out {
    /** A check that did not hold; its message names what was expected and what came. */
    static final class Failed extends RuntimeException {
        Failed(String message) {
            super(message);
        }
    }

    private Out() {
    }

    /** Prints {"what": what, name: value, ...} from alternating names and values. */
    static synchronized void line(String what, Object... namesAndValues) {
        StringBuilder text = new StringBuilder("{\"what\":").append(quote(what));
        for (int i = 0; i < namesAndValues.length; i += 2) {
            text.append(',').append(quote(namesAndValues[i].toString())).append(':').append(json(namesAndValues[i + 1]));
        }
        System.out.println(text.append('}'));
        System.out.flush();
    }

    static void check(boolean holds, String message) {
        if (!holds) throw new Failed(message);
    }

    static void same(Object expected, Object actual, String what) {
        boolean equal = expected == null ? actual == null : expected.equals(actual);
        if (!equal) throw new Failed(what + ": expected " + expected + ", got " + actual);
    }

    private static String json(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) return String.valueOf(value);
        if (value instanceof Map) {
            StringBuilder text = new StringBuilder("{");
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                if (text.length() > 1) text.append(',');
                text.append(quote(String.valueOf(entry.getKey()))).append(':').append(json(entry.getValue()));
            }
            return text.append('}').toString();
        }
        return quote(value.toString());
    }

    static String quote(String value) {
        StringBuilder text = new StringBuilder("\"");
        for (char c : value.toCharArray()) {
            if (c == '"' || c == '\\') text.append('\\').append(c);
            else if (c < ' ') text.append(String.format("\\u%04x", (int) c));
            else text.append(c);
        }
        return text.append('"').toString();
    }
}
