package fakemq

import (
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one call of the console.
type call struct {
	console *Console
	w       http.ResponseWriter
	r       *http.Request
	path    string // without the context path
	query   url.Values
}

func (s *Console) serve(w http.ResponseWriter, r *http.Request) {
	path, below := strings.CutPrefix(r.URL.Path, s.opts.ContextPath)
	x := &call{console: s, w: w, r: r, path: path, query: r.URL.Query()}
	defer s.enter(path)()
	if e := s.fault(x); e != nil {
		e.apply(x)
		return
	}
	if !below {
		x.page(http.StatusNotFound, notFoundPage)
		return
	}
	x.answerNormally()
}

// enter counts a call. What it returns ends it.
func (s *Console) enter(path string) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[path]++
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inFlight--
	}
}

// answerNormally is what a console does without faults: the proxy in front,
// the check against forged requests, the session, then the call.
func (x *call) answerNormally() {
	if !x.passProxy() || !x.passToken() || !x.passSession() || !x.takeTurn() {
		return
	}
	defer x.endTurn()
	if x.wait(x.console.opts.Delay) {
		x.route()
	}
}

// wait says whether there is still somebody to answer after d.
func (x *call) wait(d time.Duration) bool { return d <= 0 || wait(x.r.Context().Done(), d) }

func (x *call) takeTurn() bool {
	if x.console.slots == nil {
		return true
	}
	select {
	case x.console.slots <- struct{}{}:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

func (x *call) endTurn() {
	if x.console.slots != nil {
		<-x.console.slots
	}
}

// route finds what a path is answered with.
func (x *call) route() {
	switch x.path {
	case "", "/", "/index.html":
		x.page(http.StatusOK, indexPage)
	case "/login/login.do":
		x.login()
	case "/rocketmq-dashboard/csrf-token":
		x.token()
	default:
		if answer := x.console.answerer(x.path); answer != nil {
			x.answer(answer)
			return
		}
		x.page(http.StatusNotFound, notFoundPage)
	}
}

// answerer makes the data of an answer.
type answerer func(x *call, dst []byte) ([]byte, error)

func (s *Console) answerer(path string) answerer {
	switch path {
	case "/topic/list.query":
		return answerTopicNames
	case "/topic/queryConsumerByTopic.query":
		return answerConsumersOfTopic
	case "/topic/stats.query":
		return answerTopicTable
	case "/topic/route.query":
		return answerTopicRoute
	case "/consumer/groupList.query":
		return answerGroupList
	case "/consumer/group.refresh.all":
		if s.opts.Release.two() {
			return answerRefreshedGroups
		}
	case "/consumer/queryTopicByConsumer.query":
		return answerTopicsOfConsumer
	case "/consumer/consumerConnection.query":
		return answerConsumerConnection
	case "/consumer/consumerRunningInfo.query":
		return answerConsumerRunning
	case "/cluster/list.query":
		return answerClusterList
	case "/ops/homePage.query":
		return answerHomePage
	}
	return nil
}

// answer writes an answer in the console's envelope (JsonResult): 200 also
// where it failed.
func (x *call) answer(data answerer) {
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		x.refuse("Request method '" + x.r.Method + "' not supported")
		return
	}
	buf := x.console.mq.buffer()
	defer x.console.mq.release(buf)
	dst := append((*buf)[:0], `{"status":0,"data":`...)
	dst, err := data(x, dst)
	*buf = dst
	switch {
	case x.r.Context().Err() != nil:
	case err != nil:
		x.refuse(err.Error())
	default:
		*buf = append(dst, `,"errMsg":null}`...)
		x.json(*buf)
	}
}

// refuse answers as the console does when a call failed
// (GlobalExceptionHandler).
func (x *call) refuse(message string) {
	x.json([]byte(`{"status":-1,"data":null,"errMsg":` + quote(message) + `}`))
}

func (x *call) json(body []byte) {
	x.w.Header().Set("Content-Type", "application/json")
	x.write(body)
}

func (x *call) page(code int, html string) {
	x.w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	x.w.WriteHeader(code)
	x.write([]byte(html))
}

// write sends what a client that has gone will not miss.
func (x *call) write(body []byte) { _, _ = x.w.Write(body) }

// need is a parameter that must be there.
func (x *call) need(name, kind string) (string, error) {
	if x.query.Has(name) {
		return x.query.Get(name), nil
	}
	if x.console.opts.Release.two() {
		return "", javaError("Required request parameter '" + name + "' for method parameter type " + kind + " is not present")
	}
	return "", javaError("Required " + kind + " parameter '" + name + "' is not present")
}

const (
	indexPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>RocketMQ Dashboard</title></head><body><div id="root"></div></body></html>
`
	notFoundPage = `<!DOCTYPE html>
<html lang="en"><head><title>404</title></head><body><h1>Not Found</h1></body></html>
`
	proxyPage = `<html>
<head><title>401 Authorization Required</title></head>
<body><center><h1>401 Authorization Required</h1></center><hr><center>nginx</center></body>
</html>
`
)

// quietLog drops what a server says of clients that break off, as faults make
// them do.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
