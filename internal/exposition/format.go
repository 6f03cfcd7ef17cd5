package exposition

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
)

// Format is one of the formats that can be written.
type Format uint8

// The formats.
const (
	Text        Format = iota // Prometheus' text format 0.0.4
	OpenMetrics               // OpenMetrics 1.0.0
)

// ContentType is the value of the header of that name.
func (f Format) ContentType() string {
	return string(f.expfmt())
}

func (f Format) expfmt() expfmt.Format {
	if f == OpenMetrics {
		return expfmt.FmtOpenMetrics_1_0_0
	}
	return expfmt.FmtText
}

// Negotiate chooses the format that a request likes best. It never refuses:
// whoever accepts neither, nothing or something odd gets the text format, as
// from every Prometheus client.
//
// expfmt's own negotiation also offers protobuf and OpenMetrics 2.0, which the
// streamed families are not written in.
func Negotiate(h http.Header) Format {
	best, bestQ := Text, 0.0
	for part := range accepted(h, "Accept") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		format, ok := formatOf(mediaType, params["version"])
		if q := quality(params["q"]); ok && q > bestQ {
			best, bestQ = format, q
		}
	}
	return best
}

func formatOf(mediaType, version string) (f Format, ok bool) {
	switch mediaType {
	case expfmt.OpenMetricsType:
		return OpenMetrics, version == "" || version == expfmt.OpenMetricsVersion_1_0_0
	case "text/plain":
		return Text, version == "" || version == expfmt.TextVersion
	case "*/*", "text/*":
		return Text, true
	}
	return Text, false
}

// acceptsGzip says whether a response to a request may be compressed.
func acceptsGzip(h http.Header) bool {
	wildcard := false
	for part := range accepted(h, "Accept-Encoding") {
		coding, param, _ := strings.Cut(part, ";")
		q := 1.0
		if name, value, ok := strings.Cut(param, "="); ok && strings.EqualFold(strings.TrimSpace(name), "q") {
			q = quality(strings.TrimSpace(value))
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return q > 0
		case "*":
			wildcard = q > 0
		}
	}
	return wildcard
}

// accepted yields the comma separated parts of every header of a name. No
// value that matters here has a comma in quotes.
func accepted(h http.Header, name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, line := range h.Values(name) {
			for part := range strings.SplitSeq(line, ",") {
				if !yield(part) {
					return
				}
			}
		}
	}
}

// quality reads a q-value; one that is missing or odd is 1.
func quality(s string) float64 {
	q, err := strconv.ParseFloat(s, 64)
	if err != nil || q < 0 || q > 1 || q != q {
		return 1
	}
	return q
}
