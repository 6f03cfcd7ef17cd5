package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
)

const peerCommand = "peer"

// runPeer is what the exporter is held against, in a process of its own: the
// same report as client_golang shows it, and as many bytes as one likes, copied
// out of memory. The report as the exporter writes it is there too, for what
// either way adds to the memory of a process that has no more than the report.
// All come from the same HTTP server.
func runPeer(ctx context.Context, nameServers string, processes int, in io.Reader, out io.Writer) error {
	report, err := learn(ctx, strings.Split(nameServers, ","), processes)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	if err := registry.Register(newRows(report)); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	own, err := ownHandler(report)
	if err != nil {
		return err
	}
	mux.Handle("/own", own)
	mux.HandleFunc("/copy", copyBytes)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, in) // until whoever started this is gone
		_ = server.Close()
	}()
	debug.FreeOSMemory() // what was needed to learn the report
	fmt.Fprintln(out, "http://"+l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// learn reads rounds until the holder of every queue is known.
func learn(ctx context.Context, nameServers []string, processes int) (*lag.Report, error) {
	src := direct.New(direct.Options{NameServers: nameServers})
	defer src.Close()
	for {
		r := src.Collect(ctx)
		src.Behind()
		if len(r.Failures) > 0 {
			return nil, r.Failures[0].Err
		}
		if report := lag.Build(r.Snapshots[0]); len(report.Processes) >= processes {
			return report, nil
		}
	}
}

// ownHandler shows what newRows does, by the exporter's writer.
func ownHandler(report *lag.Report) (http.Handler, error) {
	chosen, err := family.Choose(nil, others())
	if err != nil {
		return nil, err
	}
	view := exposition.Rules{Families: chosen}.View(report)
	return exposition.Handler(exposition.Options{
		Prefix: "rocketmq", Views: func() ([]*exposition.View, func()) { return []*exposition.View{view}, func() {} },
	}), nil
}

func copyBytes(w http.ResponseWriter, r *http.Request) {
	left, err := strconv.Atoi(r.FormValue("bytes"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	chunk := make([]byte, 256<<10) // as the exporter writes
	for left > 0 {
		n, err := w.Write(chunk[:min(left, len(chunk))])
		if err != nil {
			return
		}
		left -= n
	}
}

// rows collects the seven families of backlog of a report: nearly all of what
// the exporter shows of it.
type rows struct {
	report *lag.Report
	descs  map[family.ID]*prometheus.Desc
}

func peerFamilies() []family.ID {
	return []family.ID{
		family.MsgDiffDetail, family.MsgDiffTopic, family.MsgDiffConsumerGroup, family.MsgDiffTopicConsumerGroup,
		family.MsgDiffBroker, family.MsgDiffQueue, family.MsgDiffClientInfo,
	}
}

func newRows(report *lag.Report) *rows {
	r := &rows{report: report, descs: make(map[family.ID]*prometheus.Desc)}
	for _, id := range peerFamilies() {
		f := id.Family()
		r.descs[id] = prometheus.NewDesc(f.FullName("rocketmq"), f.Help, f.Labels, nil)
	}
	return r
}

// Describe implements prometheus.Collector.
func (r *rows) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range r.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (r *rows) Collect(ch chan<- prometheus.Metric) {
	add := func(id family.ID, value int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(r.descs[id], prometheus.GaugeValue, float64(value), labels...)
	}
	p, cluster := r.report, r.report.Snapshot.Cluster
	for i := range p.Details {
		d := &p.Details[i]
		pair := p.PairOf(d)
		for _, row := range p.AppendRows(nil, d) {
			var holder lag.Process
			if h := row.Holder; h != lag.NoHolder {
				holder = p.Processes[h]
			}
			add(family.MsgDiffDetail, row.Backlog, cluster, pair.Topic, pair.Group, p.BrokerOf(d), strconv.Itoa(int(row.QueueID)), holder.IP, holder.PID)
		}
	}
	for id, sums := range map[family.ID][]lag.Sum{
		family.MsgDiffTopic: p.Topics, family.MsgDiffConsumerGroup: p.Groups, family.MsgDiffBroker: p.Brokers,
	} {
		for _, s := range sums {
			add(id, s.Backlog, cluster, s.Name)
		}
	}
	for i := range p.Pairs {
		add(family.MsgDiffTopicConsumerGroup, p.Pairs[i].Backlog, cluster, p.Pairs[i].Topic, p.Pairs[i].Group)
	}
	for _, q := range p.Queues {
		add(family.MsgDiffQueue, q.Backlog, cluster, q.Broker, strconv.Itoa(int(q.QueueID)))
	}
	for _, s := range p.Processes {
		add(family.MsgDiffClientInfo, s.Backlog, cluster, s.IP, s.PID)
	}
}
