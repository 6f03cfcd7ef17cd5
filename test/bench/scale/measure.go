package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/bench/lab"
)

// result is what was measured at one size.
type result struct {
	size         string
	rows, series int

	requests int
	received int64 // bytes of a round's answers
	round    pair  // beside the bare requests

	plain, gzip scrapes

	rest, peak int64 // RssAnon in bytes: between rounds, and at most
	cpu        float64
	peerPeak   int64
	// What scraping without a pause adds to the RssAnon of a process that has
	// the report and no more: by the exporter's writer, and by client_golang.
	adds, peerAdds int64
}

// pair is two things that were measured in turn.
type pair struct{ own, floor []time.Duration }

// scrapes are measured beside the copy of as many bytes; and such of the same
// series beside client_golang.
type scrapes struct {
	bytes int64
	pair
	alikeBytes, peerBytes int64
	alike, peer           []time.Duration
}

// measure measures one size.
func measure(ctx context.Context, size lab.Size, o options) (*result, error) {
	say := func(what string) { fmt.Fprintf(os.Stderr, "%s: %s\n", size.Name, what) }
	say("starting a fake cluster")
	fake, err := lab.StartFake(ctx, size.Name)
	if err != nil {
		return nil, err
	}
	defer fake.Stop()
	r := &result{size: size.Name}
	say("rounds")
	if err := r.measureRounds(ctx, fake, o); err != nil {
		return nil, err
	}
	if o.minutes == 0 {
		return r, nil
	}
	repeat := max(5, min(o.repeat, o.repeat*50_000/max(r.rows, 1)))
	exporter, err := lab.StartExporter(ctx, o.binary, fake.NameServers, nil)
	if err != nil {
		return nil, err
	}
	defer exporter.Stop()
	peak := lab.WatchPeak(ctx, exporter.PID)
	say("rounds and scrapes each 15 s")
	if err := r.measureLife(ctx, fake, exporter, size, o.minutes); err != nil {
		return nil, err
	}
	say("scrapes")
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	startPeer := func() (*lab.Process, string, error) {
		peer, err := lab.Start(ctx, nil, self, peerCommand, strings.Join(fake.NameServers, ","), strconv.Itoa(size.Groups*size.Processes))
		if err != nil {
			return nil, "", err
		}
		url, err := peer.Line()
		if err != nil {
			peer.Stop()
		}
		return peer, url, err
	}
	peer, url, err := startPeer()
	if err != nil {
		return nil, err
	}
	defer peer.Stop()
	if err := r.measureScrapes(ctx, exporter, url, repeat); err != nil {
		return nil, err
	}
	r.peak = peak.Stop()
	exporter.Stop()
	say("scrapes of the same series by client_golang")
	peak = lab.WatchPeak(ctx, peer.PID)
	if err := r.measurePeer(ctx, fake, o.binary, size, url); err != nil {
		return nil, err
	}
	r.peerPeak = peak.Stop()
	peer.Stop()
	say("memory that scrapes add")
	for path, adds := range map[string]*int64{"/own": &r.adds, "/metrics": &r.peerAdds} {
		peer, url, err := startPeer()
		if err != nil {
			return nil, err
		}
		*adds, err = added(ctx, peer.PID, url+path)
		peer.Stop()
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// gcPercent is the exporter's own.
const gcPercent = 50

// measureRounds measures whole rounds, from the first request to the report,
// beside their bare requests.
func (r *result) measureRounds(ctx context.Context, fake *lab.Fake, o options) (err error) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	tap := &lab.Tap{}
	var ahead time.Duration // of the source's clock: a round each 15 s
	src := direct.New(direct.Options{
		NameServers: fake.NameServers, Remoting: remoting.Options{Dial: tap.Dial},
		Now: func() time.Time { return time.Now().Add(ahead) },
	})
	defer src.Close()
	var past store.History
	var report *lag.Report
	round := func() (time.Duration, error) {
		src.Settle(ctx) // as in life: what is asked behind a round is done before the next
		ahead += 15 * time.Second
		if err := fake.Drift(); err != nil {
			return 0, err
		}
		began := time.Now()
		got := src.Collect(ctx)
		tap.Record(false)
		if len(got.Failures) > 0 {
			return 0, got.Failures[0].Err
		}
		past.Add(got.Snapshots[0])
		report = lag.BuildAfter(got.Snapshots[0], &past, lag.DefaultRules())
		return time.Since(began), nil
	}
	// Until it knows who holds what, and has what it keeps between rounds.
	for known := -1; report == nil || known != len(report.Processes); {
		if report != nil {
			known = len(report.Processes)
		}
		for range 3 {
			if _, err := round(); err != nil {
				return err
			}
		}
	}
	r.rows = report.Rows()
	src.Settle(ctx)
	tap.Record(true)
	if _, err = round(); err != nil {
		return err
	}
	bare, err := tap.Bare(ctx)
	if err != nil {
		return err
	}
	defer bare.Close()
	stop, err := o.profile(r.size)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, stop())
		runtime.KeepAlive(report)
		runtime.KeepAlive(&past)
	}()
	for range max(7, min(o.repeat, o.repeat*100_000/r.rows)) {
		took, err := round()
		if err != nil {
			return err
		}
		floor, err := bare.Send()
		if err != nil {
			return err
		}
		r.round.own, r.round.floor = append(r.round.own, took), append(r.round.floor, floor)
	}
	r.requests, r.received = bare.Requests, bare.Received
	return nil
}

// measureLife watches the exporter at its usual pace: rounds each 15 s, and a
// scrape after each, compressed as Prometheus asks for it.
func (r *result) measureLife(ctx context.Context, fake *lab.Fake, exporter *lab.Exporter, size lab.Size, minutes int) error {
	reader := lab.NewReader()
	processes := size.Groups * size.Processes
	err := reader.Await(ctx, exporter.URL, func(_ map[string]float64, counts map[string]int) bool {
		r.series = 0
		for _, n := range counts {
			r.series += n
		}
		return counts["rocketmq_msg_diff_clientinfo"] >= processes
	})
	if err != nil {
		return err
	}
	began, err := lab.CPU(exporter.PID)
	if err != nil {
		return err
	}
	for range 4 * minutes {
		select {
		case <-time.After(15 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := fake.Drift(); err != nil {
			return err
		}
		now, err := lab.RssAnon(exporter.PID)
		if err != nil {
			return err
		}
		r.rest = max(r.rest, now)
		if _, _, err := reader.Read(ctx, exporter.URL, true); err != nil {
			return err
		}
	}
	ended, err := lab.CPU(exporter.PID)
	r.cpu = (ended - began).Seconds() / float64(60*minutes)
	return err
}

// measureScrapes measures scrapes beside the copy of as many bytes, which the
// program at url makes. Rounds go on meanwhile.
func (r *result) measureScrapes(ctx context.Context, exporter *lab.Exporter, url string, repeat int) error {
	reader := lab.NewReader()
	for i := range repeat + 1 { // the first one warms
		for _, s := range []*scrapes{&r.plain, &r.gzip} {
			own, n, err := reader.Read(ctx, exporter.URL, s == &r.gzip)
			if err != nil {
				return err
			}
			floor, _, err := reader.Read(ctx, fmt.Sprintf("%s/copy?bytes=%d", url, n), false)
			if err != nil {
				return err
			}
			s.bytes = n
			if i > 0 {
				s.own, s.floor = append(s.own, own), append(s.floor, floor)
			}
		}
	}
	return nil
}

// measurePeer measures scrapes of an exporter that shows no more than the peer
// does, in turn with those of the peer.
func (r *result) measurePeer(ctx context.Context, fake *lab.Fake, binary string, size lab.Size, url string) error {
	exporter, err := lab.StartExporter(ctx, binary, fake.NameServers, nil, "--metrics.disable="+strings.Join(others(), ","))
	if err != nil {
		return err
	}
	defer exporter.Stop()
	reader, processes := lab.NewReader(), size.Groups*size.Processes
	err = reader.Await(ctx, exporter.URL, func(_ map[string]float64, counts map[string]int) bool {
		return counts["rocketmq_msg_diff_clientinfo"] >= processes
	})
	if err != nil {
		return err
	}
	for i := range peerScrapes(r.rows) + 1 { // the first one warms
		for _, s := range []*scrapes{&r.plain, &r.gzip} {
			gzip := s == &r.gzip
			alike, bytes, err := reader.Read(ctx, exporter.URL, gzip)
			if err != nil {
				return err
			}
			peer, peerBytes, err := reader.Read(ctx, url+"/metrics", gzip)
			if err != nil {
				return err
			}
			s.alikeBytes, s.peerBytes = bytes, peerBytes
			if i > 0 {
				s.alike, s.peer = append(s.alike, alike), append(s.peer, peer)
			}
		}
	}
	return nil
}

// peerScrapes is how often client_golang is measured: it takes seconds for very many
// rows.
func peerScrapes(rows int) int { return max(5, min(15, 15*225_000/max(rows, 1))) }

// added is what scrapes without a pause, plain and with gzip, add to the RssAnon of
// a process that was not scraped before: the most while they go on, less what there
// was.
func added(ctx context.Context, pid int, url string) (int64, error) {
	before, err := lab.RssAnon(pid)
	if err != nil {
		return 0, err
	}
	peak, reader := lab.WatchPeak(ctx, pid), lab.NewReader()
	for i := range 10 {
		if _, _, err := reader.Read(ctx, url, i%2 == 1); err != nil {
			peak.Stop()
			return 0, err
		}
	}
	return peak.Stop() - before, nil
}

// others are the families that the peer does not show, as far as they can be
// switched off.
func others() []string {
	var names []string
	for _, id := range family.All() {
		if f := id.Family(); f.Set == family.Default && !slices.Contains(peerFamilies(), id) {
			names = append(names, f.Name)
		}
	}
	return names
}
