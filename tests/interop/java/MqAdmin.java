import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.SubCommand;

/** mqadmin itself: runs its commands as its script does, and says what they print. */
final class MqAdmin extends MQAdminStartup {
    private MqAdmin() {
    }

    /** Says the name of every command. */
    static void list(Session session, String[] args) {
        subCommandList.clear();
        initCommand();
        for (SubCommand command : subCommandList) Out.line("command", "name", command.commandName());
    }

    /** COMMAND [OPTION...]: until it ends. */
    static void run(Session session, String[] args) throws Exception {
        try (Capture printed = new Capture()) {
            main(args);
            printed.report();
        }
    }

    /** LINES COMMAND [OPTION...]: a command that never ends, until it has printed so many lines. */
    static void endless(Session session, String[] args) throws Exception {
        int lines = Integer.parseInt(args[0]);
        try (Capture printed = new Capture()) {
            Thread thread = new Thread(() -> main(java.util.Arrays.copyOfRange(args, 1, args.length)));
            thread.start();
            Session.await(lines + " lines of " + args[1], () -> printed.text().split("\n", -1).length > lines);
            printed.report();
            thread.interrupt();
            thread.join();
        }
    }

    public static void main(String[] args) {
        // Commands keep clients that they have shut down: each run needs new ones, as in a process of its own.
        subCommandList.clear();
        main0(args, null);
    }

    /** Takes what is printed, as long as it is open. */
    private static final class Capture implements AutoCloseable {
        private final PrintStream out = System.out;
        private final PrintStream err = System.err;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private String reported;

        Capture() throws Exception {
            PrintStream both = new PrintStream(bytes, true, "UTF-8");
            System.setOut(both);
            System.setErr(both);
        }

        String text() throws Exception {
            return bytes.toString("UTF-8");
        }

        void report() throws Exception {
            reported = text();
        }

        @Override
        public void close() {
            System.setOut(out);
            System.setErr(err);
            if (reported != null) Out.line("printed", "text", reported);
        }
    }
}
