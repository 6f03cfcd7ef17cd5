package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// printTable prints a line per figure and a column per size.
func printTable(w io.Writer, results []*result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, cell func(r *result) string) {
		cells := []string{name}
		for _, r := range results {
			cells = append(cells, cell(r))
		}
		fmt.Fprintln(t, strings.Join(cells, "\t")+"\t")
	}
	line("size", func(r *result) string { return r.size })
	line("rows of detail", func(r *result) string { return strconv.Itoa(r.rows) })
	line("series", func(r *result) string { return strconv.Itoa(r.series) })
	line("requests of a round", func(r *result) string { return strconv.Itoa(r.requests) })
	line("their answers, MB", func(r *result) string { return mb(r.received) })
	line("round, ms", func(r *result) string { return ms(r.round.own) })
	line("bare requests, ms", func(r *result) string { return ms(r.round.floor) })
	line("round / bare", func(r *result) string { return ratio(r.round.own, r.round.floor) })
	if slices.ContainsFunc(results, func(r *result) bool { return len(r.plain.own) > 0 }) {
		scrapeLines(line)
	}
	_ = t.Flush()
}

// scrapeLines are those of what a process of its own does.
func scrapeLines(line func(name string, cell func(r *result) string)) {
	for _, s := range []struct {
		name string
		of   func(r *result) *scrapes
	}{
		{"plain", func(r *result) *scrapes { return &r.plain }},
		{"gzip", func(r *result) *scrapes { return &r.gzip }},
	} {
		line(s.name+" scrape, MB", func(r *result) string { return mb(s.of(r).bytes) })
		line(s.name+" scrape, ms", func(r *result) string { return ms(s.of(r).own) })
		line("copy of the bytes, ms", func(r *result) string { return ms(s.of(r).floor) })
		line("scrape / copy", func(r *result) string { return ratio(s.of(r).own, s.of(r).floor) })
		line("backlog alone, MB", func(r *result) string { return mb(s.of(r).alikeBytes) })
		line("backlog alone, ms", func(r *result) string { return ms(s.of(r).alike) })
		line("the same by client_golang, MB", func(r *result) string { return mb(s.of(r).peerBytes) })
		line("the same by client_golang, ms", func(r *result) string { return ms(s.of(r).peer) })
		line("client_golang / exporter", func(r *result) string { return ratio(s.of(r).peer, s.of(r).alike) })
	}
	line("RssAnon between rounds, MiB", func(r *result) string { return mib(r.rest) })
	line("RssAnon at most, MiB", func(r *result) string { return mib(r.peak) })
	line("client_golang at most, MiB", func(r *result) string { return mib(r.peerPeak) })
	line("client_golang / exporter", func(r *result) string { return fmt.Sprintf("%.1f", float64(r.peerPeak)/float64(r.peak)) })
	line("scrapes add, exporter's writer, MiB", func(r *result) string { return mib(r.adds) })
	line("scrapes add, client_golang, MiB", func(r *result) string { return mib(r.peerAdds) })
	line("client_golang / exporter's writer", func(r *result) string {
		return fmt.Sprintf("%.1f", float64(r.peerAdds)/float64(max(r.adds, 1)))
	})
	line("processor, s per s", func(r *result) string { return fmt.Sprintf("%.4f", r.cpu) })
}

func mb(n int64) string { return fmt.Sprintf("%.2f", float64(n)/1e6) }

func mib(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

func ms(list []time.Duration) string { return fmt.Sprintf("%.1f", median(list).Seconds()*1000) }

func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

// ratio is the median of the ratios of what was measured in turn.
func ratio(a, b []time.Duration) string {
	list := make([]float64, len(a))
	for i := range a {
		list[i] = float64(a[i]) / float64(b[i])
	}
	slices.Sort(list)
	return fmt.Sprintf("%.2f", list[len(list)/2])
}
