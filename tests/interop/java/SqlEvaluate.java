import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.broker.filter.MessageEvaluationContext;
import org.apache.rocketmq.common.filter.ExpressionType;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.Expression;

/** What RocketMQ's own filter says of expressions and properties. */
final class SqlEvaluate {
    private SqlEvaluate() {
    }

    /**
     * Arguments: a file with one expression a line, each followed by texts of properties, all in Base64; and the file for
     * the answers: for each line "R" when the expression is refused, else one letter for each text: T, F, N for true,
     * false and unknown, X when the evaluation throws.
     */
    static void run(Session session, String[] args) throws Exception {
        List<String> answers = new ArrayList<>();
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] words = line.split(" ", -1);
            answers.add(answer(decode(words[0]), words));
        }
        Files.write(Paths.get(args[1]), answers);
        Out.line("evaluated", "expressions", answers.size());
    }

    private static String answer(String text, String[] words) {
        Expression expression;
        try {
            expression = FilterFactory.INSTANCE.get(ExpressionType.SQL92).compile(text);
        } catch (Throwable e) {
            return "R";
        }
        StringBuilder letters = new StringBuilder();
        for (int i = 1; i < words.length; i++) {
            Map<String, String> properties = MessageDecoder.string2messageProperties(decode(words[i]));
            letters.append(letter(expression, new MessageEvaluationContext(properties)));
        }
        return letters.toString();
    }

    private static char letter(Expression expression, MessageEvaluationContext context) {
        try {
            Object truth = expression.evaluate(context);
            return truth == null ? 'N' : (Boolean) truth ? 'T' : 'F';
        } catch (Throwable e) {
            return 'X';
        }
    }

    private static String decode(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }
}
