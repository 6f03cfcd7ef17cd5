package fakemq_test

import (
	"fmt"
	"log"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// A group with two processes falls behind; then one broker stops answering one
// of the requests.
func Example() {
	mq, err := fakemq.Start(fakemq.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer mq.Close()

	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	check(mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 2}))
	check(mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}))
	for _, instance := range []string{"one", "two"} {
		_, err := mq.AddConsumer("billing", fakemq.Consumer{IP: "10.0.0.7", Instance: instance})
		check(err)
	}
	check(mq.Produce("orders", 100))
	_, err = mq.Consume("billing", "orders", 40)
	check(err)

	mq.Broker("broker-a").Inject(fakemq.Fault{
		Code:   remoting.GetConsumeStats,
		Effect: fakemq.Refuse(remoting.SystemBusy, "too many requests"),
	})

	for _, row := range mq.Backlog() {
		fmt.Println(row.Topic, row.Queue, row.ClientID, row.Backlog)
	}
	// Output:
	// %RETRY%billing 0 10.0.0.7@one 0
	// orders 0 10.0.0.7@one 30
	// orders 1 10.0.0.7@two 30
}
