package direct

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// TestOldPartIsLetGo: when the last broadcasting group has left, nothing holds the
// part in which its ends were looked up.
func TestOldPartIsLetGo(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 0, "broker-a"), nil)
	s.Shop()
	s.Check("a group broadcasts")
	var b *broker
	for _, c := range s.src.clusters {
		b = c.brokers["broker-a"]
	}
	old := weak.Make(b.part)
	for _, id := range s.MQ.ClientIDs("cache") {
		s.Must(s.MQ.KillConsumer("cache", id))
	}
	for range 3 {
		s.Check("it has left")
	}
	eventually(t, "the old part is let go", func() bool {
		runtime.GC()
		return old.Value() == nil
	})
}

// TestFirstEnds: which backlog was there before anybody watched is the same as if
// the first ends of every queue, or what all groups had passed since, were kept
// for good.
func TestFirstEnds(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(1, seed))
		b := newBroker(newCluster(), "broker-a")
		topics := map[string]int{"t0": 1, "t1": 3}
		groups := []string{"g0", "g1", "g2"}
		ends, first := map[string][]int64{}, map[string][]int64{} // first: as they would be kept
		src := &Source{opts: Options{KeepRounds: keep, Now: time.Now}}
		dropped := 0
		for nth := range 60 {
			if random.IntN(10) == 0 {
				topics["t1"]++
			}
			told(t, b, topics, groups...)
			w := &reading{round: &round{src: src, began: time.Unix(int64(nth), 0)}, broker: b, proc: &proc{}, build: newPartBuilder(b)}
			commits := map[string][]int64{} // by "topic@group"
			var body strings.Builder
			for topic, queues := range topics {
				for len(ends[topic]) < queues {
					ends[topic] = append(ends[topic], random.Int64N(20))
				}
				for q := range queues {
					ends[topic][q] += random.Int64N(4)
				}
				for i, group := range groups {
					if i > 0 && random.IntN(8) == 0 {
						continue // it has no commit for once
					}
					row := appendUnknown(nil, queues)
					var text []string
					for q := range row {
						switch random.IntN(12) {
						case 0: // none
							continue
						case 1:
							row[q] = random.Int64N(ends[topic][q] + 3)
						default:
							row[q] = ends[topic][q]
						}
						text = append(text, fmt.Sprintf("%d:%d", q, row[q]))
					}
					commits[topic+"@"+group] = row
					fmt.Fprintf(&body, `,"%s@%s":{%s}`, topic, group, strings.Join(text, ","))
				}
			}
			if err := w.build.takeCommits(fmt.Appendf(nil, `{"offsetTable":{%s}}`, strings.TrimPrefix(body.String(), ","))); err != nil {
				t.Fatal(err)
			}
			for topic := range topics {
				for q, end := range ends[topic] {
					w.build.setSpan(&remoting.MessageQueue{Topic: []byte(topic), QueueID: int32(q)}, &remoting.TopicOffset{Max: end})
				}
			}
			w.sealPart()
			for i := range b.known.groups.groups {
				b.known.groups.groups[i] = &group{}
			}
			got := map[string]int64{}
			for _, one := range w.survey(&scratch{}) {
				c := &b.part.Commits[one.commits]
				got[b.part.Topics[c.Topic].Name+"@"+b.part.GroupOf(c)] = one.backlog
			}

			want := map[string]int64{}
			for topic := range topics {
				now := ends[topic]
				first[topic] = append(first[topic], now[len(first[topic]):]...)
				for q := range now {
					slowest, known := now[q], false
					for _, group := range groups {
						row := commits[topic+"@"+group]
						if row == nil {
							continue
						}
						at := max(row[q], 0) // queues begin at 0
						if known = true; at < now[q] && at < first[topic][q] {
							want[topic+"@"+group] += now[q] - at
						}
						slowest = min(slowest, at)
					}
					if known {
						first[topic][q] = max(first[topic][q], slowest)
					}
				}
			}
			if !maps.Equal(got, want) {
				t.Fatalf("seed %d, round %d: backlog from before %v, want %v", seed, nth, got, want)
			}
			for i := range b.known.topics.list {
				if b.known.topics.list[i].lists == nil {
					dropped++
				}
			}
		}
		if dropped == 0 {
			t.Errorf("seed %d: no topic did without lists of its own", seed)
		}
	}
}

// TestStatsOfATopicThatIsNotConsumedAnyMore: what a part knew of a topic stays
// when no group commits on it any more, and when one does again.
func TestStatsOfATopicThatIsNotConsumedAnyMore(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	s.Group(fakemq.Group{Name: "late", Topics: []string{"audit"}}, 0)
	s.Must(s.MQ.Expire("orders", "broker-a", 1, 5))
	s.wantQueues("a cycle", s.cycle())
	w := s.watch()
	s.Must(s.MQ.DeleteGroup("billing", true))
	r := s.round(time.Second)
	s.wantQueues("nobody consumes it", r)
	if !slices.ContainsFunc(s.part(r, "broker-a").Others, func(o model.TopicStats) bool { return o.Topic == "orders" }) {
		t.Error("orders is not among the topics without a commit")
	}
	s.Must(s.MQ.Subscribe("late", "audit", "orders"))
	s.Must(s.MQ.Commit("late", "orders", "broker-a", 1, 6))
	s.wantQueues("another one does", s.round(time.Second))
	if n := s.stats(w); n > 3 {
		t.Errorf("asked %d times for the stats of topics", n)
	}
}

// TestBeginningsAfterARoundWithout: the beginnings that a round could not use are
// there again when no missing commit depends on them.
func TestBeginningsAfterARoundWithout(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Topic("orders", 2)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 0)
	for q := range 2 {
		s.Must(s.MQ.ProduceTo("orders", "broker-a", q, 10))
	}
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 3))
	s.cycle()
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetTopicStatsInfo, Effect: fakemq.Refuse(remoting.SystemError, "no"),
	})
	begins := func() []int64 {
		p := s.part(s.Collect(), "broker-a")
		i := slices.IndexFunc(p.Topics, func(t model.Topic) bool { return t.Name == "orders" })
		return p.Begins.AppendTo(nil, int(p.Topics[i].First), 2)
	}
	if got := begins(); !slices.Equal(got, []int64{model.Unknown, model.Unknown}) {
		t.Errorf("begins %v where they decide, and could not be read", got)
	}
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 1, 4))
	if got := begins(); !slices.Equal(got, []int64{0, 0}) {
		t.Errorf("begins %v where nothing depends on them", got)
	}
}

// TestShardsAskForTheirTopics: of topics that none of its groups has committed on
// a shard asks nothing behind a round, but for the first one and dead letters.
func TestShardsAskForTheirTopics(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		const shards = 4
		for index := range shards {
			var log seen
			o := brokers(release, 0, "broker-a")
			o.Trace = log.trace("topic", "topicList")
			shard := source.Shard{Index: index, Total: shards}
			s := newStage(t, o, func(o *Options) { slow(o); o.Selection.Shard = shard })
			mine := map[string]bool{}
			for i := range 12 {
				name := fmt.Sprint(i)
				s.Topic("topic-"+name, 2)
				s.Group(fakemq.Group{Name: "group-" + name, Topics: []string{"topic-" + name}}, 1)
				s.Produce("topic-"+name, 10)
				s.Consume("group-"+name, "topic-"+name, 5)
				s.Must(s.MQ.DeadLetter("group-"+name, "broker-a", 1))
				has := shard.Has("group-" + name)
				for _, topic := range []string{"topic-", "%RETRY%group-"} {
					mine[topic+name] = has || index == 0
				}
				mine["%DLQ%group-"+name] = has || index == 0
			}
			s.Topic("quiet", 2)
			mine["quiet"] = index == 0
			for range 2 {
				s.cycle()
			}
			asked := map[string]bool{}
			for _, line := range log.take() {
				for word := range strings.FieldsSeq(line) {
					if names, ok := strings.CutPrefix(word, "topic="); ok {
						asked[names] = true
					}
					if names, ok := strings.CutPrefix(word, "topicList="); ok {
						for name := range strings.SplitSeq(names, ";") {
							asked[name] = true
						}
					}
				}
			}
			for topic, want := range mine {
				if asked[topic] != want {
					t.Errorf("shard %d asked for %s: %v", index, topic, asked[topic])
				}
			}
			snap := s.src.clusters["c"]
			if index > 0 && snap.slow.IsZero() {
				t.Errorf("shard %d never had all that it asks for behind rounds", index)
			}
		}
	})
}
