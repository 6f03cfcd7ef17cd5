package remoting

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// sameCommand compares what both encodings carry.
func sameCommand(a, b Command) bool {
	return a.Code == b.Code && a.Language == b.Language && a.Version == b.Version && a.Opaque == b.Opaque &&
		a.Flag == b.Flag && a.Remark == b.Remark && slices.Equal(a.Fields, b.Fields) && bytes.Equal(a.Body, b.Body)
}

var commands = map[string]Command{
	"nothing":  {},
	"request":  {Code: int32(GetTopicStatsInfo), Language: LanguageGo, Version: ClientVersion, Opaque: 7, Fields: []Field{{"topic", "orders"}}},
	"answer":   {Version: 513, Opaque: math.MaxInt32, Flag: FlagResponse, Remark: "not set any response code", Body: []byte(`{"offsetTable":{}}`)},
	"negative": {Code: -1, Version: -1, Opaque: math.MinInt32, Flag: -1},
	"odd text": {Remark: "line\none\r\t\x01\"quoted\" back\\slash 主题 \xff", Fields: []Field{{"", ""}, {"a\"b", "\\"}, {"a\"b", "twice"}, {"topicList", strings.Repeat("t;", 70000)}}},
	"body":     {Language: 13, Body: bytes.Repeat([]byte{0, '{', 0xff}, 100000)},
}

func TestCommandSurvivesBothEncodings(t *testing.T) {
	for name, c := range commands {
		for _, enc := range []Encoding{JSONHeader, BinaryHeader} {
			t.Run(fmt.Sprint(name, enc), func(t *testing.T) {
				before := []byte("before")
				frame, err := c.Append(before, enc)
				if err != nil || !bytes.HasPrefix(frame, before) {
					t.Fatalf("Append: %v, %.20q", err, frame)
				}
				frame = frame[len(before):]
				if n := binary.BigEndian.Uint32(frame); int(n) != len(frame)-4 {
					t.Errorf("length word %d before %d bytes", n, len(frame)-4)
				}
				// Byte by byte, as from a slow network, and twice in a row.
				r := bufio.NewReader(iotest.OneByteReader(bytes.NewReader(slices.Concat(frame, frame))))
				var buf []byte
				for range 2 {
					var f Frame
					if f, buf, err = ReadFrame(r, buf, DefaultMaxFrame); err != nil {
						t.Fatal(err)
					}
					if !sameCommand(f.Command, c) || f.Encoding != enc || f.Size != len(frame) {
						t.Errorf("read %.300v (%d bytes), want %.300v (%d bytes)", f, f.Size, c, len(frame))
					}
				}
				if _, _, err = ReadFrame(r, buf, DefaultMaxFrame); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("at the end: %v, want io.EOF", err)
				}
			})
		}
	}
}

func TestJSONHeaderIsJSON(t *testing.T) {
	frame, err := (&Command{Code: 202, Language: LanguageGo, Version: 413, Opaque: 7, Flag: 2, Remark: "a\x02\"\n", Fields: []Field{{"topic", `o"r\d`}}}).Append(nil, JSONHeader)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(frame[8:], &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"code": 202.0, "flag": 2.0, "language": "GO", "opaque": 7.0, "serializeTypeCurrentRPC": "JSON", "version": 413.0,
		"remark": "a\x02\"\n", "extFields": map[string]any{"topic": `o"r\d`},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("header %v, want %v", got, want)
	}
}

// TestBinaryHeaderLayout holds the bytes against RocketMQSerializable.
func TestBinaryHeaderLayout(t *testing.T) {
	frame, err := (&Command{Code: 28, Language: LanguageGo, Version: 413, Opaque: 5, Flag: 1, Remark: "ok", Fields: []Field{{"k", "val"}}, Body: []byte("B")}).Append(nil, BinaryHeader)
	want := slices.Concat(
		[]byte{0, 0, 0, 38},          // length
		[]byte{1, 0, 0, 33},          // binary, header length
		[]byte{0, 28, 9, 1, 157},     // code, language, version
		[]byte{0, 0, 0, 5},           // opaque
		[]byte{0, 0, 0, 1},           // flag
		[]byte{0, 0, 0, 2, 'o', 'k'}, // remark
		[]byte{0, 0, 0, 10},          // ext fields
		[]byte{0, 1, 'k', 0, 0, 0, 3, 'v', 'a', 'l'},
		[]byte("B"),
	)
	if err != nil || !bytes.Equal(frame, want) {
		t.Errorf("%v\n got %v\nwant %v", err, frame, want)
	}
}

func TestRecordedHeaders(t *testing.T) {
	for _, release := range releases {
		version := map[string]int32{"4.9.7": 407, "5.5.0": 513}[release]
		for name, want := range map[string]Command{
			"31999-unknown-code":      {Code: int32(RequestCodeNotSupported), Remark: " request type 31999 not supported"},
			"202-topic-stats-nosuch":  {Code: int32(TopicNotExist), Remark: "topic[nosuch] not exist"},
			"203-connections-nosuch":  {Code: int32(ConsumerNotOnline), Remark: "the consumer group[nosuch] not online"},
			"307-running-cg_orders-0": {Remark: "not set any response code"},
			"43-offsets":              {},
		} {
			got, err := decodeJSONHeader(recordedHeader(t, release, name))
			want.Flag, want.Version = FlagResponse, version
			if err != nil || !sameCommand(got, want) || !got.IsResponse() || got.IsOneway() {
				t.Errorf("%s %s: %+v, %v; want %+v", release, name, got, err, want)
			}
		}
	}
	got, err := decodeJSONHeader(recordedHeader(t, "5.5.0", "21-topic-config"))
	if v, ok := got.Field("totalTopicNum"); err != nil || v != "1280" || !ok {
		t.Errorf("totalTopicNum %q, %v, %v", v, ok, err)
	}
	if v, ok := got.Field("absent"); v != "" || ok {
		t.Errorf("absent field: %q, %v", v, ok)
	}
}

func TestJSONHeaderOddities(t *testing.T) {
	long := strings.Repeat("x", maxRemark)
	for _, c := range []struct {
		header string
		want   Command
	}{
		{`{}`, Command{Language: LanguageOther}},
		{`{"code":28}`, Command{Code: 28, Language: LanguageOther}},
		{` { "code" : 1 , "flag":3, "new":{"a":[1,{"b":"}"}]}, "opaque":-1 } `, Command{Code: 1, Flag: 3, Opaque: -1, Language: LanguageOther}},
		{`{"remark":null,"extFields":null,"language":null,"code":null}`, Command{Language: LanguageOther}},
		{`{"extFields":{},"language":"JAVA"}`, Command{}},
		{`{"extFields":{"a":null,"b":12,"c":true,"d":"x"}}`, Command{Language: LanguageOther, Fields: []Field{{"a", ""}, {"b", "12"}, {"c", "true"}, {"d", "x"}}}},
		{`{"language":"COBOL","version":"513","code":"206"}`, Command{Code: 206, Version: 513, Language: LanguageOther}},
		{`{"language":"NODE_JS"}`, Command{Language: 13}},
		{`{"remark":"` + long + `yz"}`, Command{Language: LanguageOther, Remark: long}},
		{`{"remark":"` + long[:maxRemark-1] + `主题"}`, Command{Language: LanguageOther, Remark: long[:maxRemark-1]}},
		{`{"code":1,"code":2}`, Command{Code: 2, Language: LanguageOther}},
	} {
		got, err := decodeJSONHeader([]byte(c.header))
		if err != nil || !sameCommand(got, c.want) {
			t.Errorf("%.80s: %.200v, %v; want %.200v", c.header, got, err, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	headed := func(enc byte, header string) []byte {
		return append([]byte{enc, 0, byte(len(header) >> 8), byte(len(header))}, header...)
	}
	fixed := "\x00\x1c\x09\x01\x9d\x00\x00\x00\x05\x00\x00\x00\x01" // binary: up to the flag
	for _, c := range []struct {
		name  string
		frame []byte
		words string
	}{
		{"nothing", nil, "malformed: frame of 0 bytes has no header word"},
		{"half a word", []byte{0, 0, 0}, "malformed: frame of 3 bytes has no header word"},
		{"header longer than frame", []byte{0, 0, 0, 3, '{', '}'}, "malformed: header of 3 bytes in a frame of 6"},
		{"longest header", []byte{0, 0xff, 0xff, 0xff, '{', '}'}, "malformed: header of 16777215 bytes in a frame of 6"},
		{"unknown encoding", []byte{2, 0, 0, 0}, "malformed: header encoding 2: known are 0 (JSON) and 1 (ROCKETMQ)"},
		{"empty header", []byte{0, 0, 0, 0}, `header: malformed: byte 0: want '{', found the end`},
		{"array", headed(0, `[1]`), `header: malformed: byte 0: want '{', found "[1]"`},
		{"cut", headed(0, `{"code":1`), `header: malformed: byte 9: want ',' or '}', found the end`},
		{"garbage behind", headed(0, `{"code":1}}`), `header: malformed: byte 10: want the end, found "}"`},
		{"code beyond 32 bits", headed(0, `{"code":2147483648}`), `header: malformed: byte 8: want a whole number of 32 bits, found "2147483648}"`},
		{"code as object", headed(0, `{"code":{}}`), `header: malformed: byte 8: want a value, found "{}}"`},
		{"ext field as object", headed(0, `{"extFields":{"a":{}}}`), `header: malformed: byte 18: want text, found "{}}}"`},
		{"binary: cut", headed(1, fixed[:4]), "binary header: malformed: 2 bytes wanted, 1 left"},
		{"binary: no remark", headed(1, fixed), "binary header: malformed: 4 bytes wanted, 0 left"},
		{"binary: forged remark", headed(1, fixed+"\x7f\xff\xff\xffx"), "binary header: malformed: 2147483647 bytes wanted, 1 left"},
		{"binary: negative remark", headed(1, fixed+"\xff\xff\xff\xffx"), "binary header: malformed: -1 bytes wanted, 1 left"},
		{"binary: forged ext fields", headed(1, fixed+"\x00\x00\x00\x00\x00\x00\x00\x09x"), "binary header: malformed: 9 bytes wanted, 1 left"},
		{"binary: negative key", headed(1, fixed+"\x00\x00\x00\x00\x00\x00\x00\x03\xff\xffx"), "binary header: malformed: -1 bytes wanted, 1 left"},
		{"binary: value cut", headed(1, fixed+"\x00\x00\x00\x00\x00\x00\x00\x08\x00\x01k\x00\x00\x00\x02v"), "binary header: malformed: 2 bytes wanted, 1 left"},
		{"binary: bytes behind", headed(1, fixed+"\x00\x00\x00\x00\x00\x00\x00\x00x"), "binary header: malformed: 1 bytes behind the last field"},
	} {
		got, _, err := Decode(c.frame)
		if !errors.Is(err, ErrMalformed) || err.Error() != c.words || !sameCommand(got, Command{}) {
			t.Errorf("%s: %+v, %v; want %s", c.name, got, err, c.words)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	long := strings.Repeat("x", maxHeader+1)
	for _, c := range []struct {
		c     Command
		enc   Encoding
		words string
	}{
		{Command{}, 2, "header encoding 2: allowed are 0 (JSON) and 1 (ROCKETMQ)"},
		{Command{Code: 200055}, BinaryHeader, "code 200055 does not fit the two bytes of a binary header"},
		{Command{Version: 40000}, BinaryHeader, "version 40000 does not fit the two bytes of a binary header"},
		{Command{Fields: []Field{{long[:40000], ""}}}, BinaryHeader, "ext field name of 40000 bytes: at most 32767"},
		{Command{Remark: long}, JSONHeader, "header of 16777321 bytes: at most 16777215 fit into a frame"},
		{Command{Remark: long}, BinaryHeader, "header of 16777237 bytes: at most 16777215 fit into a frame"},
	} {
		got, err := c.c.Append([]byte("before"), c.enc)
		if err == nil || err.Error() != c.words || string(got) != "before" {
			t.Errorf("%v: wrote %d bytes; want %s", err, len(got)-6, c.words)
		}
	}
}

func TestReadFrameRefuses(t *testing.T) {
	frame, _ := (&Command{Body: make([]byte, 20)}).Append(nil, JSONHeader)
	for _, c := range []struct {
		name  string
		bytes []byte
		limit int
		is    error
		words string
	}{
		{"nothing", nil, 100, io.EOF, "EOF"},
		{"half a length", []byte{0, 0}, 100, io.ErrUnexpectedEOF, "length word: unexpected EOF"},
		{"only a length", []byte{0, 0, 0, 9}, 100, io.ErrUnexpectedEOF, "frame of 9 bytes cut off: unexpected EOF"},
		{"cut", frame[:len(frame)-1], 1000, io.ErrUnexpectedEOF, fmt.Sprintf("frame of %d bytes cut off: unexpected EOF", len(frame)-4)},
		{"length 0", make([]byte, 8), 100, ErrMalformed, "malformed: frame length 0: allowed are 4 to 100 bytes"},
		{"length 3", []byte{0, 0, 0, 3, 0, 0, 0}, 100, ErrMalformed, "malformed: frame length 3: allowed are 4 to 100 bytes"},
		{"one above the limit", frame, len(frame) - 5, ErrMalformed, fmt.Sprintf("malformed: frame length %d: allowed are 4 to %d bytes", len(frame)-4, len(frame)-5)},
		{"2 GiB", []byte{0x7f, 0xff, 0xff, 0xff}, DefaultMaxFrame, ErrMalformed, "malformed: frame length 2147483647: allowed are 4 to 67108864 bytes"},
		{"4 GiB", []byte{0xff, 0xff, 0xff, 0xff}, DefaultMaxFrame, ErrMalformed, "malformed: frame length 4294967295: allowed are 4 to 67108864 bytes"},
		{"header longer than frame", []byte{0, 0, 0, 4, 0, 0, 0, 1}, 100, ErrMalformed, "malformed: header of 1 bytes in a frame of 4"},
		{"HTTP", []byte("HTTP/1.1 400"), DefaultMaxFrame, ErrMalformed, "malformed: the peer speaks HTTP, not RocketMQ's remoting protocol"},
		{"HTML", []byte("<html>"), DefaultMaxFrame, ErrMalformed, "malformed: the peer speaks HTTP, not RocketMQ's remoting protocol"},
		{"TLS alert", []byte{0x15, 3, 1, 0, 2, 2, 40}, DefaultMaxFrame, ErrMalformed, "malformed: the peer speaks TLS, this connection does not"},
		{"TLS hello", []byte{0x16, 3, 1, 0, 2, 2, 40}, DefaultMaxFrame, ErrMalformed, "malformed: the peer speaks TLS, this connection does not"},
	} {
		f, buf, err := ReadFrame(bufio.NewReader(bytes.NewReader(c.bytes)), nil, c.limit)
		if !errors.Is(err, c.is) || err.Error() != c.words || f.Size != 0 {
			t.Errorf("%s: %v, want %s", c.name, err, c.words)
		}
		if cap(buf) > 1000 {
			t.Errorf("%s: allocated %d bytes", c.name, cap(buf))
		}
	}
}

func TestForgedLengthCostsLittle(t *testing.T) {
	// 64 MiB announced, 3 MiB sent: memory follows what has come.
	const sent = 3 << 20
	forged := binary.BigEndian.AppendUint32(nil, DefaultMaxFrame)
	_, buf, err := ReadFrame(bufio.NewReader(io.MultiReader(bytes.NewReader(forged), io.LimitReader(zeros{}, sent))), nil, DefaultMaxFrame)
	if !errors.Is(err, io.ErrUnexpectedEOF) || cap(buf) > 2*sent {
		t.Errorf("%v with a buffer of %d bytes for %d that came", err, cap(buf), sent)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadFrameUsesItsBufferAgain(t *testing.T) {
	big, _ := (&Command{Body: make([]byte, 5<<20)}).Append(nil, JSONHeader)
	small, _ := (&Command{Opaque: 1, Body: []byte("small")}).Append(nil, JSONHeader)
	_, buf, err := ReadFrame(bufio.NewReader(bytes.NewReader(big)), nil, DefaultMaxFrame)
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(nil)
	br := bufio.NewReader(nil)
	if n := testing.AllocsPerRun(20, func() {
		r.Reset(small)
		br.Reset(r)
		var f Frame
		if f, buf, err = ReadFrame(br, buf, DefaultMaxFrame); err != nil || string(f.Body) != "small" {
			t.Errorf("%q, %v", f.Body, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a frame that fits its buffer", n)
	}
}

func TestReadFramePassesOnErrorsOfTheNetwork(t *testing.T) {
	boom := errors.New("connection reset by peer")
	for _, sent := range [][]byte{nil, {0, 0}, {0, 0, 0, 9, 0}} {
		r := bufio.NewReader(io.MultiReader(bytes.NewReader(sent), iotest.ErrReader(boom)))
		if _, _, err := ReadFrame(r, nil, 100); !errors.Is(err, boom) || errors.Is(err, ErrMalformed) {
			t.Errorf("after %d bytes: %v", len(sent), err)
		}
	}
}

func TestNames(t *testing.T) {
	for l := Language(-1); l < 15; l++ {
		if name := l.String(); name != "OTHER" && parseLanguage([]byte(name)) != l {
			t.Errorf("language %d does not come back from %s", l, name)
		}
	}
	seen := map[string]bool{}
	for c := range RequestCode(1000) {
		name := c.String()
		if seen[name] {
			t.Errorf("%s names two requests", name)
		}
		seen[name] = true
	}
	if got := RequestCode(31999).String(); got != "request 31999" {
		t.Error(got)
	}
	for c := range ResponseCode(2000) {
		name := c.String()
		if seen[name] {
			t.Errorf("%s names two codes", name)
		}
		seen[name] = true
	}
}
