package remoting

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// manyRows repeats the rows of a recorded offsetTable until it has n of them,
// as a broker with that many queues would answer.
func manyRows(b testing.TB, body []byte, n int) []byte {
	b.Helper()
	open := []byte(`"offsetTable":{`)
	from := bytes.Index(body, open) + len(open)
	to := bytes.LastIndex(body, []byte("}}"))
	if rest := bytes.Index(body, []byte(`}},"`)); rest > 0 {
		to = rest + 1
	}
	rows := body[from:to]
	per := bytes.Count(rows, []byte(`"queueId"`))
	out := append([]byte(nil), body[:from]...)
	for have := 0; have < n; have += per {
		if have > 0 {
			out = append(out, ',')
		}
		out = append(out, rows...)
	}
	return append(out, body[to:]...)
}

// longOffsets are the commits of n groups on a topic of 8 queues each, which have
// been in use for some years.
func longOffsets(n int) []byte {
	out := []byte(`{"offsetTable":{`)
	for i := range n {
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `"topic-of-some-length-%05d@consumer-group-%05d":{`, i/4, i)
		for q := range 8 {
			if q > 0 {
				out = append(out, ',')
			}
			out = fmt.Appendf(out, "%d:%d", q, 100_000_000+(i*8+q)*7919)
		}
		out = append(out, '}')
	}
	return append(out, "}}"...)
}

func BenchmarkDecode(b *testing.B) {
	probe := recordedBody(b, "5.5.0", "208-probe")
	stats := recordedBody(b, "5.5.0", "202-topic-stats-orders")
	for _, c := range []struct {
		name   string
		body   []byte
		decode func([]byte) error
	}{
		{"43-offsets", recordedBody(b, "5.5.0", "43-offsets"), func(body []byte) error {
			_, err := DecodeConsumerOffsets(body, func(*OffsetKey) bool { return true }, func(int32, int64) {})
			return err
		}},
		{"43-offsets-long", longOffsets(1000), func(body []byte) error {
			_, err := DecodeConsumerOffsets(body, func(*OffsetKey) bool { return true }, func(int32, int64) {})
			return err
		}},
		{"208-probe", probe, func(body []byte) error {
			return DecodeConsumeStats(body, func(*MessageQueue, *ConsumeOffset) {})
		}},
		{"208-probe-8000", manyRows(b, probe, 8000), func(body []byte) error {
			return DecodeConsumeStats(body, func(*MessageQueue, *ConsumeOffset) {})
		}},
		{"202-orders", stats, func(body []byte) error {
			return DecodeTopicStats(body, func(*MessageQueue, *TopicOffset) {})
		}},
		{"21-topics", recordedBody(b, "5.5.0", "21-topic-config"), func(body []byte) error {
			return DecodeTopicConfigs(body, func(TopicConfig) {})
		}},
		{"201-groups", recordedBody(b, "5.5.0", "201-groups"), func(body []byte) error {
			return DecodeGroups(body, func([]byte) {})
		}},
		{"203-connections", recordedBody(b, "5.5.0", "203-connections-cg_orders"), func(body []byte) error {
			_, err := DecodeConsumerConnections(body)
			return err
		}},
		{"307-running", recordedBody(b, "5.5.0", "307-running-cg_payments-0"), func(body []byte) error {
			return DecodeRunningInfo(body, func(RunningQueue) {})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.decode(c.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeHeader reads the header of one answer: a round has thousands.
func BenchmarkDecodeHeader(b *testing.B) {
	for _, enc := range []Encoding{JSONHeader, BinaryHeader} {
		frame, err := (&Command{Version: 513, Opaque: 12345, Flag: FlagResponse}).Append(nil, enc)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint("encoding-", enc), func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Decode(frame[4:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The pipeline against its floor: 1000 requests and their answers as bytes,
// each way in one stream.
const batchSize = 1000

func benchRequest(i int) Request {
	return Request{Code: GetTopicStatsInfo, Fields: []Field{{"topic", "load-t-" + strconv.Itoa(i)}}}
}

func BenchmarkPipeline(b *testing.B) {
	body := recordedBody(b, "5.5.0", "202-topic-stats-orders")
	addr := listen(b, func(p *peerConn) {
		var out []byte
		for {
			c, ok := p.next()
			if !ok {
				return
			}
			out, _ = (&Command{Opaque: c.Opaque, Flag: FlagResponse, Version: 513, Body: body}).Append(out, JSONHeader)
			if p.r.Buffered() == 0 {
				_, _ = p.Write(out)
				out = out[:0]
			}
		}
	})
	for _, c := range []struct {
		name string
		who  Credentials
	}{{"plain", Credentials{}}, {"signed", monitor()}} {
		for _, window := range []int{1, 8, 64} {
			b.Run(fmt.Sprint(c.name, "/window-", window), func(b *testing.B) {
				client := NewClient(Options{Window: window, Credentials: c.who})
				defer client.Close()
				b.ReportAllocs()
				b.SetBytes(int64(batchSize * len(body)))
				for b.Loop() {
					client.Pipeline(b.Context(), addr, batchSize, benchRequest, func(_ int, _ Response, err error) {
						if err != nil {
							b.Fatal(err)
						}
					})
				}
			})
		}
	}
}

// BenchmarkSign signs one small request, and one that lists very many topics.
func BenchmarkSign(b *testing.B) {
	many := strings.Repeat("a-topic-with-a-name;", 4096)
	for _, c := range []struct {
		name   string
		fields []Field
	}{
		{"no-fields", nil},
		{"one-topic", []Field{{"topic", "load-t-500"}}},
		{"topic-list", []Field{{"consumerGroup", "no-such-group"}, {"topicList", many}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newSigner(monitor())
			b.ReportAllocs()
			for b.Loop() {
				s.sign(c.fields, nil)
			}
		})
	}
}

// BenchmarkBareBytes is the floor of BenchmarkPipeline: the same bytes in
// windows of the same sizes, with nothing decoded.
func BenchmarkBareBytes(b *testing.B) {
	body := recordedBody(b, "5.5.0", "202-topic-stats-orders")
	r := benchRequest(500)
	request, err := (&Command{Code: int32(r.Code), Language: LanguageGo, Version: ClientVersion, Opaque: 500, Fields: r.Fields}).Append(nil, JSONHeader)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := (&Command{Opaque: 500, Flag: FlagResponse, Version: 513, Body: body}).Append(nil, JSONHeader)
	if err != nil {
		b.Fatal(err)
	}
	for _, window := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("window-", window), func(b *testing.B) {
			addr := listen(b, func(p *peerConn) {
				in, out := make([]byte, window*len(request)), bytes.Repeat(answer, window)
				for {
					if _, err := io.ReadFull(p.Conn, in); err != nil {
						return
					}
					_, _ = p.Write(out)
				}
			})
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				b.Fatal(err)
			}
			defer nc.Close()
			out, in := bytes.Repeat(request, window), make([]byte, window*len(answer))
			b.SetBytes(int64(batchSize * len(body)))
			for b.Loop() {
				for range batchSize / window {
					if _, err := nc.Write(out); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(nc, in); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
