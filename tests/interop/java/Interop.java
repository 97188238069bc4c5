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
            case "create-topic":
                Topics.create(session, args[0], args[1], Integer.parseInt(args[2]),
                    args.length > 3 ? Integer.parseInt(args[3]) : 0);
                break;
            case "create-topic-by-client": Topics.createByClient(session, args[0], Integer.parseInt(args[1])); break;
            case "auto-create-topic": Topics.autoCreate(session, args[0]); break;
            case "admin-clients": Compat.call("AdminClients", "run", session, args); break;
            case "admin-tool": Compat.call("AdminTool", "run", session, args); break;
            case "mqadmin": Compat.call("MqAdmin", "run", session, args); break;
            case "mqadmin-endless": Compat.call("MqAdmin", "endless", session, args); break;
            case "mqadmin-list": Compat.call("MqAdmin", "list", session, args); break;
            case "acl": Compat.call("AccessControl", "run", session, args); break;
            case "send": Sending.sendAll(session, args[0], Boolean.parseBoolean(args[1])); break;
            case "consume-filtered": Consuming.filtered(session, args[0], args[1], Boolean.parseBoolean(args[2])); break;
            case "consume-all": Consuming.everything(session, args[0], args[1], Boolean.parseBoolean(args[2])); break;
            case "consume-without-master": Consuming.withoutMaster(session, args[0], args[1]); break;
            case "pull": Pulling.run(session, args[0], args[1]); break;
            case "lite-pull": Compat.call("LitePulling", "run", session, args); break;
            case "lite-pull-places": Compat.call("LitePulling", "places", session, args); break;
            case "pull-after-retention": Pulling.afterRetention(session, args[0], args[1]); break;
            case "ask": Asking.ask(session, args); break;
            case "post-to":
                Asking.post(session, args[0], args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3]),
                    Integer.parseInt(args[4]), args[5]);
                break;
            case "hold-pulls":
                Asking.hold(session, args[0], args[1], args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4]));
                break;
            case "start-transactions": Transactions.start(session, args[0]); break;
            case "stop-transactions": Transactions.stop(args[0]); break;
            case "transactions": Transactions.run(session, args); break;
            case "transaction-checks": Transactions.checks(); break;
            case "read-topic": Transactions.read(session, args[0], args.length > 1 ? args[1] : null); break;
            case "resume": Groups.resume(session, args[0], args[1]); break;
            case "share": Groups.share(session, args[0], args[1]); break;
            case "retry": Retrying.run(session, args[0], args[1], args[2]); break;
            case "retry-in-order": Retrying.inOrder(session, args[0], args[1], args[2]); break;
            case "send-back-refusals": Retrying.refusals(session, args[0], args[1], args[2], args[3]); break;
            case "mixed": MixedMembers.run(session, args); break;
            case "join": Members.join(session, args); break;
            case "leave": Members.leave(args[0]); break;
            case "subscribe": Members.subscribe(args[0], args[1], args[2]); break;
            case "unsubscribe": Members.unsubscribe(args[0], args[1]); break;
            case "persist": Members.persist(args[0]); break;
            case "await-queues": Members.awaitQueues(args[0], args[1], Integer.parseInt(args[2])); break;
            case "post": Members.post(session, args); break;
            case "got": Members.got(args); break;
            case "update-group": Members.updateGroup(session, args); break;
            case "pull-code": Members.pullCode(session, args[0], args[1], args[2], args[3]); break;
            case "ordered-locks": Ordered.locks(session, args[0], args[1], args[2], Long.parseLong(args[3])); break;
            case "ordered-share": Ordered.share(session, args[0], args[1]); break;
            case "ordered-suspend": Ordered.suspend(session, args[0], args[1]); break;
            case "ordered-join": Ordered.join(session, args[0], args[1], Integer.parseInt(args[2])); break;
            case "ordered-await-queues": Ordered.awaitQueues(args[0], Integer.parseInt(args[1])); break;
            case "ordered-post": Ordered.post(session, args[0], Integer.parseInt(args[1]), Integer.parseInt(args[2])); break;
            case "ordered-await": Ordered.awaitSeen(Integer.parseInt(args[0]), Integer.parseInt(args[1])); break;
            case "ordered-leave": Ordered.leave(); break;
            case "order-topic": Compat.call("OrderTopic", "run", session, args); break;
            case "request-reply": Compat.call("Requesting", "run", session, args); break;
            case "trace": Compat.call("Tracing", "run", session, args); break;
            case "trace-post": Compat.call("Tracing", "post", session, args); break;
            case "send-to-system-topics": Compat.call("SystemTopics", "send", session, args); break;
            case "offset-moved": Compat.call("SystemTopics", "offsetMoved", session, args); break;
            case "delay-send": Delaying.send(session, args[0], Integer.parseInt(args[1]), Delaying.ints(args, 2)); break;
            case "delay-receive": Delaying.receive(session, args[0], Delaying.ints(args, 1)); break;
            case "delay-filtered": Delaying.filtered(session, args[0], args[1]); break;
            case "delay-levels": Delaying.levels(session, args[0], args[1], Delaying.ints(args, 2)); break;
            case "delay-illegal": Delaying.illegal(session, args[0], args[1]); break;
            case "delay-offsets": Delaying.offsets(session, args[0]); break;
            case "errors": Errors.run(session, args[0], args[1], args[2]); break;
            case "fill": StoreCheck.fill(session, args[0], Integer.parseInt(args[1]), Integer.parseInt(args[2])); break;
            case "commit-offsets": StoreCheck.commit(session, args[0], args[1], Long.parseLong(args[2])); break;
            case "read-store": StoreCheck.read(session, args[0]); break;
            case "find-by-key":
                StoreCheck.findByKey(session, args[0], Integer.parseInt(args[1]), Integer.parseInt(args[2]));
                break;
            case "sql-evaluate": Compat.call("SqlEvaluate", "run", session, args); break;
            case "find-by-keys": Finding.byKey(session, args[0]); break;
            case "find-by-key-and-time": Finding.byKeyAndTime(session, args[0]); break;
            case "find-by-id": Finding.byId(session, args[0]); break;
            case "filtering": Filtering.run(session, args); break;
            case "filter-by-pull": Compat.call("FilteringByPull", "run", session, args); break;
            case "find-delayed": Finding.delayed(session, args[0]); break;
            case "find-by-time": Finding.byTime(session, args[0], args[1]); break;
            case "figures-use": Compat.call("Figures", "use", session, args); break;
            case "figures-view": Compat.call("Figures", "view", session, args); break;
            case "figures-view-none": Compat.call("Figures", "viewNone", session, args); break;
            case "figures-runtime": Compat.call("Figures", "runtime", session, args); break;
            case "figures-places": Compat.call("Figures", "places", session, args); break;
            case "figures-entries": Compat.call("Figures", "entries", session, args); break;
            case "flood": Flooding.run(session, args[0], args[1]); break;
            case "sdk-send-by-key": Compat.call("SdkPeers", "sendByKey", session, args); break;
            case "sdk-reply": Compat.call("SdkPeers", "reply", session, args); break;
            case "sdk-ask": Compat.call("SdkPeers", "ask", session, args); break;
            case "sdk-traces": Compat.call("SdkPeers", "traces", session, args); break;
            default: throw new Out.Failed("unknown command " + command);
        }
    }
}
