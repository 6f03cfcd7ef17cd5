package fakemq

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// demoPast is how much of its own history a demonstration starts with.
const demoPast = 2 * time.Hour

// Demo starts a cluster of two brokers of 5.5.0 with a slave each, on which a
// web shop has been running for two hours, and the traffic that carries it on
// (Run). Its groups:
//
//	billing          orders, payments    keeps up
//	warehouse        orders, inventory   falls behind slowly
//	fraud-check      payments            stalled: two processes online, commits stand still
//	page-cache       notices             broadcasting, one of three processes falls behind
//	mailer           emails              keeps up with retries; its dead letters grow
//	search-indexer   orders, inventory   one of four processes dies and comes back every minute or so
//	audit-archive    audit               keeps up, a Go client
//	monthly-report   audit               offline with a backlog
//	courier          parcels             POP: takes a while to acknowledge, and fails now and then
//
// The name servers listen on the given addresses; on one that the kernel
// chooses where there is none.
func Demo(seed uint64, nameServerAddrs ...string) (*Cluster, *Traffic, error) {
	clock := &demoClock{now: time.Now().Add(-demoPast)}
	mq, err := Start(Options{
		NameServerAddrs: nameServerAddrs,
		Clusters:        []ClusterOptions{{Name: "shop", Brokers: []string{"broker-a", "broker-b"}, Slaves: 1}},
		Clock:           clock,
		Marks:           256,
	})
	if err != nil {
		return nil, nil, err
	}
	d := &demo{mq: mq, traffic: NewTraffic(mq, seed)}
	d.topics()
	d.groups()
	if err := errors.Join(d.bad...); err != nil {
		mq.Close()
		return nil, nil, fmt.Errorf("demo: %w", err)
	}
	for clock.advance(longestStep) {
		d.traffic.Step(longestStep)
	}
	return mq, d.traffic, nil
}

// demoClock runs through the past at its owner's pace, and is the machine's
// clock from then on.
type demoClock struct {
	mu   sync.Mutex
	now  time.Time
	live bool
}

// Now is the time in the past, or the machine's.
func (c *demoClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live {
		return time.Now()
	}
	return c.now
}

// advance moves on, and says whether that is still in the past.
func (c *demoClock) advance(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.live = !c.now.Before(time.Now())
	return !c.live
}

// demo builds the scenario. Mistakes are gathered and shown together.
type demo struct {
	mq      *Cluster
	traffic *Traffic
	bad     []error
}

func (d *demo) must(err error) {
	if err != nil {
		d.bad = append(d.bad, err)
	}
}

// later takes the error of a step that was planned: whoever changed the
// scenario since has made it void.
func (d *demo) later(error) {}

func (d *demo) topics() {
	for _, t := range []struct {
		name   string
		queues int
		rate   float64 // messages per second
	}{
		{"orders", 8, 60},
		{"payments", 4, 25},
		{"inventory", 4, 15},
		{"notices", 4, 4},
		{"emails", 4, 8},
		{"audit", 8, 40},
		{"parcels", 4, 6},
	} {
		d.must(d.mq.AddTopic(Topic{Name: t.name, Queues: t.queues}))
		d.must(d.traffic.Produce(t.name, t.rate, 0.3))
	}
	_, err := d.mq.AddProducer(Producer{Group: "shop-web"})
	d.must(err)
}

func (d *demo) groups() {
	d.group(Group{Name: "billing", Topics: []string{"orders", "payments"}}, 60, 3)
	d.group(Group{Name: "warehouse", Topics: []string{"orders", "inventory"}}, 36, 2)
	d.group(Group{Name: "audit-archive", Topics: []string{"audit"}}, 50, 0)
	d.consumer("audit-archive", Consumer{Language: "GO", Version: 317})
	d.stalled()
	d.broadcast()
	d.failing()
	d.restarting()
	d.offline()
	d.popping()
	d.delayed()
}

func (d *demo) group(g Group, perSecond float64, processes int) {
	d.must(d.mq.AddGroup(g))
	d.must(d.traffic.Consume(g.Name, perSecond))
	for range processes {
		d.consumer(g.Name, Consumer{})
	}
}

func (d *demo) consumer(group string, c Consumer) string {
	id, err := d.mq.AddConsumer(group, c)
	d.must(err)
	return id
}

// stalled: consumes for most of the past, then hangs.
func (d *demo) stalled() {
	d.group(Group{Name: "fraud-check", Topics: []string{"payments"}}, 20, 2)
	d.traffic.After(demoPast-25*time.Minute, func() { d.later(d.traffic.Consume("fraud-check", 0)) })
}

func (d *demo) broadcast() {
	d.group(Group{Name: "page-cache", Topics: []string{"notices"}, Broadcasting: true}, 10, 2)
	slow := d.consumer("page-cache", Consumer{})
	d.must(d.traffic.ConsumeAs("page-cache", slow, 3.8))
}

// failing: some messages are retried, and of those some given up.
func (d *demo) failing() {
	d.group(Group{Name: "mailer", Topics: []string{"emails"}}, 12, 1)
	brokers := []string{"broker-a", "broker-b"}
	var again func()
	again = func() {
		i := d.traffic.rng.IntN(len(brokers))
		// A broker that is down takes neither.
		if d.mq.Broker(brokers[i]).Running() {
			d.later(d.mq.ProduceTo(retryTopic("mailer"), brokers[i], 0, 3))
			d.later(d.mq.DeadLetter("mailer", brokers[i], 1))
		}
		d.traffic.After(d.traffic.Between(20*time.Second, 60*time.Second), again)
	}
	d.traffic.After(time.Minute, again)
}

// restarting: a process dies every minute or so and is back after 20 s.
func (d *demo) restarting() {
	const group = "search-indexer"
	d.group(Group{Name: group, Topics: []string{"orders", "inventory"}}, 30, 3)
	var start func()
	start = func() {
		id, err := d.mq.AddConsumer(group, Consumer{IP: "10.0.9.9"})
		if err != nil {
			return // somebody deleted the group
		}
		d.traffic.After(d.traffic.Between(45*time.Second, 75*time.Second), func() {
			if d.mq.KillConsumer(group, id) == nil {
				d.traffic.After(20*time.Second, start)
			}
		})
	}
	start()
}

// offline: its only process ended an hour and a half ago.
func (d *demo) offline() {
	d.group(Group{Name: "monthly-report", Topics: []string{"audit"}}, 60, 0)
	id := d.consumer("monthly-report", Consumer{})
	d.traffic.After(demoPast-90*time.Minute, func() { d.later(d.mq.KillConsumer("monthly-report", id)) })
}

// popping: messages are acknowledged some seconds after they were popped, and one
// now and then is not.
func (d *demo) popping() {
	const group, topic = "courier", "parcels"
	d.group(Group{Name: group, Topics: []string{topic}}, 8, 2)
	d.must(d.mq.SetPop(group, topic, true))
	every := func(pause func() time.Duration, do func(clientID string)) {
		var again func()
		again = func() {
			for _, id := range d.mq.ClientIDs(group) {
				do(id)
			}
			d.traffic.After(pause(), again)
		}
		d.traffic.After(pause(), again)
	}
	every(func() time.Duration { return time.Second }, func(id string) {
		_, err := d.mq.Ack(group, id, topic, 4)
		d.later(err)
	})
	every(func() time.Duration { return d.traffic.Between(10*time.Second, 30*time.Second) }, func(id string) {
		_, err := d.mq.ExpirePopped(group, id, topic, 1)
		d.later(err)
	})
}

// delayed: each broker gets two messages a second that are due a minute later.
func (d *demo) delayed() {
	const level, perStep, step, due = 5, 10, 5 * time.Second, time.Minute
	var end int64
	var again func()
	again = func() {
		end += perStep
		for _, broker := range []string{"broker-a", "broker-b"} {
			d.later(d.mq.Delay(broker, level, max(end-perStep*int64(due/step), 0), end))
		}
		d.traffic.After(step, again)
	}
	again()
}
