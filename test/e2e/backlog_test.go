package e2e

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// Two brokers: sums, rebalances and failures must hold across them.
func startCluster(t *testing.T, version string) *realmq.Cluster {
	t.Helper()
	return realmq.Start(t, realmq.Options{
		Version: version,
		Brokers: []realmq.BrokerOptions{{Name: "broker-a"}, {Name: "broker-b"}},
	})
}

func TestBacklog(t *testing.T) {
	for _, version := range []string{realmq.Version4, realmq.Version5} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := &story{T: t, mq: startCluster(t, version)}
			s.exporter = startExporter(t, s.mq.NameServer(), shortStates()...)
			s.populate()
			t.Run("the offsets of a group are reset", s.reset)
			t.Run("rows equal those of mqadmin, sums those of rows", s.equalsMQAdmin)
			t.Run("a suspended group is stalled, and as far behind in time as brokers say", s.seconds)
			t.Run("an offline group is stopped", s.offline)
			t.Run("a group whose offsets were reset is rewound", s.rewound)
			t.Run("promtool accepts the exposition", s.promtool)
			t.Run("shards add up to the whole", s.shardsAddUp)
			t.Run("a file has it read twice, whole and in part", s.fromAFile)
			t.Run("a killed process is gone, its queues are under the other", s.killedConsumer)
			t.Run("a broadcasting group is as far behind as its processes are", s.broadcasting)
			t.Run("a deleted topic is gone", s.deletedTopic)
			t.Run("a broker dies and comes back", s.brokerDies)
			t.Run("the name server dies and comes back", s.nameServerDies)
			t.Run("nothing was sent that writes", s.onlyReads)
		})
	}
}

// story is one cluster and the exporter before it.
type story struct {
	*testing.T
	mq       *realmq.Cluster
	exporter *exporter

	orders   [2]*realmq.Consumer // of group cg_orders
	consumed float64             // by the group that is reset, before that
}

const (
	within         = 2 * time.Minute // a busy machine may take it; a test that passes waits for the event only
	commitInterval = time.Second
)

func must[V any](t testing.TB) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// populate makes topics, consumers and messages: groups that keep up, one that
// is suspended and behind, one whose messages fail, an offline one.
func (s *story) populate() {
	ctx, t := s.Context(), s.T
	for _, topic := range []realmq.Topic{
		{Name: "orders", Queues: 4}, {Name: "payments", Queues: 2}, {Name: "failing", Queues: 2},
		{Name: "notices", Queues: 2}, {Name: "short-lived", Queues: 2}, {Name: "idle", Queues: 2},
	} {
		check(t, s.mq.CreateTopic(ctx, topic))
	}
	consumer := func(o realmq.ConsumerOptions) *realmq.Consumer {
		o.CommitInterval = commitInterval
		return must[*realmq.Consumer](t)(s.mq.StartConsumer(ctx, o))
	}
	s.orders[0] = consumer(realmq.ConsumerOptions{Group: "cg_orders", Topics: []string{"orders"}, ClientIP: "10.1.0.1"})
	s.orders[1] = consumer(realmq.ConsumerOptions{Group: "cg_orders", Topics: []string{"orders"}, ClientIP: "10.1.0.2"})
	slow := consumer(realmq.ConsumerOptions{Group: "cg_payments", Topics: []string{"payments", "orders"}, ClientIP: "10.1.0.3"})
	consumer(realmq.ConsumerOptions{Group: "cg_failing", Topics: []string{"failing"}, FailAlways: true, MaxReconsumeTimes: 1})
	offline := consumer(realmq.ConsumerOptions{Group: "cg_offline", Topics: []string{"idle"}})
	consumer(realmq.ConsumerOptions{Group: "cg_short", Topics: []string{"short-lived"}})
	consumer(realmq.ConsumerOptions{Group: resetGroup, Topics: []string{resetTopic}, Threads: 1, Delay: 20 * time.Millisecond})
	must[*realmq.GoConsumer](t)(s.mq.StartGoConsumer("cg_go", "orders"))

	for _, topic := range []string{"orders", "payments", "failing", "short-lived", "idle"} {
		check(t, s.mq.Produce(ctx, realmq.Messages{Topic: topic, Count: 400}))
	}
	s.eventually("everybody has consumed the first messages", func(x exposition) error {
		for _, group := range []string{"cg_orders", "cg_payments", "cg_go", "cg_short", "cg_offline"} {
			if err := s.groupBacklog(x, group, 0); err != nil {
				return err
			}
		}
		return nil
	})
	check(t, offline.Kill())
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "idle", Count: 40}))
	check(t, slow.Pause(ctx))
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "payments", Count: 300}))
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "orders", Count: 200}))
	s.eventually("the suspended group is behind by what was sent", func(x exposition) error {
		return errors.Join(s.groupBacklog(x, "cg_payments", 500), s.groupBacklog(x, "cg_offline", 40), s.groupBacklog(x, "cg_orders", 0), s.groupBacklog(x, "cg_go", 0))
	})
}

func (s *story) eventually(what string, f func(exposition) error) {
	s.Helper()
	realmq.Eventually(s.T, within, func(ctx context.Context) error {
		x, err := s.exporter.scrape(ctx)
		if err == nil {
			err = f(x)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	})
}

func (s *story) groupBacklog(x exposition, group string, want float64) error {
	got, err := x.find("rocketmq_msg_diff_consumergroup", "consumerGroup", group).one()
	if err == nil && got != want {
		err = fmt.Errorf("backlog %v, want %v", got, want)
	}
	if err != nil {
		return fmt.Errorf("group %s: %w", group, err)
	}
	return nil
}

// equalsMQAdmin compares while the traffic is paused.
func (s *story) equalsMQAdmin(t *testing.T) {
	for _, group := range []string{"cg_orders", "cg_payments", "cg_failing", "cg_short", "cg_go", "cg_offline"} {
		s.eventually("rows of "+group, func(x exposition) error {
			rows, err := s.mq.ConsumerProgress(t.Context(), group)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return errors.New("mqadmin shows nothing")
			}
			return equalRows(x.find("rocketmq_msg_diff_detail", "consumerGroup", group), rows)
		})
	}
	x := must[exposition](t)(s.exporter.scrape(t.Context()))
	checkSums(t, x)
}

func equalRows(got exposition, want []realmq.ProgressRow) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d rows, mqadmin has %d\n%v\n%v", len(got), len(want), got, want)
	}
	for _, w := range want {
		s := got.find("rocketmq_msg_diff_detail", "topic", w.Topic, "broker", w.Broker, "queueId", strconv.Itoa(w.QueueID))
		v, err := s.one()
		if err != nil {
			return fmt.Errorf("%+v: %w", w, err)
		}
		if v != float64(w.Diff) || s[0].labels["consumerClientIP"] != w.ClientIP {
			return fmt.Errorf("%v, mqadmin says %+v", s[0], w)
		}
	}
	return nil
}

// checkSums holds the six sums against the rows.
func checkSums(t *testing.T, x exposition) {
	t.Helper()
	rows := x.find("rocketmq_msg_diff_detail")
	for family, labels := range map[string][]string{
		"rocketmq_msg_diff_topic":               {"topic"},
		"rocketmq_msg_diff_consumergroup":       {"consumerGroup"},
		"rocketmq_msg_diff_topic_consumergroup": {"topic", "consumerGroup"},
		"rocketmq_msg_diff_broker":              {"broker"},
		"rocketmq_msg_diff_queue":               {"broker", "queueId"},
		"rocketmq_msg_diff_clientinfo":          {"consumerClientIP", "consumerClientPID"},
	} {
		sums := x.find(family)
		covered := 0
		for _, s := range sums {
			var filter []string
			for _, l := range labels {
				filter = append(filter, l, s.labels[l])
			}
			part := rows.find("rocketmq_msg_diff_detail", filter...)
			covered += len(part)
			if part.sum() != s.value {
				t.Errorf("%v, its %d rows add up to %v", s, len(part), part.sum())
			}
		}
		if family == "rocketmq_msg_diff_clientinfo" {
			covered += len(rows.find("rocketmq_msg_diff_detail", "consumerClientIP", ""))
		}
		if len(sums) == 0 || covered != len(rows) {
			t.Errorf("%s: %d series cover %d of %d rows", family, len(sums), covered, len(rows))
		}
	}
}

func (s *story) killedConsumer(t *testing.T) {
	killed := strconv.Itoa(s.orders[0].PID())
	left := strconv.Itoa(s.orders[1].PID())
	s.eventually("both hold queues", func(x exposition) error {
		for _, pid := range []string{killed, left} {
			rows := x.find("rocketmq_msg_diff_detail", "consumerGroup", "cg_orders", "topic", "orders", "consumerClientPID", pid)
			if len(rows) != 4 {
				return fmt.Errorf("process %s holds %d queues of 8", pid, len(rows))
			}
		}
		return nil
	})
	check(t, s.orders[0].Kill())
	s.eventually("the other holds all", func(x exposition) error {
		if old := x.mentions("consumerClientPID", killed); len(old) > 0 {
			return fmt.Errorf("the killed process still shows: %v", old)
		}
		rows := x.find("rocketmq_msg_diff_detail", "consumerGroup", "cg_orders", "topic", "orders", "consumerClientPID", left)
		if len(rows) != 8 {
			return fmt.Errorf("the process that is left holds %d queues of 8", len(rows))
		}
		return nil
	})
}

func (s *story) broadcasting(t *testing.T) {
	ctx := t.Context()
	var processes [2]*realmq.Consumer
	for i := range processes {
		processes[i] = must[*realmq.Consumer](t)(s.mq.StartConsumer(ctx, realmq.ConsumerOptions{
			Group: "cg_notices", Topics: []string{"notices"}, Model: realmq.Broadcasting,
			ClientIP: "10.2.0." + strconv.Itoa(i+1), CommitInterval: commitInterval,
		}))
	}
	perProcess := func(x exposition, ip string) exposition {
		return x.find("rocketmq_msg_diff_detail", "consumerGroup", "cg_notices", "consumerClientIP", ip)
	}
	behind := func(first, second float64) func(exposition) error {
		return func(x exposition) error {
			for i, want := range []float64{first, second} {
				rows := perProcess(x, "10.2.0."+strconv.Itoa(i+1))
				if len(rows) != 4 || rows.sum() != want {
					return fmt.Errorf("process %d: want %v in 4 rows, got %v", i+1, want, rows)
				}
			}
			return s.groupBacklog(x, "cg_notices", first+second)
		}
	}
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "notices", Count: 100}))
	s.eventually("both have consumed everything", behind(0, 0))
	check(t, processes[1].Pause(ctx))
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "notices", Count: 60}))
	s.eventually("the suspended one is behind by what was sent", behind(0, 60))
	check(t, processes[1].Resume(ctx))
	s.eventually("it has caught up", behind(0, 0))
	for _, p := range processes {
		check(t, p.Stop(ctx))
	}
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "notices", Count: 50}))
	s.eventually("offline it has no backlog", func(x exposition) error {
		if members, err := x.find("rocketmq_consumergroup_members", "consumerGroup", "cg_notices").one(); err != nil || members != 0 {
			return fmt.Errorf("members %v, %w", members, err)
		}
		for _, s := range x.mentions("consumerGroup", "cg_notices") {
			if s.name == "rocketmq_msg_diff_detail" || s.name == "rocketmq_msg_diff_consumergroup" {
				return fmt.Errorf("false backlog: %v", s)
			}
		}
		return nil
	})
}

func (s *story) deletedTopic(t *testing.T) {
	check(t, s.mq.DeleteTopic(t.Context(), "short-lived"))
	s.eventually("no series of it", func(x exposition) error {
		if old := x.mentions("topic", "short-lived"); len(old) > 0 {
			return fmt.Errorf("still there: %v", old)
		}
		return nil
	})
}

func (s *story) brokerDies(t *testing.T) {
	before := must[exposition](t)(s.exporter.scrape(t.Context()))
	rows := before.find("rocketmq_msg_diff_detail", "broker", "broker-b")
	if len(rows) == 0 {
		t.Fatal("no rows to lose")
	}
	check(t, s.mq.Broker("broker-b").Kill())
	s.eventually("it is down at once, and its rows stand for now", func(x exposition) error {
		if up, err := x.find("rocketmq_broker_up", "broker", "broker-b").one(); err != nil || up != 0 {
			return fmt.Errorf("broker_up %v, %w", up, err)
		}
		if n, err := x.find("rocketmq_exporter_incomplete_brokers").one(); err != nil || n != 1 {
			return fmt.Errorf("incomplete brokers %v, %w", n, err)
		}
		return nil
	})
	s.eventually("its rows are gone, those of the other are not", func(x exposition) error {
		if old := x.find("rocketmq_msg_diff_detail", "broker", "broker-b"); len(old) > 0 {
			return fmt.Errorf("%d rows still there", len(old))
		}
		if len(x.find("rocketmq_msg_diff_detail", "broker", "broker-a")) == 0 {
			return errors.New("the rows of broker-a are gone too")
		}
		if up, err := x.find("rocketmq_up").one(); err != nil || up != 1 {
			return fmt.Errorf("up %v, %w", up, err)
		}
		return nil
	})
	check(t, s.mq.Broker("broker-b").Start(t.Context()))
	s.eventually("it is back", func(x exposition) error {
		if up, err := x.find("rocketmq_broker_up", "broker", "broker-b").one(); err != nil || up != 1 {
			return fmt.Errorf("broker_up %v, %w", up, err)
		}
		return s.groupBacklog(x, "cg_payments", 500)
	})
}

func (s *story) nameServerDies(t *testing.T) {
	check(t, s.mq.NameServerAt(0).Kill())
	s.eventually("it is down, the brokers are still read", func(x exposition) error {
		if up, err := x.find("rocketmq_nameserver_up").one(); err != nil || up != 0 {
			return fmt.Errorf("nameserver_up %v, %w", up, err)
		}
		return s.groupBacklog(x, "cg_payments", 500)
	})
	check(t, s.mq.NameServerAt(0).Start(t.Context()))
	s.eventually("it is back", func(x exposition) error {
		if up, err := x.find("rocketmq_nameserver_up").one(); err != nil || up != 1 {
			return fmt.Errorf("nameserver_up %v, %w", up, err)
		}
		return s.groupBacklog(x, "cg_payments", 500)
	})
}
