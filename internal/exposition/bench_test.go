package exposition

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/linezip"
)

// counter counts bytes.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// compressor is a gzip.Writer of any make.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// BenchmarkWrite is a scrape of the reports, plain, and compressed by the
// standard library and by the writer that is used.
func BenchmarkWrite(b *testing.B) {
	for _, rows := range []int{16_000, 225_000} {
		reports := []*View{Rules{}.View(wide(rows, 500))}
		e := newEncoder(newLayout("rocketmq"))
		run := func(b *testing.B, wrap func(io.Writer) io.Writer) {
			b.Helper()
			b.ReportAllocs()
			var out counter
			for b.Loop() {
				out.n = 0
				w := wrap(&out)
				if _, err := e.write(w, Text, reports); err != nil {
					b.Fatal(err)
				}
				if z, ok := w.(compressor); ok {
					_ = z.Close()
				}
			}
			b.ReportMetric(float64(out.n)/1e6, "MB")
		}
		b.Run(fmt.Sprintf("rows=%d/plain", rows), func(b *testing.B) {
			run(b, func(w io.Writer) io.Writer { return w })
		})
		compressed := func(name string, z compressor) {
			b.Run(fmt.Sprintf("rows=%d/%s", rows, name), func(b *testing.B) {
				run(b, func(w io.Writer) io.Writer {
					z.Reset(w)
					return z
				})
			})
		}
		for _, level := range []int{1, 6} {
			standard, err := gzip.NewWriterLevel(nil, level)
			if err != nil {
				b.Fatal(err)
			}
			compressed(fmt.Sprintf("standard%d", level), standard)
		}
		compressed("linezip", linezip.NewWriter(nil))
	}
}

// BenchmarkView is what a round pays for rules of each kind about what is written.
func BenchmarkView(b *testing.B) {
	for _, rows := range []int{16_000, 225_000} {
		report := wide(rows, 500)
		process := regexp.MustCompile(`^(?:10\.20\.0\..*|.*@10499)$`)
		for _, c := range []struct {
			name  string
			rules Rules
		}{
			{"none", Rules{}},
			{"few", Rules{FamilyLimit: 1000}},
			{"most", Rules{FamilyLimit: rows * 8 / 9}},
			{"all", Rules{Limit: rows}},
			{"clients", Rules{Clients: func(ip, pid string) bool { return process.MatchString(ip + "@" + pid) }}},
		} {
			b.Run(fmt.Sprintf("rows=%d/%s", rows, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c.rules.View(report)
				}
			})
		}
	}
}

// BenchmarkClientGolang is the same detail rows as const metrics of
// client_golang, gathered and encoded: what Write is measured against.
func BenchmarkClientGolang(b *testing.B) {
	for _, rows := range []int{16_000, 225_000} {
		report := wide(rows, 500)
		b.Run(fmt.Sprintf("rows=%d/plain", rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := prometheus.NewRegistry()
				r.MustRegister(constRows{report})
				families, err := r.Gather()
				if err != nil {
					b.Fatal(err)
				}
				encoder := expfmt.NewEncoder(io.Discard, expfmt.FmtText)
				for _, mf := range families {
					if err := encoder.Encode(mf); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// constRows collects a report's detail rows.
type constRows struct{ report *lag.Report }

func (constRows) Describe(chan<- *prometheus.Desc) {}

func (c constRows) Collect(metrics chan<- prometheus.Metric) {
	f := family.MsgDiffDetail.Family()
	desc := prometheus.NewDesc(f.FullName("rocketmq"), f.Help, f.Labels, nil)
	for i := range c.report.Details {
		d := &c.report.Details[i]
		pair := c.report.PairOf(d)
		for _, row := range c.report.AppendRows(nil, d) {
			var p lag.Process
			if h := row.Holder; h != lag.NoHolder {
				p = c.report.Processes[h]
			}
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(row.Backlog),
				c.report.Snapshot.Cluster, pair.Topic, pair.Group, c.report.BrokerOf(d), strconv.Itoa(int(row.QueueID)), p.IP, p.PID)
		}
	}
}

// BenchmarkScrape is a whole scrape over a connection of this machine.
func BenchmarkScrape(b *testing.B) {
	for _, rows := range []int{16_000, 225_000} {
		reports := []*View{Rules{}.View(wide(rows, 500))}
		server := httptest.NewServer(Handler(Options{
			Prefix: "rocketmq", Views: func() ([]*View, func()) { return reports, func() {} },
		}))
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run(fmt.Sprintf("rows=%d/%s", rows, encoding), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					scrape(b, server, encoding)
				}
			})
		}
		server.Close()
	}
}

func scrape(b *testing.B, server *httptest.Server, encoding string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", encoding)
	response, err := server.Client().Do(r)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("status %d, err = %v", response.StatusCode, err)
	}
}
