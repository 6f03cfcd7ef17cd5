package exposition

import (
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

const (
	// flushSize is how much is gathered before it is written: a write to a
	// connection wakes whoever reads, and with 48 KiB at a time that took
	// longer than the copy of the bytes.
	flushSize = 240 << 10
	// bufferSize leaves room behind flushSize for the series under way.
	bufferSize = 256 << 10
	// keepSize is the largest buffer that is used again. Only a name of
	// absurd length makes one grow.
	keepSize = 512 << 10
)

// encoder writes series into one buffer that is used over and over. The order
// of calls is begin for a family, in for a cluster, then for each series start,
// label for each label behind the cluster, and end.
type encoder struct {
	layout  *layout
	streams []stream
	format  Format

	w      io.Writer
	buf    []byte
	parts  int      // that were written, or passed to the relay
	relay  *relay   // nil: there is none yet
	rooms  [][]byte // its buffers, between expositions
	err    error    // the first of w; nothing is written after it
	series int

	id        family.ID
	family    *described
	view      *View
	kept      bits      // of the family in the view; nil: all
	ordinal   int       // of the series in it
	measure   *selector // is told of each series, which is not written; may be nil
	value     int64     // of the series, where it is whole
	mark      int       // where the series began in buf
	wasHeaded bool      // before the series
	headed    bool      // the family's header is written
	lead      []byte    // start of each series: the family's name and the cluster
	next      int       // the label that comes next
	detail    []byte    // start of each row of a detail
	ofPair    int       // length of what of it all details of the pair share
	run       []lag.Row // of a detail
	ends      model.Run // or beginnings, of a topic
	holders   holders
	members   map[member]struct{}
	versions  map[int32]string
}

func newEncoder(l *layout) *encoder {
	return &encoder{
		layout:   l,
		streams:  streams(),
		buf:      make([]byte, 0, bufferSize),
		members:  make(map[member]struct{}),
		versions: make(map[int32]string),
	}
}

// reset readies the encoder for one exposition.
func (e *encoder) reset(w io.Writer, f Format) {
	isLarge := func(room []byte) bool { return cap(room) > keepSize }
	if isLarge(e.buf) || isLarge(e.lead) || isLarge(e.detail) || slices.ContainsFunc(e.rooms, isLarge) {
		*e = *newEncoder(e.layout)
	}
	e.w, e.format, e.err, e.series, e.parts = w, f, nil, 0, 0
	e.buf = e.buf[:0]
}

// begin turns to a family. Its header is written with its first series: a
// family without series is not mentioned, as in client_golang.
func (e *encoder) begin(id family.ID) {
	e.id, e.family, e.headed = id, &e.layout.families[id], false
}

// of turns to a cluster, and to what of it is written.
func (e *encoder) of(v *View) {
	e.view, e.kept, e.ordinal = v, v.kept[e.id], 0
	e.in(v.Report.Snapshot.Cluster)
}

// in turns to a cluster, which is the first label of every family.
func (e *encoder) in(cluster string) {
	e.lead = append(e.lead[:0], e.family.keys[0]...)
	e.lead = appendEscaped(e.lead, cluster)
}

func (e *encoder) header() {
	if !e.headed {
		e.buf = append(e.buf, e.family.header[e.format]...)
		e.headed = true
	}
}

func (e *encoder) start() { e.startWith(e.lead, 1) }

// startWith starts a series with what is written of it already, up to the value
// of the label in front of next.
func (e *encoder) startWith(text []byte, next int) {
	e.next = next
	if e.measure != nil {
		return
	}
	e.mark, e.wasHeaded = len(e.buf), e.headed
	e.header()
	e.buf = append(e.buf, text...)
}

func (e *encoder) label(value string) {
	if e.measure != nil {
		e.measure.weights.label(e.next, value)
	} else {
		e.buf = append(e.buf, e.family.keys[e.next]...)
		e.buf = appendEscaped(e.buf, value)
	}
	e.next++
}

func (e *encoder) labelInt(value int64) {
	if e.measure == nil {
		e.buf = append(e.buf, e.family.keys[e.next]...)
		e.buf = strconv.AppendInt(e.buf, value, 10)
	}
	e.next++
}

func (e *encoder) end(value int64) {
	if e.measure == nil {
		e.buf = append(e.buf, closing...)
		e.buf = strconv.AppendInt(e.buf, value, 10)
		e.buf = append(e.buf, '\n')
	}
	e.value = value
	e.ended()
}

// endBool writes 1 or 0.
func (e *encoder) endBool(value bool) {
	if value {
		e.end(1)
	} else {
		e.end(0)
	}
}

// endFloat writes a number that need not be whole.
func (e *encoder) endFloat(value float64) {
	if e.measure == nil {
		e.buf = append(e.buf, closing...)
		e.buf = strconv.AppendFloat(e.buf, value, 'f', -1, 64)
		e.buf = append(e.buf, '\n')
	}
	e.ended()
}

// endSeconds writes a duration in seconds.
func (e *encoder) endSeconds(d time.Duration) {
	if e.measure == nil {
		e.buf = append(e.buf, closing...)
		e.buf = append(appendSeconds(e.buf, d), '\n')
	}
	e.ended()
}

func appendSeconds(dst []byte, d time.Duration) []byte {
	return strconv.AppendFloat(dst, d.Seconds(), 'f', -1, 64)
}

// endTime writes seconds since 1970, to the millisecond.
func (e *encoder) endTime(t time.Time) {
	e.endMillis(t.UnixMilli())
}

// endMillis writes milliseconds as seconds.
func (e *encoder) endMillis(ms int64) { e.endFloat(float64(ms) / 1e3) }

func (e *encoder) ended() {
	if e.measure != nil {
		e.series++
		e.measure.series(e.value)
		return
	}
	if !e.keeps() {
		e.buf, e.headed = e.buf[:e.mark], e.wasHeaded
		return
	}
	e.written()
}

// written counts a series that is whole.
func (e *encoder) written() {
	e.series++
	if len(e.buf) >= flushSize {
		e.flush()
	}
}

// keeps says whether the next series of the family is written.
func (e *encoder) keeps() bool {
	if e.kept == nil {
		return true
	}
	e.ordinal++
	return e.kept.has(e.ordinal - 1)
}

// flush writes what is there, in a large exposition while more is made.
func (e *encoder) flush() {
	if e.err != nil {
		e.buf = e.buf[:0]
		return
	}
	e.parts++
	if e.relay == nil && (e.parts <= partsBefore || runtime.GOMAXPROCS(0) == 1) {
		_, e.err = e.w.Write(e.buf)
		e.buf = e.buf[:0]
		return
	}
	if e.relay == nil {
		e.relay, e.rooms = startRelay(e.w, e.rooms), e.rooms[:0]
	}
	e.buf, e.err = e.relay.pass(e.buf)
}

// finish writes the rest, and waits until all is written.
func (e *encoder) finish() {
	if len(e.buf) > 0 {
		e.flush()
	}
	e.stop()
}

// stop waits until nothing is written any more.
func (e *encoder) stop() {
	if e.relay == nil {
		return
	}
	r := e.relay
	e.relay = nil
	var err error
	if e.rooms, err = r.end(e.rooms); e.err == nil {
		e.err = err
	}
}

// appendEscaped appends a label's value. Each byte that is not valid UTF-8
// becomes U+FFFD; parsers refuse the whole exposition for one.
func appendEscaped(dst []byte, s string) []byte {
	from := 0 // what is in front of it is appended
	for i := plain(s); i < len(s); {
		size, escaped := 1, ""
		switch c := s[i]; {
		case c == '\\':
			escaped = `\\`
		case c == '"':
			escaped = `\"`
		case c == '\n':
			escaped = `\n`
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
				escaped = "\uFFFD"
			}
		}
		if escaped != "" {
			dst = append(dst, s[from:i]...)
			dst = append(dst, escaped...)
			from = i + size
		}
		i += size
	}
	return append(dst, s[from:]...)
}

// plain is how many bytes at the beginning of a label's value are surely written
// as they are: names mostly are, and looking at them byte by byte would be half
// of an exposition's work. It looks at eight at a time.
func plain(s string) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones // of bytes that are not ASCII
	)
	// The high bit of a byte that is 0 becomes 1; so may that of one behind it.
	zeros := func(x uint64) uint64 { return (x - ones) &^ x }
	i := 0
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		if (x|zeros(x^'\\'*ones)|zeros(x^'"'*ones)|zeros(x^'\n'*ones))&highs != 0 {
			break
		}
	}
	return i
}
