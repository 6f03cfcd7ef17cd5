package direct

import (
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// allowed are the requests of this package, on purpose listed once more: each
// only reads.
var allowed = []remoting.RequestCode{21, 28, 43, 106, 201, 202, 203, 208, 303, 307, 402, 907}

func TestConformance(t *testing.T) {
	sourcetest.Run(t, sourcetest.Able{Ages: true, Pop: true}, func(tb testing.TB, mq *fakemq.Cluster, s source.Selection) source.Source {
		tb.Cleanup(func() { onlyReads(tb, mq) })
		return New(Options{NameServers: mq.NameServers(), Selection: s, OwnerWait: time.Minute, SlowEvery: 1, RuntimeEvery: 1})
	})
}

func onlyReads(tb testing.TB, mq *fakemq.Cluster) {
	tb.Helper()
	for code, n := range mq.Requests() {
		if !slices.Contains(allowed, code) {
			tb.Errorf("%s was sent %d times", code, n)
		}
	}
}
