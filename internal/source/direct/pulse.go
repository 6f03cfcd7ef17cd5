package direct

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/runtimeinfo"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// pulse is what is known of a broker process besides its offsets: whether it is
// there, and what it says of itself (28).
//
// With a timer wheel, as 5.x has it, a broker counts every slot of the wheel for
// 28 (TimerMessageStore.getAllCongestNum, TimerWheel.getAllNum): 84 ms of its
// time on a machine where all the rest of a round is half of that. So that is
// asked in the background, now and then, and a round waits only for the first
// answer. A process that nothing else is asked of, a slave, is asked something
// cheap in every round, so that its end is seen at once.
type pulse struct {
	mu      sync.Mutex
	asking  chan struct{} // closed when the runtime is there; nil: not asked
	asked   time.Time     // when the runtime was last asked for
	runtime beat          // last answer
}

// beat is one answer, or the lack of one.
type beat struct {
	at            time.Time // zero: there was none yet
	up            bool
	version, boot string
	info          *model.Runtime // nil: not told
	odd           int
	err           error
}

func newPulse() *pulse { return &pulse{} }

// feelPulses asks for the runtime of the processes whose last one is old, in
// the background.
func (r *round) feelPulses() {
	for _, c := range r.src.clusters {
		for _, b := range c.brokers {
			for _, p := range b.procs {
				if !p.ousted {
					r.src.feel(p.addr, p.pulse, r.began)
				}
			}
		}
	}
}

func (s *Source) feel(addr string, p *pulse, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := p.asked.IsZero() || now.Sub(p.asked) >= s.opts.RuntimeEvery || p.runtime.err != nil
	if p.asking != nil || !due || s.ctx.Err() != nil {
		return
	}
	done := make(chan struct{})
	p.asking, p.asked = done, now
	s.background.Go(func() {
		got := s.askRuntime(addr)
		p.mu.Lock()
		p.runtime, p.asking = got, nil
		p.mu.Unlock()
		close(done)
	})
}

func (s *Source) askRuntime(addr string) beat {
	var b beat
	s.client.Pipeline(s.ctx, addr, 1,
		func(int) remoting.Request { return remoting.Request{Code: remoting.GetBrokerRuntimeInfo} },
		func(_ int, resp remoting.Response, err error) {
			b.up = isAnswer(err)
			if err == nil {
				if err = b.read(resp.Body, s.opts.Now()); err != nil {
					err = fmt.Errorf("%s: %w", addr, err)
				}
			}
			b.err = err
		})
	b.at = s.opts.Now()
	return b
}

// isAnswer says whether a process is there: any answer of its own counts, also
// one that refuses. One that does not take the login is as good as away.
func isAnswer(err error) bool {
	_, refused := errors.AsType[*remoting.ResponseError](err)
	_, withheld := errors.AsType[*withheldError](err)
	return err == nil || refused && !withheld && remoting.Reason(err) != "login"
}

// read takes an answer; of a garbled one nothing is believed.
func (b *beat) read(body []byte, now time.Time) error {
	var table runtimeinfo.Reader
	err := remoting.DecodeRuntimeInfo(body, func(key, value []byte) { table.Add(string(key), string(value)) })
	if err == nil {
		b.version, b.boot, b.odd = table.Version, table.Boot, table.Odd
		b.info = table.Runtime(now)
	}
	return err
}

// ping asks a process that nothing else is asked of whether it is there.
func (r *round) ping(c *cluster, p *proc) {
	_, err := r.src.client.Call(r.ctx, p.addr, connectionsRequest(&group{name: probeGroup}))
	if p.told = isAnswer(err); !p.told {
		r.fail(c.name, p.addr, remoting.GetConsumerConnectionList, err)
	}
}

// takePulses notes what the processes last said of themselves, and whether they
// answered in this round. A runtime that came in it is an answer too.
func (r *round) takePulses() {
	for _, c := range r.src.clusters {
		for _, b := range c.brokers {
			for _, p := range b.procs {
				r.takePulse(c, p)
			}
		}
	}
}

func (r *round) takePulse(c *cluster, p *proc) {
	var last beat
	if !p.ousted {
		last = p.pulse.latest(r)
	}
	if p.up = p.told || last.up && !last.at.Before(r.began); p.up {
		p.seen = r.began
	}
	if last.version != "" {
		p.version = last.version
	}
	if last.boot != "" && last.boot != p.boot {
		if p.boot != "" {
			p.bulk, p.modes, p.ha = untried, untold, untold // it may have become another release
		}
		p.boot = last.boot
	}
	if last.info != nil {
		p.info, p.infoAge = last.info, 0
	} else if p.infoAge++; p.infoAge > r.src.opts.KeepRounds {
		p.info = nil
	}
	if last.at == p.counted {
		return
	}
	p.counted = last.at
	c.odd += last.odd
	if last.err != nil {
		r.fail(c.name, p.addr, remoting.GetBrokerRuntimeInfo, last.err)
	}
}

// latest is the last runtime. Where there was none yet, the first one is waited
// for.
func (p *pulse) latest(r *round) beat {
	p.mu.Lock()
	last, asking := p.runtime, p.asking
	p.mu.Unlock()
	if !last.at.IsZero() || asking == nil {
		return last
	}
	select {
	case <-asking:
	case <-r.ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.runtime
}
