package fakemq

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// ConsoleFault makes a console misbehave.
type ConsoleFault struct {
	// Path is the path that it concerns, without the context path. Empty is
	// every path.
	Path string
	// Query, where given, are parameters that the call must have with these
	// values: {"topic": "orders"}.
	Query map[string]string
	// Times is how often it happens. 0 is until it is removed.
	Times int
	// Effect is what happens instead of an answer.
	Effect ConsoleEffect
}

// ConsoleInjection is a fault at work on a console.
type ConsoleInjection struct {
	console *Console
	fault   ConsoleFault
	left    int
	hits    int
}

// Inject puts a fault on a console. Of several that concern a call the one
// injected first counts. It comes before the proxy and the login.
func (s *Console) Inject(f ConsoleFault) *ConsoleInjection {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &ConsoleInjection{console: s, fault: f, left: f.Times}
	s.faults = append(s.faults, in)
	return in
}

// Remove ends the fault.
func (in *ConsoleInjection) Remove() {
	in.console.mu.Lock()
	defer in.console.mu.Unlock()
	in.console.faults = slices.DeleteFunc(in.console.faults, func(other *ConsoleInjection) bool { return other == in })
}

// Hits is how often the fault happened.
func (in *ConsoleInjection) Hits() int {
	in.console.mu.Lock()
	defer in.console.mu.Unlock()
	return in.hits
}

// ClearFaults ends all faults of a console.
func (s *Console) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault finds what is to happen to a call, and counts it.
func (s *Console) fault(x *call) *ConsoleEffect {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.faults {
		if !in.fault.concerns(x) || in.fault.Times > 0 && in.left == 0 {
			continue
		}
		in.left--
		in.hits++
		return &in.fault.Effect
	}
	return nil
}

func (f *ConsoleFault) concerns(x *call) bool {
	if f.Path != "" && f.Path != x.path {
		return false
	}
	for key, want := range f.Query {
		if !x.query.Has(key) || x.query.Get(key) != want {
			return false
		}
	}
	return true
}

// ConsoleEffect is what happens to a call. The zero value answers normally.
type ConsoleEffect struct{ act func(*call) }

func (e ConsoleEffect) apply(x *call) {
	if e.act == nil {
		x.answerNormally()
		return
	}
	e.act(x)
}

// ConsoleRefuse answers with status -1 and a message, and code 200 as a console
// does.
func ConsoleRefuse(message string) ConsoleEffect {
	return ConsoleEffect{func(x *call) { x.refuse(message) }}
}

// ConsolePage answers with an HTML page and a code: 200 for what a proxy shows
// to who must log in, 502 for one that finds no console behind it.
func ConsolePage(code int) ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		text := strconv.Itoa(code) + " " + http.StatusText(code)
		x.page(code, "<html><head><title>"+text+"</title></head><body><h1>"+text+"</h1></body></html>\n")
	}}
}

// ConsoleBody answers with a code and a body of the test's own.
func ConsoleBody(code int, contentType string, body []byte) ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		x.w.Header().Set("Content-Type", contentType)
		x.w.WriteHeader(code)
		x.write(body)
	}}
}

// ConsoleCut answers with the first n bytes of the true body and says that it
// is whole.
func ConsoleCut(n int) ConsoleEffect {
	return ConsoleEffect{func(x *call) { x.answerChanged(func(body []byte) []byte { return body[:min(max(n, 0), len(body))] }) }}
}

// ConsoleGarble answers with the true body, every third byte of which is
// another one.
func ConsoleGarble() ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		x.answerChanged(func(body []byte) []byte {
			for i := 0; i < len(body); i += 3 {
				body[i] ^= 0x5a
			}
			return body
		})
	}}
}

// ConsoleBreak announces the true body, sends its first n bytes and closes the
// connection.
func ConsoleBreak(n int) ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		x.answerChanged(func(body []byte) []byte {
			x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			return body[:min(max(n, 0), len(body))]
		})
		x.flush()
		panic(http.ErrAbortHandler)
	}}
}

// ConsoleDisconnect closes the connection instead of answering.
func ConsoleDisconnect() ConsoleEffect {
	return ConsoleEffect{func(*call) { panic(http.ErrAbortHandler) }}
}

// ConsoleDelay answers normally after d. It takes no turn meanwhile.
func ConsoleDelay(d time.Duration) ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		if x.wait(d) {
			x.answerNormally()
		}
	}}
}

// ConsoleGate answers normally once the channel is closed, or not at all when
// the client or the console is gone first.
func ConsoleGate(open <-chan struct{}) ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		select {
		case <-open:
			x.answerNormally()
		case <-x.r.Context().Done():
		}
	}}
}

// ConsoleDrip begins an answer and goes on with a few bytes every so often
// until the client or the console is gone.
func ConsoleDrip(every time.Duration) ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		x.json([]byte(`{"status":0,"data":{"topicList":["a"`))
		x.flush()
		for x.wait(every) && x.r.Context().Err() == nil {
			x.write([]byte(`,"a"`))
			x.flush()
		}
	}}
}

// ConsoleFlood answers with a well-formed body of about size bytes, which is
// never held as a whole.
func ConsoleFlood(size int64) ConsoleEffect {
	return ConsoleEffect{func(x *call) {
		x.json([]byte(`{"status":0,"data":{"topicList":["a"`))
		block := bytes.Repeat([]byte(`,"topic-of-a-flood"`), 4096)
		for left := size; left > 0; left -= int64(len(block)) {
			if _, err := x.w.Write(block); err != nil {
				return
			}
		}
		x.write([]byte(`],"brokerAddr":null},"errMsg":null}`))
	}}
}

// ConsoleHandler leaves the call to a handler of the test's own.
func ConsoleHandler(h http.HandlerFunc) ConsoleEffect {
	return ConsoleEffect{func(x *call) { h(x.w, x.r) }}
}

// tape is an answer that is changed before it is sent.
type tape struct {
	head http.Header
	code int
	body bytes.Buffer
}

// Header is the answer's header.
func (t *tape) Header() http.Header { return t.head }

// WriteHeader keeps the first code.
func (t *tape) WriteHeader(code int) {
	if t.code == 0 {
		t.code = code
	}
}

// Write keeps what is written.
func (t *tape) Write(p []byte) (int, error) {
	t.WriteHeader(http.StatusOK)
	return t.body.Write(p)
}

// answerChanged sends the true answer with another body.
func (x *call) answerChanged(change func(body []byte) []byte) {
	taped := *x
	answer := &tape{head: x.w.Header()}
	taped.w = answer
	taped.answerNormally()
	if answer.code == 0 {
		return // the client or the console has gone
	}
	body := change(answer.body.Bytes())
	x.w.WriteHeader(answer.code)
	x.write(body)
}

func (x *call) flush() { _ = http.NewResponseController(x.w).Flush() }
