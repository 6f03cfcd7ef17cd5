package app

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
)

// scrapeStats counts what the metrics path did.
type scrapeStats struct {
	series atomic.Int64 // of the last scrape

	mu     sync.Mutex
	errors map[string]uint64 // by reason
}

func (s *scrapeStats) setSeries(n int) { s.series.Store(int64(n)) }

func (s *scrapeStats) fail(reason exposition.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.errors == nil {
		s.errors = make(map[string]uint64)
	}
	s.errors[string(reason)]++
}

func (s *scrapeStats) failures() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.errors)
}
