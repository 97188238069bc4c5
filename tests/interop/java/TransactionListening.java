import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Transactions as clients from 4.3 on write them: one listener for the local transaction and the broker's questions. */
final class TransactionListening extends Transactions {
    TransactionListening(String group) {
        super(group);
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                return planned(message);
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                return checked(message);
            }
        });
    }

    @Override
    TransactionSendResult send(Message message) throws Exception {
        return producer.sendMessageInTransaction(message, null);
    }
}
