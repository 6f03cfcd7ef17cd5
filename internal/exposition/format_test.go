package exposition

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestHandlerFormats(t *testing.T) {
	const (
		plain = "text/plain; version=0.0.4; charset=utf-8"
		open  = "application/openmetrics-text; version=1.0.0; charset=utf-8"
	)
	for _, c := range []struct{ name, accept, want string }{
		{"nothing", "", plain},
		{"curl", "*/*", plain},
		{"browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", plain},
		{
			"Prometheus 2.42",
			"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			open,
		},
		{
			"Prometheus 3",
			"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
				"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			open,
		},
		{
			"Prometheus with native histograms",
			"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6," +
				"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			open,
		},
		{"text preferred", "application/openmetrics-text;q=0.1, text/plain;q=0.9", plain},
		{"OpenMetrics of no version", "application/openmetrics-text", open},
		{"OpenMetrics refused", "application/openmetrics-text;q=0", plain},
		{"OpenMetrics of another version", "application/openmetrics-text;version=2.0.0", plain},
		{"odd", "/;;=,,application/openmetrics-text;q=x,\"", open},
		{"odd q", "text/plain;q=NaN, application/openmetrics-text;q=-3", plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := get(Handler(new(tally).options(registry(t))), http.MethodGet, "Accept", c.accept)
			if got := w.Header().Get("Content-Type"); got != c.want {
				t.Errorf("Content-Type %q, want %q", got, c.want)
			}
			if got := strings.HasSuffix(w.Body.String(), "\n# EOF\n"); got != (c.want == open) {
				t.Errorf("ends with EOF: %v", got)
			}
			for _, want := range []string{`rocketmq_up{cluster="east"} 1`, `own_requests_total{name="a\"b"} 3`} {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("lacks %s", want)
				}
			}
		})
	}
}

func TestHandlerGzip(t *testing.T) {
	h := Handler(new(tally).options(registry(t)))
	plain := get(h, http.MethodGet).Body.String()
	for _, c := range []struct {
		name, accept string
		want         bool
	}{
		{"none", "", false},
		{"gzip", "gzip", true},
		{"among others", "br;q=1.0, GZIP;q=0.8, *;q=0.1", true},
		{"any", "*", true},
		{"refused", "gzip;q=0, *", false},
		{"refused by decimals", "gzip; q=0.000", false},
		{"any refused", "*;q=0", false},
		{"others", "br, zstd", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := get(h, http.MethodGet, "Accept-Encoding", c.accept)
			body := io.Reader(w.Body)
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != c.want {
				t.Fatalf("compressed: %v, want %v", got, c.want)
			}
			if c.want {
				z, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			got, err := io.ReadAll(body)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != plain {
				t.Errorf("it is another exposition:\n%s", got)
			}
		})
	}
}
