import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;

/** Transactions as the client of 4.1 writes them: an executer for each, and a listener for the broker's questions. */
final class TransactionExecuting extends Transactions {
    TransactionExecuting(String group) {
        super(group);
        producer.setTransactionCheckListener(Transactions::checked);
    }

    @Override
    TransactionSendResult send(Message message) throws Exception {
        return producer.sendMessageInTransaction(message, (sent, argument) -> planned(sent), null);
    }
}
