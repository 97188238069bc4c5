import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** The few places where the clients differ in what a program has to write. */
final class Compat {
    private Compat() {
    }

    /** Calls a program that is compiled only where the client has what it needs. */
    static void call(String type, String method, Session session, String[] args) throws Exception {
        invoke(Class.forName(type).getDeclaredMethod(method, Session.class, String[].class), null, session, args);
    }

    /** Makes an object of the first of these types that the client has what it needs for. */
    static <T> T make(Class<T> kind, String[] types, String argument) throws Exception {
        for (String type : types) {
            try {
                return kind.cast(Class.forName(type).getDeclaredConstructor(String.class).newInstance(argument));
            } catch (ClassNotFoundException e) {
                // Not compiled for this client.
            }
        }
        throw new ClassNotFoundException(String.join(", ", types));
    }

    /** 5.x asks for a map of topic attributes too. */
    static void createTopic(DefaultMQProducer producer, String key, String topic, int queues) throws Exception {
        try {
            Method older = DefaultMQProducer.class.getMethod("createTopic", String.class, String.class, int.class);
            invoke(older, producer, key, topic, queues);
        } catch (NoSuchMethodException e) {
            Method newer = DefaultMQProducer.class.getMethod("createTopic", String.class, String.class, int.class, Map.class);
            invoke(newer, producer, key, topic, queues, null);
        }
    }

    /** Calls a setter of an enum that 5.x has moved to another package. */
    static void setEnum(Object target, String setter, String constant) throws Exception {
        for (Method method : target.getClass().getMethods()) {
            if (!method.getName().equals(setter)) continue;
            for (Object value : method.getParameterTypes()[0].getEnumConstants()) {
                if (((Enum<?>) value).name().equals(constant)) invoke(method, target, value);
            }
        }
    }

    /** Calls a setter that old clients lack. */
    static void setIfThere(Object target, String setter, int value) {
        try {
            target.getClass().getMethod(setter, int.class).invoke(target, value);
        } catch (ReflectiveOperationException e) {
            // It does without.
        }
    }

    private static void invoke(Method method, Object target, Object... args) throws Exception {
        try {
            method.invoke(target, args);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exception) throw (Exception) e.getCause();
            throw e;
        }
    }
}
