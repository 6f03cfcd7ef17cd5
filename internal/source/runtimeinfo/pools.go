package runtimeinfo

import (
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// The thread pools whose queues a broker tells of.
const (
	sendPool = iota
	pullPool
	queryPool
	litePullPool       // 5.0 and later
	ackPool            // 5.3.2 and later
	endTransactionPool // its head's wait is not told
	numPools
)

// poolNames are RocketMQ's words.
//
//nolint:gochecknoglobals // a constant, but for the language
var poolNames = [numPools]string{"send", "pull", "query", "litePull", "ack", "endTransaction"}

// poolEntry is what an entry says of a pool.
type poolEntry struct {
	pool  int
	field poolField
}

type poolField uint8

const (
	queued poolField = iota
	capacity
	headWait
)

// poolEntries are the keys of all pools. Not all are of one make.
//
//nolint:gochecknoglobals // a constant, but for the language
var poolEntries = map[string]poolEntry{
	"sendThreadPoolQueueSize":                  {sendPool, queued},
	"sendThreadPoolQueueCapacity":              {sendPool, capacity},
	"sendThreadPoolQueueHeadWaitTimeMills":     {sendPool, headWait},
	"pullThreadPoolQueueSize":                  {pullPool, queued},
	"pullThreadPoolQueueCapacity":              {pullPool, capacity},
	"pullThreadPoolQueueHeadWaitTimeMills":     {pullPool, headWait},
	"queryThreadPoolQueueSize":                 {queryPool, queued},
	"queryThreadPoolQueueCapacity":             {queryPool, capacity},
	"queryThreadPoolQueueHeadWaitTimeMills":    {queryPool, headWait},
	"litePullThreadPoolQueueSize":              {litePullPool, queued},
	"litePullThreadPoolQueueCapacity":          {litePullPool, capacity},
	"litePullThreadPoolQueueHeadWaitTimeMills": {litePullPool, headWait},
	"ackThreadPoolQueueSize":                   {ackPool, queued},
	"ackThreadPoolQueueCapacity":               {ackPool, capacity},
	"ackThreadPoolQueueHeadWaitTimeMills":      {ackPool, headWait},
	"EndTransactionQueueSize":                  {endTransactionPool, queued},
	"EndTransactionThreadPoolQueueCapacity":    {endTransactionPool, capacity},
}

func (r *Reader) pool(e poolEntry, value string) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		r.Odd++
		return
	}
	p := &r.pools[e.pool]
	if p.Name == "" {
		*p = model.ThreadPool{
			Name: poolNames[e.pool], Queued: model.Unknown, Capacity: model.Unknown, HeadWait: model.Unknown,
		}
	}
	switch e.field {
	case queued:
		p.Queued = n
	case capacity:
		p.Capacity = n
	case headWait:
		p.HeadWait = n
	}
}
