// Package realmq runs a real Apache RocketMQ cluster for tests: name servers,
// brokers and consumers as JVMs of their own on loopback, from the jars that
// the project publishes on Maven Central, of any version from 4.9 to 5.5.
//
// Tests of the exporter get their truth from it: what a cluster holds is set
// and read by RocketMQ's own admin client, its mqadmin tool and its consumers.
// To stay a second opinion, this package must not import anything of the
// exporter. What belongs here: booting, ending and filling clusters, running
// consumers and producers, reading what the cluster says about itself. What
// does not: assertions about the exporter, metric names, dashboards.
//
// It wants a Unix with a JDK (java and javac) and Maven (mvn) in PATH. The
// first use of a version downloads up to 100 MB to the user's cache directory,
// see [Install]; nothing else is written outside the temporary folder of the
// cluster. Ports are the kernel's choice and processes are ended by their own
// id, so any number of clusters may run at the same time: about 500 MB of
// memory each, and 50 MB to 100 MB for each Java consumer.
//
// A test starts with [Start], a benchmark or a tool with [New]:
//
//	cluster := realmq.Start(t, realmq.Options{Version: realmq.Version5})
//	err := cluster.CreateTopic(ctx, realmq.Topic{Name: "orders", Queues: 8})
//	err = cluster.Produce(ctx, realmq.Messages{Topic: "orders", Count: 1000})
//	consumer, err := cluster.StartConsumer(ctx, realmq.ConsumerOptions{
//		Group: "billing", Topics: []string{"orders"},
//	})
//	realmq.Eventually(t, time.Minute, func(ctx context.Context) error { … })
package realmq
