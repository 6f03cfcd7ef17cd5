package remoting

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestScannerIntegers(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  int64
		words string // of the failure
	}{
		{"0", 0, ""},
		{"-1", -1, ""},
		{" 42 ", 42, ""},
		{"007", 7, ""},
		{"null", 0, ""},
		{`"127"`, 127, ""},
		{`"-127"`, -127, ""},
		{`""`, 0, ""},
		{`"null"`, 0, ""},
		{"164.38333333333333", 164, ""},
		{"-0.5", 0, ""},
		{"1.7954009637E12", 1795400963700, ""},
		{"999999999999999999", 999999999999999999, ""},
		{"1000000000000000000", 1000000000000000000, ""},
		{"9223372036854775807", math.MaxInt64, ""},
		{"-9223372036854775808", math.MinInt64, ""},
		{`"9223372036854775807"`, math.MaxInt64, ""},
		{"9223372036854775808", 0, `byte 0: want a whole number of 64 bits, found "922337203685"`},
		{"-9223372036854775809", 0, `byte 0: want a whole number of 64 bits, found "-92233720368"`},
		{"1e400", 0, `byte 0: want a whole number of 64 bits, found "1e400"`},
		{"NaN", 0, `byte 0: want a whole number of 64 bits, found "NaN"`},
		{"Infinity", 0, `byte 0: want a whole number of 64 bits, found "Infinity"`},
		{"-", 0, `byte 0: want a whole number of 64 bits, found "-"`},
		{" 1x", 0, `byte 1: want a whole number of 64 bits, found "1x"`},
		{"", 0, "byte 0: want a value, found the end"},
		{"{}", 0, `byte 0: want a value, found "{}"`},
		{"1 2", 0, `byte 2: want the end, found "2"`},
		{"1\x00", 0, `byte 1: want the end, found "\x00"`},
	} {
		s := scanner{data: []byte(c.text)}
		got := s.int64()
		err := s.end()
		if c.words == "" && (err != nil || got != c.want) {
			t.Errorf("%q: %d, %v; want %d", c.text, got, err, c.want)
		}
		if c.words != "" && (!errors.Is(err, ErrMalformed) || err.Error() != "malformed: "+c.words) {
			t.Errorf("%q: %d, %v; want %s", c.text, got, err, c.words)
		}
	}
	s := scanner{data: []byte("-2147483648,2147483647,2147483648")}
	lo, _, hi := s.int32(), s.more('}', false), s.int32()
	if s.err != nil || lo != math.MinInt32 || hi != math.MaxInt32 {
		t.Errorf("%d, %d, %v", lo, hi, s.err)
	}
	s.more('}', false)
	if s.int32(); s.err == nil || s.err.Error() != `malformed: byte 23: want a whole number of 32 bits, found "2147483648"` {
		t.Error(s.err)
	}
}

func TestScannerText(t *testing.T) {
	for _, c := range []struct{ text, want, words string }{
		{`""`, "", ""},
		{`"orders"`, "orders", ""},
		{"null", "", ""},
		{"true", "true", ""},
		{"12.5", "12.5", ""},
		{`"主题"`, "主题", ""},
		{"\"raw\n\x01\ttext\"", "raw\n\x01\ttext", ""},
		{`"\"\\\/\b\f\n\r\t\v\'"`, "\"\\/\b\f\n\r\t\v'", ""},
		{`"a\u4e3b\u0000b"`, "a主\x00b", ""},
		{`"\ud83d\ude80!"`, "🚀!", ""},
		{`"\ud83d"`, "\ufffd", ""},
		{`"\ud83d\u0041"`, "\ufffdA", ""},
		{`"\ude80\ud83d\ude80"`, "\ufffd🚀", ""},
		{`"`, "", "byte 1: text without an end"},
		{`"abc`, "", "byte 1: text without an end"},
		{`"abc\`, "", "byte 5: text without an end"},
		{`"abc\"`, "", "byte 6: text without an end"},
		{`"\u12"`, "", `byte 3: \u wants four hexadecimal digits`},
		{`"\u12g4"`, "", `byte 3: \u wants four hexadecimal digits, found "12g4\""`},
		{`"\ud83d\u12"`, "", `byte 9: \u wants four hexadecimal digits`},
		{"{}", "", `byte 0: want text, found "{}"`},
		{"[1]", "", `byte 0: want text, found "[1]"`},
		{":", "", `byte 0: want a value, found ":"`},
		{"'x'", "", `byte 0: want a value, found "'x'"`},
	} {
		s := scanner{data: []byte(c.text)}
		got := string(s.text())
		err := s.end()
		if c.words == "" && (err != nil || got != c.want) {
			t.Errorf("%q: %q, %v; want %q", c.text, got, err, c.want)
		}
		if c.words != "" && (!errors.Is(err, ErrMalformed) || err.Error() != "malformed: "+c.words) {
			t.Errorf("%q: %q, %v; want %s", c.text, got, err, c.words)
		}
	}
}

func TestScannerBools(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "false": false, "null": false, `"true"`: true, `""`: false} {
		s := scanner{data: []byte(text)}
		if got := s.bool(); got != want || s.end() != nil {
			t.Errorf("%s: %v, %v", text, got, s.err)
		}
	}
	s := scanner{data: []byte("1")}
	if s.bool(); s.err == nil || s.err.Error() != `malformed: byte 0: want true or false, found "1"` {
		t.Error(s.err)
	}
}

func TestScannerSkips(t *testing.T) {
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	for _, c := range []struct{ text, words string }{
		{"null", ""},
		{"-12.5E+3", ""},
		{`"a\"b\\"`, ""},
		{`"\\\\\""`, ""},
		{"{}", ""},
		{"[]", ""},
		{`{"a":[1,{"b":"]}\"{"},null],"c":{}}`, ""},
		{`{{"brokerName":"b"}:{"x":1},0:"a",-1:2}`, ""},
		{"[\n 1 , \"raw\ntext\" ]", ""},
		{deep, ""},
		{"[" + deep + "]", "byte 256: nested deeper than 256"},
		{"", "byte 0: want a value, found the end"},
		{"\x00", `byte 0: want a value, found "\x00"`},
		{"}", `byte 0: want a value, found "}"`},
		{",", `byte 0: want a value, found ","`},
		{":1", `byte 0: want a value, found ":1"`},
		{`{"a":[1,2`, `byte 0: value without an end: "{\"a\":[1,2"`},
		{`{"a":"x`, "byte 6: text without an end"},
		{`"abc\"`, "byte 6: text without an end"},
		{`{}}`, `byte 2: want the end, found "}"`},
		{"1\x00", `byte 1: want the end, found "\x00"`},
	} {
		s := scanner{data: []byte(c.text)}
		s.skip()
		err := s.end()
		if c.words == "" && err != nil || c.words != "" && (!errors.Is(err, ErrMalformed) || err.Error() != "malformed: "+c.words) {
			t.Errorf("%.60q: %v; want %q", c.text, err, c.words)
		}
	}
}

func TestScannerStaysWithItsFirstFailure(t *testing.T) {
	s := scanner{data: []byte(`{"a" 1}`)}
	s.enter('{')
	s.key()
	first := s.err
	if first == nil || first.Error() != `malformed: byte 5: want ':', found "1}"` {
		t.Fatal(first)
	}
	at := s.pos
	s.skip()
	if s.more('}', false) || s.null() || s.text() != nil || s.int64() != 0 || s.int32() != 0 || s.bool() || s.enter('{') {
		t.Error("a scanner that has failed goes on")
	}
	if !errors.Is(s.end(), first) || s.pos != at {
		t.Errorf("%v at %d, then %v at %d", first, at, s.err, s.pos)
	}
}

func TestAppendJSONString(t *testing.T) {
	for _, text := range []string{"", "orders", "%RETRY%cg", "a\"b\\c", "\x00\x01\b\f\n\r\t\x1f\x7f", "主题 🚀", "\u2028", strings.Repeat("\"", 100)} {
		quoted := AppendJSONString([]byte("x"), text)[1:]
		var got string
		if err := json.Unmarshal(quoted, &got); err != nil || got != text {
			t.Errorf("%s: %q, %v; want %q", quoted, got, err, text)
		}
		s := scanner{data: quoted}
		if got := string(s.text()); got != text || s.end() != nil {
			t.Errorf("%s: %q, %v; want %q", quoted, got, s.err, text)
		}
	}
}

func TestCutText(t *testing.T) {
	for n, want := range []string{"", "a", "a", "a", "a主", "a主b", "a主b"} {
		if got := cutText("a主b", n); got != want {
			t.Errorf("%d bytes: %s, want %s", n, strconv.Quote(got), strconv.Quote(want))
		}
	}
}
