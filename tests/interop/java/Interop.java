import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * A shell for the tests: reads commands from standard input, one a line, and answers each with JSON lines and a last
 * line `OK` or `FAIL reason`. One JVM runs many commands, since its start is what costs most.
 *
 * Arguments: host:port of a nameserver. The commands are in run().
 */
public final class Interop {
    private Interop() {
    }

    public static void main(String[] args) throws Exception {
        Session session = new Session(args[0]);
        Out.line("ready", "serialization", RemotingCommand.getSerializeTypeConfigInThisServer());
        System.out.println("OK");
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.trim().split(" +");
            try {
                run(session, words[0], Arrays.copyOfRange(words, 1, words.length));
                System.out.println("OK");
            } catch (Throwable error) {
                if (!(error instanceof Out.Failed)) error.printStackTrace();
                System.out.println("FAIL " + error.toString().replace('\n', ' '));
            }
            System.out.flush();
        }
        System.exit(0);
    }

    private static void run(Session session, String command, String[] args) throws Exception {
        switch (command) {
            case "create-topic": Topics.create(session, args[0], args[1], Integer.parseInt(args[2])); break;
            case "create-topic-by-client": Topics.createByClient(session, args[0], Integer.parseInt(args[1])); break;
            case "auto-create-topic": Topics.autoCreate(session, args[0]); break;
            case "admin-tool": Compat.call("AdminTool", "run", session, args); break;
            case "send": Sending.sendAll(session, args[0], Boolean.parseBoolean(args[1])); break;
            case "consume-filtered": Consuming.filtered(session, args[0], args[1], Boolean.parseBoolean(args[2])); break;
            case "consume-all": Consuming.everything(session, args[0], args[1], Boolean.parseBoolean(args[2])); break;
            case "pull": Pulling.run(session, args[0], args[1]); break;
            case "lite-pull": Compat.call("LitePulling", "run", session, args); break;
            case "resume": Groups.resume(session, args[0], args[1]); break;
            case "share": Groups.share(session, args[0], args[1]); break;
            case "errors": Errors.run(session, args[0], args[1], args[2]); break;
            case "fill": StoreCheck.fill(session, args[0], Integer.parseInt(args[1]), Integer.parseInt(args[2])); break;
            case "commit-offsets": StoreCheck.commit(session, args[0], args[1], Long.parseLong(args[2])); break;
            case "read-store": StoreCheck.read(session, args[0]); break;
            case "find-by-key": StoreCheck.findByKey(session, args[0], Integer.parseInt(args[1])); break;
            default: throw new Out.Failed("unknown command " + command);
        }
    }
}
            case "sql-evaluate": Compat.call("SqlEvaluate", "run", session, args); break;
