package fakemq

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

func startConsole(t testing.TB, mq *Cluster, o ConsoleOptions) *Console {
	t.Helper()
	s, err := mq.StartConsole(o)
	must(t, err)
	return s
}

// browser is a client of a console, with cookies and without following.
type browser struct {
	*http.Client
	t   testing.TB
	url string
}

func browse(t testing.TB, s *Console) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, url: s.URL(), Client: &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reply is an answer that was read to its end.
type reply struct {
	code int
	head http.Header
	body []byte
}

func (b *browser) send(method, path, kind, body string, header ...string) (reply, error) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	must(b.t, err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.Do(req)
	if err != nil {
		return reply{}, err
	}
	read, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, read}, errors.Join(err, res.Body.Close())
}

func (b *browser) get(path string, params ...string) reply {
	b.t.Helper()
	r, err := b.send(http.MethodGet, path+encoded(params), "", "")
	must(b.t, err)
	return r
}

func encoded(params []string) string {
	values := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		values.Set(params[i], params[i+1])
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// data reads the data of an answer that must have worked.
func (b *browser) data(into any, path string, params ...string) {
	b.t.Helper()
	r := b.get(path, params...)
	status, message := b.envelope(r, into)
	if status != 0 || message != "" {
		b.t.Fatalf("%s: status %d: %s", path, status, message)
	}
}

// refused is the message of an answer that must have failed.
func (b *browser) refused(path string, params ...string) string {
	b.t.Helper()
	status, message := b.envelope(b.get(path, params...), nil)
	if status != -1 {
		b.t.Fatalf("%s: status %d", path, status)
	}
	return message
}

func (b *browser) envelope(r reply, into any) (status int, message string) {
	b.t.Helper()
	env := struct {
		Status int
		Data   any
		ErrMsg *string
	}{Data: into}
	if r.code != http.StatusOK {
		b.t.Fatalf("code %d: %s", r.code, r.body)
	}
	if err := json.Unmarshal(r.body, &env); err != nil {
		b.t.Fatalf("%v: %.300s", err, r.body)
	}
	if env.ErrMsg != nil {
		message = *env.ErrMsg
	}
	return env.Status, message
}

// progress is a TopicConsumerInfo.
type progress struct {
	Topic             string
	DiffTotal         int64
	LastTimestamp     int64
	QueueStatInfoList []queueProgress
}

type queueProgress struct {
	BrokerName                   string
	QueueID                      int
	BrokerOffset, ConsumerOffset int64
	ClientInfo                   *string
	LastTimestamp                int64
}

func (q queueProgress) client() string {
	if q.ClientInfo == nil {
		return ""
	}
	return *q.ClientInfo
}
