// Package fakemq is a fake RocketMQ for tests, demonstrations and load: name
// servers and brokers that answer the remoting protocol with the bytes of a
// real release, on ports of the loopback interface.
//
// One Cluster holds everything: the nodes, and the truth that they answer from
// (topics, queue offsets, consumer groups, commits, consumer processes). A
// test changes the truth with plain calls (Produce, Commit, KillConsumer,
// DeleteTopic, ...), makes nodes misbehave with faults, and asks Backlog for
// what an honest observer must find. Traffic keeps a cluster moving, and Demo
// is a ready scenario with one group of every kind.
//
//	mq, err := fakemq.Start(fakemq.Options{})
//	...
//	defer mq.Close()
//	mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 8})
//	mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}})
//	mq.AddConsumer("billing", fakemq.Consumer{})
//	mq.Produce("orders", 100)
//	connect(mq.NameServers())
//
// StartConsole puts the web console of RocketMQ before a cluster: the HTTP
// interface of rocketmq-dashboard 1.0.0 or 2.1.1, with its login and its own
// faults, answering from the same truth.
//
// Brokers check who asks where Options.Access says so, by ACL 1.0 or 2.0 after
// their release, and nodes take TLS as Options.TLS says.
//
// It may hold what RocketMQ's servers do and what its clients make them say.
// It stores no message, keeps nothing on disk, and knows nothing of metrics or
// of who asks. What of a real RocketMQ it leaves out is listed in SKIPPED.md.
package fakemq
