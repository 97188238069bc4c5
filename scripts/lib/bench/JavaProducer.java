import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * The official producer under load: `JavaProducer NAMESERVER TOPIC IN_FLIGHT BODY_BYTES`. For each line `sync SECONDS` or
 * `async SECONDS` of standard input it sends for that long, and prints one line of JSON; see our_producer.ts.
 */
public final class JavaProducer {
    private static final int MICROSECONDS_MAX = 1_000_000;

    private final DefaultMQProducer producer = new DefaultMQProducer("bench_java");
    private final String topic;
    private final int inFlight;
    private final byte[] body;
    private AtomicLong answered;
    private AtomicLong failed;
    private AtomicIntegerArray latencies;

    private JavaProducer(String nameserver, String topic, int inFlight, int bodyBytes) throws Exception {
        this.topic = topic;
        this.inFlight = inFlight;
        this.body = new byte[bodyBytes];
        producer.setNamesrvAddr(nameserver);
        producer.start();
    }

    public static void main(String[] args) throws Exception {
        JavaProducer load = new JavaProducer(args[0], args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3]));
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            String[] order = line.split(" ");
            load.run(order[0].equals("async"), (long) (Double.parseDouble(order[1]) * 1e9));
        }
        load.producer.shutdown();
    }

    private void run(boolean async, long nanos) throws Exception {
        answered = new AtomicLong();
        failed = new AtomicLong();
        latencies = new AtomicIntegerArray(MICROSECONDS_MAX + 1);
        OperatingSystemMXBean machine = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = machine.getProcessCpuTime(), began = System.nanoTime();
        if (async) sendAsynchronously(began + nanos);
        else sendSynchronously(began + nanos);
        double seconds = (System.nanoTime() - began) / 1e9, cpuSeconds = (machine.getProcessCpuTime() - cpu) / 1e9;
        System.out.printf(
            java.util.Locale.ROOT,
            "{\"answered\":%d,\"failed\":%d,\"seconds\":%f,\"cpuSeconds\":%f,\"p50\":%f,\"p99\":%f}%n",
            answered.get(), failed.get(), seconds, cpuSeconds, quantile(0.5), quantile(0.99));
        System.out.flush();
    }

    /** As many threads as sends may be in flight, each of which waits for its answer. */
    private void sendSynchronously(long end) throws InterruptedException {
        Thread[] threads = new Thread[inFlight];
        for (int i = 0; i < inFlight; i++) {
            threads[i] = new Thread(() -> {
                while (System.nanoTime() < end) {
                    long began = System.nanoTime();
                    try {
                        count(began, producer.send(message()));
                    } catch (Exception error) {
                        failed.incrementAndGet();
                    }
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) thread.join();
    }

    /** One thread, which waits while too many are in flight. */
    private void sendAsynchronously(long end) throws Exception {
        Semaphore room = new Semaphore(inFlight);
        while (System.nanoTime() < end) {
            room.acquire();
            long began = System.nanoTime();
            producer.send(message(), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    count(began, result);
                    room.release();
                }

                @Override
                public void onException(Throwable error) {
                    failed.incrementAndGet();
                    room.release();
                }
            });
        }
        room.acquire(inFlight);
    }

    private Message message() {
        return new Message(topic, body);
    }

    private void count(long began, SendResult result) {
        if (result.getSendStatus() != SendStatus.SEND_OK) failed.incrementAndGet();
        else answered.incrementAndGet();
        latencies.incrementAndGet((int) Math.min(MICROSECONDS_MAX, (System.nanoTime() - began) / 1000));
    }

    private double quantile(double share) {
        double left = answered.get() * share;
        for (int at = 0; at <= MICROSECONDS_MAX; at++) {
            left -= latencies.get(at);
            if (left <= 0) return at / 1000.0;
        }
        return MICROSECONDS_MAX / 1000.0;
    }
}
