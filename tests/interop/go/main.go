// Sends and receives through the official Go client. Arguments: host:port of the nameserver and of the master.
// Prints a line for each subject and a last OK; whatever is not as it should be ends it with a panic.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const (
	plainTopic   = "Interop-go"
	orderedTopic = "Interop-go-ordered"
	otherTopic   = "Interop-go-other"
	retryGroup   = "interop-go-retry"
	orderedKeys  = 4
	orderedEach  = 25
	// The delay of level 1, as the test sets it.
	delayMs = 1000
)

var (
	ctx        = context.Background()
	resolver   primitive.NsResolver
	everything = consumer.MessageSelector{}
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(ok bool, format string, values ...any) {
	if !ok {
		panic(fmt.Sprintf(format, values...))
	}
}

// A push consumer whose messages are read one after the other.
type inbox struct {
	group    string
	consumer rocketmq.PushConsumer
	messages chan *primitive.MessageExt
}

// subscribe starts a consumer. Those messages for which again is true are refused, and not put into the inbox.
func subscribe(group, topic string, selector consumer.MessageSelector, again func(*primitive.MessageExt) bool,
	refusal consumer.ConsumeResult, options ...consumer.Option) *inbox {
	options = append(options, consumer.WithNsResolver(resolver), consumer.WithGroupName(group),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	c, err := rocketmq.NewPushConsumer(options...)
	must(err)
	in := &inbox{group, c, make(chan *primitive.MessageExt, 1000)}
	must(c.Subscribe(topic, selector,
		func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
			for _, m := range messages {
				if again != nil && again(m) {
					return refusal, nil
				}
				in.messages <- m
			}
			return consumer.ConsumeSuccess, nil
		}))
	must(c.Start())
	return in
}

// take waits for as many messages as there are bodies, and wants exactly these bodies, in any order.
func (in *inbox) take(want ...string) []*primitive.MessageExt {
	var messages []*primitive.MessageExt
	var bodies []string
	for range want {
		m := <-in.messages
		messages = append(messages, m)
		bodies = append(bodies, string(m.Body))
	}
	slices.Sort(bodies)
	slices.Sort(want)
	check(slices.Equal(bodies, want), "%s received %q instead of %q", in.group, bodies, want)
	return messages
}

// close wants that nothing more has come.
func (in *inbox) close() {
	must(in.consumer.Shutdown())
	check(len(in.messages) == 0, "%s received %d messages more than were sent", in.group, len(in.messages))
	fmt.Println("done", in.group)
}

func message(topic, body, tag string) *primitive.Message {
	return primitive.NewMessage(topic, []byte(body)).WithTag(tag)
}

func sendSync(p rocketmq.Producer, messages ...*primitive.Message) {
	result, err := p.SendSync(ctx, messages...)
	must(err)
	check(result.Status == primitive.SendOK, "sent: %s", result)
}

// sendAndFilter sends in each way; the topic has one queue, and both filters let its last message through.
func sendAndFilter(p rocketmq.Producer) {
	large := "large " + strings.Repeat("x", 100000) // is compressed
	must(p.SendOneWay(ctx, message(plainTopic, "one-way", "A")))
	sent := make(chan error)
	must(p.SendAsync(ctx, func(_ context.Context, _ *primitive.SendResult, err error) { sent <- err },
		message(plainTopic, "async", "B")))
	must(<-sent)
	sendSync(p, message(plainTopic, large, "A"))
	sendSync(p, message(plainTopic, "not for the filter", "C"))
	var batch []*primitive.Message
	for n := range 6 {
		m := message(plainTopic, fmt.Sprintf("batch %d", n), []string{"A", "C"}[n%2])
		m.WithProperty("n", fmt.Sprint(n))
		batch = append(batch, m)
	}
	sendSync(p, batch...)
	last := message(plainTopic, "sync: Grüße, 世界 🚀", "B")
	last.WithProperty("n", "9")
	sendSync(p, last)

	byTag := subscribe("interop-go-tag", plainTopic,
		consumer.MessageSelector{Type: consumer.TAG, Expression: "A || B"}, nil, 0)
	byTag.take("one-way", "async", large, "batch 0", "batch 2", "batch 4", string(last.Body))
	byTag.close()
	bySQL := subscribe("interop-go-sql", plainTopic,
		consumer.MessageSelector{Type: consumer.SQL92, Expression: "n BETWEEN 3 AND 4 OR n > 5 AND TAGS <> 'C'"}, nil, 0)
	bySQL.take("batch 3", "batch 4", string(last.Body))
	bySQL.close()
}

// keepOrder refuses one message of each queue once: those after it must wait.
func keepOrder(p rocketmq.Producer) {
	for n := range orderedKeys * orderedEach {
		m := message(orderedTopic, fmt.Sprint(n/orderedKeys), "A").WithShardingKey(fmt.Sprint("key", n%orderedKeys))
		sendSync(p, m)
	}
	in := subscribe("interop-go-ordered", orderedTopic, everything,
		func(m *primitive.MessageExt) bool { return string(m.Body) == "7" && m.ReconsumeTimes == 0 },
		consumer.SuspendCurrentQueueAMoment, consumer.WithConsumerOrder(true),
		consumer.WithSuspendCurrentQueueTimeMillis(100*time.Millisecond))
	next := map[string]int{}
	lastOffset := map[int]int64{}
	for range orderedKeys * orderedEach {
		m := <-in.messages
		key, queue := m.GetShardingKey(), m.Queue.QueueId
		check(string(m.Body) == fmt.Sprint(next[key]), "%s is at %d, received %s", key, next[key], m.Body)
		next[key]++
		before, known := lastOffset[queue]
		check(!known || m.QueueOffset == before+1, "queue %d: %d comes after %d", queue, m.QueueOffset, before)
		lastOffset[queue] = m.QueueOffset
	}
	check(len(next) == orderedKeys, "keys: %v", next)
	in.close()
}

func delayAndRetry(p rocketmq.Producer) {
	var refused atomic.Int32
	in := subscribe(retryGroup, otherTopic, everything, func(m *primitive.MessageExt) bool {
		again := string(m.Body) == "again" && m.ReconsumeTimes < 2
		if again {
			refused.Add(1)
		}
		return again
	}, consumer.ConsumeRetryLater)
	sendSync(p, message(otherTopic, "again", "A"))
	sendSync(p, message(otherTopic, "delayed", "A").WithDelayTimeLevel(1))
	for _, m := range in.take("again", "delayed") {
		if string(m.Body) == "again" {
			check(m.ReconsumeTimes == 2 && refused.Load() == 2, "came back %d times", m.ReconsumeTimes)
			check(m.Topic == otherTopic, "came back with topic %s", m.Topic)
		} else {
			check(m.StoreTimestamp-m.BornTimestamp >= delayMs, "delivered at %d, sent at %d", m.StoreTimestamp, m.BornTimestamp)
		}
	}
	in.close()
}

// Decides at once, or (asked-…) when the broker asks.
type decider struct{ asked chan string }

func decide(body []byte) primitive.LocalTransactionState {
	if strings.HasSuffix(string(body), "commit") {
		return primitive.CommitMessageState
	}
	return primitive.RollbackMessageState
}

func (d decider) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	if strings.HasPrefix(string(m.Body), "asked") {
		return primitive.UnknowState
	}
	return decide(m.Body)
}

func (d decider) CheckLocalTransaction(m *primitive.MessageExt) primitive.LocalTransactionState {
	d.asked <- string(m.Body)
	return decide(m.Body)
}

// sendInTransactions has a connection of its own (an instance), since only the producer that opens one is asked. It is
// opened before the consumer's start, which tells the broker of both.
func sendInTransactions() {
	const instance = "transactions"
	d := decider{make(chan string, 100)}
	p, err := rocketmq.NewTransactionProducer(d, producer.WithNsResolver(resolver),
		producer.WithGroupName("interop-go-transactions"), producer.WithInstanceName(instance))
	must(err)
	must(p.Start())
	in := subscribe("interop-go-committed", otherTopic,
		consumer.MessageSelector{Type: consumer.TAG, Expression: "transaction"}, nil, 0,
		consumer.WithInstance(instance))
	for _, plan := range []string{"rollback", "commit", "asked-rollback", "asked-commit"} {
		result, err := p.SendMessageInTransaction(ctx, message(otherTopic, plan, "transaction"))
		must(err)
		check(result.Status == primitive.SendOK, "sent: %s", result)
	}
	in.take("commit", "asked-commit")
	// On a slow machine the broker may ask about those that ended at once, too.
	asked := map[string]bool{}
	for !asked["asked-rollback"] || !asked["asked-commit"] {
		asked[<-d.asked] = true
	}
	in.close()
	must(p.Shutdown())
}

func main() {
	rlog.SetLogLevel("warn")
	time.AfterFunc(3*time.Minute, func() {
		fmt.Println("FAIL not done after three minutes")
		os.Exit(1)
	})
	resolver = primitive.NewPassthroughResolver([]string{os.Args[1]})
	topics, err := admin.NewAdmin(admin.WithResolver(resolver))
	must(err)
	// The client looks for new retry topics every 30 s only; this one is there from the start.
	for topic, queues := range map[string]int{plainTopic: 1, orderedTopic: orderedKeys, otherTopic: 1, "%RETRY%" + retryGroup: 1} {
		must(topics.CreateTopic(ctx, admin.WithTopicCreate(topic), admin.WithBrokerAddrCreate(os.Args[2]),
			admin.WithReadQueueNums(queues), admin.WithWriteQueueNums(queues)))
	}
	p, err := rocketmq.NewProducer(producer.WithNsResolver(resolver), producer.WithGroupName("interop-go-producer"),
		producer.WithQueueSelector(producer.NewHashQueueSelector()))
	must(err)
	must(p.Start())
	sendAndFilter(p)
	keepOrder(p)
	delayAndRetry(p)
	sendInTransactions()
	must(p.Shutdown())
	must(topics.Close())
	fmt.Println("OK")
}
