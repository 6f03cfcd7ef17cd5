package remoting

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReadFrame reads frames from hostile bytes: it may refuse, but not panic,
// nor hold much more than has come.
func FuzzReadFrame(f *testing.F) {
	for _, frame := range frameSeeds(f) {
		f.Add(frame)
		f.Add(append(frame, frame...))
		f.Add(frame[:len(frame)-1])
	}
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Add([]byte{0x15, 3, 1, 0, 2, 2, 40})
	f.Add([]byte{0x03, 0xff, 0xff, 0xff, 0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		var buf []byte
		read := 0
		for {
			frame, grown, err := ReadFrame(r, buf, DefaultMaxFrame)
			if buf = grown; cap(buf) > readStep+2*len(b) {
				t.Fatalf("a buffer of %d bytes for %d", cap(buf), len(b))
			}
			if err != nil {
				if !errors.Is(err, ErrMalformed) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("a failure of no known kind: %v", err)
				}
				return
			}
			if read += frame.Size; read > len(b) {
				t.Fatalf("read %d of %d bytes", read, len(b))
			}
		}
	})
}

// FuzzDecode holds each command that Decode takes against itself, written
// anew in both encodings.
func FuzzDecode(f *testing.F) {
	for _, frame := range frameSeeds(f) {
		f.Add(frame[4:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, _, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		for _, enc := range []Encoding{JSONHeader, BinaryHeader} {
			frame, err := c.Append(nil, enc)
			if err != nil {
				continue // a code or a name that the binary header has no room for
			}
			want := c
			if enc == JSONHeader {
				want.Language = parseLanguage([]byte(c.Language.String()))
			}
			again, got, err := Decode(frame[4:])
			if err != nil || got != enc || !sameCommand(again, want) {
				t.Fatalf("%+v became %+v in encoding %d: %v", want, again, enc, err)
			}
		}
	})
}

func frameSeeds(f *testing.F) [][]byte {
	var frames [][]byte
	add := func(c Command) {
		for _, enc := range []Encoding{JSONHeader, BinaryHeader} {
			frame, err := c.Append(nil, enc)
			if err != nil {
				f.Fatal(err)
			}
			frames = append(frames, frame)
		}
	}
	for _, c := range commands {
		if len(c.Body) > 1000 || len(c.Fields) > 3 {
			continue // large seeds are slow and find nothing more
		}
		add(c)
	}
	for _, release := range releases {
		for _, name := range []string{"31999-unknown-code", "106-clusters", "202-topic-stats-idle", "203-connections-nosuch", "21-topic-config"} {
			c, err := decodeJSONHeader(recordedHeader(f, release, name))
			if err != nil {
				f.Fatal(err)
			}
			c.Body = cutText(recordedBody(f, release, name), 600)
			add(c)
		}
	}
	return frames
}

// FuzzBody reads any bytes as each kind of body. White space between the
// tokens must change nothing: with it no decoder's guess of the layout fits.
func FuzzBody(f *testing.F) {
	for which, d := range bodyDecoders {
		for _, release := range releases {
			for _, name := range recordedNames(f, release, d.prefix) {
				body := recordedBody(f, release, name)
				if len(body) > 4000 { // a head of whole entries, closed
					head := body[:bytes.LastIndexByte(body[:3000], '}')+1]
					body = slices.Concat(head, []byte("}}"))
				}
				f.Add(uint8(which), body)
			}
		}
	}
	f.Add(uint8(3), []byte(`{"offsetTable":{"t@g":{0:1,"1":2,-1:-3,2:null,3:"4",4:5.0},"odd":{0:1},"t@g@broadcast":{7:9},"t\u0040g":null}}`))
	f.Add(uint8(5), []byte(`{"offsetTable":{{"topic":"t","queueId":-1,"brokerName":"\ud83d\ude80"}:{"pullOffset":4,"brokerOffset":"1"}}}`))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		d := bodyDecoders[int(which)%len(bodyDecoders)]
		before := bytes.Clone(body)
		plain, err := lines(d.decode, body)
		if !bytes.Equal(body, before) {
			t.Fatal("the body was changed")
		}
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
		loose, looseErr := lines(d.decode, spaced(body))
		if (err == nil) != (looseErr == nil) || err == nil && !slices.Equal(plain, loose) {
			t.Fatalf("with white space it reads differently:\n%q %v\n%q %v", plain, err, loose, looseErr)
		}
	})
}

// FuzzScanner holds the scanner against encoding/json on all that is JSON.
func FuzzScanner(f *testing.F) {
	for _, release := range releases {
		files, _ := filepath.Glob(filepath.Join("testdata", "recorded", release, "*.json"))
		for _, file := range files {
			f.Add(recordedHeader(f, release, strings.TrimSuffix(filepath.Base(file), ".json")))
		}
		f.Add(recordedBody(f, release, "28-runtime"))
		f.Add(recordedBody(f, release, "203-connections-cg_orders"))
	}
	f.Add([]byte(` [null, true, -0, 1.5e3, 9223372036854775807, -9223372036854775808, 18446744073709551616, "\ud83d\ude80\ud83d\"\\\u0041", {}, [], {"a":{"a":1,"a":2}}] `))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := scanner{data: b}
		s.skip()
		skipErr := s.end()
		if !json.Valid(b) || !utf8.Valid(b) {
			return
		}
		s = scanner{data: b}
		got := s.value(t, 0)
		if deep := strings.Contains(fmt.Sprint(skipErr), "nested deeper"); deep {
			return
		}
		if err := errors.Join(s.end(), skipErr); err != nil {
			t.Fatalf("valid JSON is refused: %v", err)
		}
		var want any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
			t.Fatalf("read %s, want %s", g, w)
		}
	})
}

// value reads one value of any kind as encoding/json would with UseNumber, by
// nothing but the scanner's own steps.
func (s *scanner) value(t *testing.T, depth int) any {
	if depth > maxDepth {
		s.fail("nested deeper than the test goes")
		return nil
	}
	switch c := s.peek(); c {
	case '{':
		m := map[string]any{}
		s.enter('{')
		for first := true; s.more('}', first); first = false {
			key := string(s.key())
			m[key] = s.value(t, depth+1)
		}
		return m
	case '[':
		a := []any{}
		s.enter('[')
		for first := true; s.more(']', first); first = false {
			a = append(a, s.value(t, depth+1))
		}
		return a
	case '"':
		return string(s.text())
	case 'n':
		if !s.null() {
			s.fail("not null")
		}
		return nil
	case 't', 'f':
		return s.bool()
	}
	s.space()
	number := scanner{data: s.data, pos: s.pos}
	digits := string(s.word())
	if want, err := strconv.ParseInt(digits, 10, 64); err == nil {
		if got := number.int64(); got != want || number.err != nil || number.pos != s.pos {
			t.Fatalf("%s read as %d, %v", digits, got, number.err)
		}
	}
	return json.Number(digits)
}
