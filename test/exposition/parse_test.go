// Package exposition holds what the exporter writes against the parsers of
// Prometheus itself, which would be too heavy a dependency for the exporter.
package exposition

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// parsed is what Prometheus understands of an exposition.
type parsed struct {
	series map[string]float64 // by name and labels
	types  map[string]prommodel.MetricType
	helps  map[string]string
	units  map[string]string
}

func parse(t *testing.T, text []byte, contentType string) parsed {
	t.Helper()
	p, err := textparse.New(text, contentType, nil, textparse.ParserOptions{})
	if err != nil {
		t.Fatalf("no parser for %s: %v", contentType, err)
	}
	r := parsed{
		series: make(map[string]float64), types: make(map[string]prommodel.MetricType),
		helps: make(map[string]string), units: make(map[string]string),
	}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatalf("Prometheus refuses it: %v", err)
		}
		switch entry {
		case textparse.EntrySeries:
			var l labels.Labels
			_, _, value := p.Series()
			p.Labels(&l)
			l = l.WithoutEmpty() // as the scraper does: an empty label is none
			if _, twice := r.series[l.String()]; twice {
				t.Errorf("%s is there twice", l)
			}
			r.series[l.String()] = value
		case textparse.EntryType:
			name, kind := p.Type()
			r.types[string(name)] = kind
		case textparse.EntryHelp:
			name, help := p.Help()
			r.helps[string(name)] = string(help)
		case textparse.EntryUnit:
			name, unit := p.Unit()
			r.units[string(name)] = string(unit)
		default:
			t.Errorf("entry of kind %d", entry)
		}
	}
}

// TestGolden: both formats of every story mean the same to Prometheus, and what
// the table of families says.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../internal/exposition/testdata/*.om.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			open := parse(t, read(t, file), exposition.OpenMetrics.ContentType())
			text := parse(t, read(t, strings.TrimSuffix(file, ".om.txt")+".txt"), exposition.Text.ContentType())
			if len(open.series) == 0 || !maps.Equal(open.series, text.series) {
				t.Errorf("OpenMetrics:\n%v\ntext:\n%v", open.series, text.series)
			}
			for _, id := range family.All() {
				f := id.Family()
				name := f.MetricName("rocketmq")
				kind, ok := open.types[name]
				if !ok {
					continue
				}
				if string(kind) != f.Type.OpenMetrics() || open.helps[name] != f.Help {
					t.Errorf("%s: %s, %q", name, kind, open.helps[name])
				}
				if unit := open.units[name]; unit != "" && unit != f.Unit {
					t.Errorf("%s: unit %q, want %q", name, unit, f.Unit)
				}
				delete(open.types, name)
			}
			for name := range open.types {
				t.Errorf("%s is in no table", name)
			}
		})
	}
}

// TestStories: what a whole exporter writes of the stories of a cluster is what
// Prometheus understands, and nothing of it is in no table.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("../../internal/app/testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text := parse(t, read(t, file), exposition.Text.ContentType())
			for _, id := range family.All() {
				f := id.Family()
				name := f.FullName("rocketmq")
				if kind, ok := text.types[name]; ok && (string(kind) != f.Type.Text() || text.helps[name] != f.Help) {
					t.Errorf("%s: %s, %q", name, kind, text.helps[name])
				}
				delete(text.types, name)
			}
			for name := range text.types {
				t.Errorf("%s is in no table", name)
			}
			if len(text.series) == 0 {
				t.Error("it is empty")
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzNames: whatever a cluster calls things, and whatever prefix the settings
// let through, Prometheus reads both formats, finds every series in them, and
// reads each name back as it is, but for bytes that are no UTF-8.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"plain", `a"b\c`, "\n", "\r\n", "订单", "\xff", "a\x00b", "\\", "\\n", "#{}=,", "\u2028", "\x01\x1f\x7f", "# EOF\n", "\"} 1\nx{y=\""} {
		f.Add("rocketmq", s, s, s, s, s)
	}
	f.Add("a:_9", "", "", "", "", "")
	f.Add("9", "x", "x", "x", "x", "x")
	f.Fuzz(func(t *testing.T, prefix, cluster, topic, group, broker, client string) {
		prefix, ok := allowedPrefix(prefix)
		if !ok {
			return
		}
		report := named(cluster, topic, group, broker, client)
		var parsedAs []map[string]float64
		for _, format := range []exposition.Format{exposition.Text, exposition.OpenMetrics} {
			var b bytes.Buffer
			series, err := exposition.Write(&b, format, prefix, family.Choice{}, []*lag.Report{report})
			if err != nil {
				t.Fatal(err)
			}
			if err := exposition.Finish(&b, format); err != nil {
				t.Fatal(err)
			}
			got := parse(t, b.Bytes(), format.ContentType()).series
			if len(got) != series {
				t.Errorf("%d series were written, Prometheus finds %d", series, len(got))
			}
			parsedAs = append(parsedAs, got)
		}
		if !maps.Equal(parsedAs[0], parsedAs[1]) {
			t.Errorf("text:\n%v\nOpenMetrics:\n%v", parsedAs[0], parsedAs[1])
		}
		for series, value := range wanted(prefix, report) {
			if got, ok := parsedAs[0][series]; !ok || got != value {
				t.Errorf("%s = %v (there: %v), want %v", series, got, ok, value)
			}
		}
	})
}

// allowedPrefix is a prefix as the settings take it.
func allowedPrefix(s string) (prefix string, ok bool) {
	v, err := config.Load(config.Sources{
		Flags:  config.Said{config.KeyNameServers: {"mq:9876"}, "metrics.prefix": {s}},
		Getenv: func(string) string { return "" },
	})
	return v.Prefix, err == nil
}

// named is a report in which everything is named once; the topic is nothing
// that RocketMQ makes for a group.
func named(cluster, topic, group, broker, client string) *lag.Report {
	topic = "t" + topic
	ip, pid := model.SplitClientID(client)
	return lag.Build(&model.Snapshot{
		Cluster: cluster, Ended: time.Unix(1, 0), Taken: time.Unix(1, 0),
		NameServers: []model.NameServer{{Addr: client, Up: true}},
		Brokers:     []model.Broker{{Name: broker, Addr: client, Version: group, Up: true}},
		Parts: []model.PartOfRound{{Part: &model.Part{
			Broker: broker, Topics: []model.Topic{{Name: topic, Queues: 1}}, Ends: model.OffsetsOf(7), Begins: model.OffsetsOf(0),
			Groups: []string{group}, Commits: []model.Commits{{}}, Committed: model.OffsetsOf(3),
		}}},
		Groups: []*model.Group{{
			Name: group, Model: topic, ConsumeType: client, Known: true,
			Clients: []model.Client{{ID: client, IP: ip, PID: pid, Language: broker}},
			Topics:  model.TopicSetOf(topic),
			Owners:  map[model.TopicOnBroker][]int32{{Topic: topic, Broker: broker}: {0}},
		}},
	})
}

// wanted are series that must be among those of a report that named made.
func wanted(prefix string, r *lag.Report) map[string]float64 {
	d, b, g := r.Details[0], r.Snapshot.Brokers[0], r.Snapshot.Groups[0]
	pair := r.PairOf(&d)
	c := g.Clients[0]
	want := make(map[string]float64)
	add := func(value float64, name string, pairs ...string) {
		all := append([]string{"__name__", prefix + "_" + name, "cluster", r.Snapshot.Cluster}, pairs...)
		for i := range all {
			all[i] = string([]rune(all[i]))
		}
		want[labels.FromStrings(all...).WithoutEmpty().String()] = value
	}
	add(4, "msg_diff_detail", "topic", pair.Topic, "consumerGroup", pair.Group, "broker", r.BrokerOf(&d), "queueId", "0",
		"consumerClientIP", c.IP, "consumerClientPID", c.PID)
	add(4, "msg_diff_topic", "topic", pair.Topic)
	add(4, "msg_diff_consumergroup", "consumerGroup", pair.Group)
	add(4, "msg_diff_topic_consumergroup", "topic", pair.Topic, "consumerGroup", pair.Group)
	add(4, "msg_diff_broker", "broker", r.BrokerOf(&d))
	add(4, "msg_diff_queue", "broker", r.BrokerOf(&d), "queueId", "0")
	add(1, "nameserver_up", "address", r.Snapshot.NameServers[0].Addr)
	add(1, "broker_info", "broker", b.Name, "brokerId", "0", "address", b.Addr, "role", "master", "version", b.Version)
	add(1, "consumergroup_members", "consumerGroup", g.Name)
	add(1, "consumergroup_info", "consumerGroup", g.Name, "messageModel", g.Model, "consumeType", g.ConsumeType)
	return want
}
