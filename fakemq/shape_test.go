package fakemq

import (
	"fmt"
	"strings"
	"testing"
)

// shape lists what a body in fastjson's dialect is made of: one line per path
// and kind of value, with "*" for the entries of a map or list. Two bodies of
// one shape differ only in their values.
func shape(body []byte) (map[string]bool, error) {
	w := walker{in: body, lines: map[string]bool{}}
	w.value("")
	if w.err == nil && w.at < len(w.in) {
		w.fail("something behind the end")
	}
	return w.lines, w.err
}

// dataKeyed are the objects whose keys are data.
var dataKeyed = map[string]bool{
	"offsetTable": true, "pullOffsetTable": true, "groupTopicMap": true, "topicConfigTable": true,
	"subscriptionGroupTable": true, "brokerAddrTable": true, "clusterAddrTable": true, "brokerAddrs": true,
	"subscriptionTable": true, "data": true, "mqTable": true, "mqPopTable": true, "statusTable": true,
	"timingCount": true,
}

type walker struct {
	in    []byte
	at    int
	lines map[string]bool
	err   error
}

func (w *walker) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("byte %d: %s", w.at, fmt.Sprintf(format, args...))
	}
}

func (w *walker) peek() byte {
	if w.err != nil || w.at >= len(w.in) {
		w.fail("the end")
		return 0
	}
	return w.in[w.at]
}

func (w *walker) take(c byte) {
	if got := w.peek(); got != c {
		w.fail("want %q, got %q", c, got)
		return
	}
	w.at++
}

func (w *walker) value(path string) {
	switch w.peek() {
	case '{':
		w.object(path)
	case '[':
		w.array(path)
	case '"':
		w.text()
		w.lines[path+" text"] = true
	default:
		start := w.at
		for w.at < len(w.in) && !strings.ContainsRune(",}]:", rune(w.in[w.at])) {
			w.at++
		}
		w.lines[path+" "+wordKind(string(w.in[start:w.at]))] = true
	}
}

func wordKind(word string) string {
	switch {
	case word == "true" || word == "false":
		return "bool"
	case word == "null":
		return "null"
	case strings.ContainsAny(word, ".E"):
		return "double"
	}
	return "integer"
}

func (w *walker) text() string {
	w.take('"')
	start := w.at
	for w.peek() != '"' && w.err == nil {
		if w.in[w.at] == '\\' {
			w.at++
		}
		w.at++
	}
	w.take('"')
	if w.err != nil {
		return ""
	}
	return string(w.in[start : w.at-1])
}

func (w *walker) object(path string) {
	w.lines[path+" object"] = true
	name := path[strings.LastIndexByte(path, '.')+1:]
	// The table of tables of 43 nests: the map inside a map's entry.
	inMap := dataKeyed[name] || name == "*" && strings.Contains(path, "ffsetTable.") && w.bareKey()
	w.take('{')
	for first := true; w.err == nil && w.peek() != '}'; first = false {
		if !first {
			w.take(',')
		}
		kind, key := w.key(path)
		w.take(':')
		if inMap {
			w.lines[path+" keys "+kind] = true
			key = "*"
		}
		w.value(path + "." + key)
	}
	w.take('}')
}

// bareKey says whether an object's first key is a bare number.
func (w *walker) bareKey() bool {
	return w.at+1 < len(w.in) && (w.in[w.at+1] >= '0' && w.in[w.at+1] <= '9' || w.in[w.at+1] == '}')
}

func (w *walker) key(path string) (kind, key string) {
	switch w.peek() {
	case '"':
		return "text", w.text()
	case '{':
		w.value(path + ".key")
		return "object", "*"
	}
	start := w.at
	for w.peek() != ':' && w.err == nil {
		w.at++
	}
	return "integer", string(w.in[start:w.at])
}

func (w *walker) array(path string) {
	w.lines[path+" list"] = true
	w.take('[')
	for first := true; w.err == nil && w.peek() != ']'; first = false {
		if !first {
			w.take(',')
		}
		w.value(path + ".*")
	}
	w.take(']')
}

func compareShapes(t *testing.T, got, want []byte, ignore func(line string) bool) {
	t.Helper()
	g, err := shape(got)
	if err != nil {
		t.Fatalf("fake body: %v\n%s", err, got)
	}
	w, err := shape(want)
	if err != nil {
		t.Fatalf("recorded body: %v", err)
	}
	for line := range w {
		if !g[line] && !ignore(line) {
			t.Errorf("recorded has, fake lacks: %s", line)
		}
	}
	for line := range g {
		if !w[line] {
			t.Errorf("fake has, recorded lacks: %s", line)
		}
	}
}
