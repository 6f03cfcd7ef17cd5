// Command soak runs the exporter for a long time before a fake cluster in which
// topics, groups and processes come and go without end, and fails when its
// memory grows or goroutines are left over.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/bench/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if args := os.Args[1:]; lab.IsFake(args) {
		size, err := lab.SizeNamed(args[1])
		if err != nil {
			return err
		}
		c := &churn{size: size}
		return lab.RunFake(args, os.Stdin, os.Stdout, map[string]func(*fakemq.Cluster) error{"churn": c.step})
	}
	s := soak{reader: lab.NewReader()}
	name := flag.String("size", "225k", "size of the cluster")
	minutes := flag.Int("minutes", 20, "how long it runs; the first quarter is not judged")
	binary := flag.String("exporter", "", "binary of the exporter; none: it is built")
	flag.Parse()
	if *minutes < 4 {
		return fmt.Errorf("-minutes: %d: allowed are 4 and more", *minutes)
	}
	folder, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if *binary == "" {
		if *binary, err = lab.BuildExporter(ctx, folder); err != nil {
			return err
		}
	}
	if s.fake, err = lab.StartFake(ctx, *name); err != nil {
		return err
	}
	defer s.fake.Stop()
	if s.profiles, err = lab.FreeAddr(); err != nil {
		return err
	}
	args := []string{fmt.Sprintf("--collect.interval=%v", every), "--web.pprof-address=" + s.profiles}
	if s.exporter, err = lab.StartExporter(ctx, *binary, s.fake.NameServers, nil, args...); err != nil {
		return err
	}
	defer s.exporter.Stop()
	return s.run(ctx, *minutes)
}

// every is the time between rounds, scrapes and steps of the churn: shorter than
// usual, so that there are more of them in the time.
const every = 5 * time.Second

type soak struct {
	fake     *lab.Fake
	exporter *lab.Exporter
	profiles string // address of the exporter's
	reader   *lab.Reader
}

// minute is what was seen in one.
type minute struct {
	rest, peak int64          // RssAnon in bytes: the least and the most
	goroutines lab.Goroutines // when they were fewest
	series     int
	rounds     float64 // since the start
}

func (s *soak) run(ctx context.Context, minutes int) error {
	start, err := s.atRest(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Println("minute  RssAnon least MiB  most MiB  goroutines  series  rounds")
	fmt.Println(start.line(0))
	var seen []minute
	for i := range minutes {
		m, err := s.minute(ctx)
		if err != nil {
			return err
		}
		seen = append(seen, m)
		fmt.Println(m.line(i + 1))
	}
	end, err := s.atRest(ctx, start.goroutines)
	if err != nil {
		return err
	}
	fmt.Println(end.line(minutes + 1))
	return judge(start, end, seen)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// minute is a minute of churn.
func (s *soak) minute(ctx context.Context) (minute, error) {
	peak := lab.WatchPeak(ctx, s.exporter.PID)
	m, err := s.least(ctx, int(time.Minute/every), func() error {
		if err := errors.Join(s.fake.Drift(), s.fake.Tell("churn")); err != nil {
			return err
		}
		_, _, err := s.reader.Read(ctx, s.exporter.URL, true)
		return err
	})
	m.peak = peak.Stop()
	return m, err
}

// least does something some times, and tells the least of what was seen.
func (s *soak) least(ctx context.Context, times int, do func() error) (least minute, err error) {
	for i := range times {
		if err := errors.Join(do(), sleep(ctx, every)); err != nil {
			return least, err
		}
		now, err := s.look(ctx)
		if err != nil {
			return least, err
		}
		if i > 0 {
			now = now.least(least)
		}
		least = now
	}
	return least, nil
}

// least is the least of two moments; the rest is the first one's.
func (m minute) least(of minute) minute {
	m.rest, m.peak = min(m.rest, of.rest), max(m.peak, of.peak)
	if of.goroutines.Count() <= m.goroutines.Count() {
		m.goroutines = of.goroutines
	}
	return m
}

// moments is how many times it is looked at while nothing comes or goes, and
// maxMoments how many times until there are no more goroutines than there were:
// rounds, errands and questions go on, and one that is left over does not end.
const moments, maxMoments = 10, 60

// atRest is what it has when nothing comes or goes any more, and everything is
// known: the least of some moments.
func (s *soak) atRest(ctx context.Context, before lab.Goroutines) (minute, error) {
	if err := sleep(ctx, time.Minute); err != nil {
		return minute{}, err
	}
	nothing := func() error { return nil }
	least, err := s.least(ctx, moments, nothing)
	for i := moments; err == nil && before != nil && least.goroutines.Count() > before.Count() && i < maxMoments; i++ {
		var now minute
		if now, err = s.least(ctx, 1, nothing); err == nil {
			least = now.least(least)
		}
	}
	return least, err
}

// look is what is seen at one moment.
func (s *soak) look(ctx context.Context) (minute, error) {
	sums, counts, err := s.reader.Samples(ctx, s.exporter.URL)
	if err != nil {
		return minute{}, err
	}
	m := minute{rounds: sums["rocketmq_exporter_rounds_total"]}
	if m.goroutines, err = s.reader.Goroutines(ctx, s.profiles); err != nil {
		return minute{}, err
	}
	for _, n := range counts {
		m.series += n
	}
	m.rest, err = lab.RssAnon(s.exporter.PID)
	m.peak = m.rest
	return m, err
}

func (m minute) line(i int) string {
	mib := func(n int64) float64 { return float64(n) / (1 << 20) }
	return fmt.Sprintf("%6d  %17.1f  %8.1f  %10d  %6d  %6.0f", i, mib(m.rest), mib(m.peak), m.goroutines.Count(), m.series, m.rounds)
}

// growth is by how much the peaks may differ: the collector's work does not
// repeat itself exactly.
const growth = 1.1

// judge compares the last quarter with the second, and the end with the start.
func judge(start, end minute, seen []minute) error {
	n := len(seen) / 4
	var errs []error
	if early, late := most(seen[n:2*n]), most(seen[len(seen)-n:]); float64(late) > growth*float64(early) {
		errs = append(errs, fmt.Errorf("memory grows: at most %.1f MiB in the second quarter, %.1f MiB in the last", float64(early)/(1<<20), float64(late)/(1<<20)))
	}
	if was, is := start.goroutines.Count(), end.goroutines.Count(); is > was {
		errs = append(errs, fmt.Errorf("%d goroutines at the start, %d at the end: %s", was, is, end.goroutines.Since(start.goroutines)))
	} else if changes := end.goroutines.Since(start.goroutines); changes != "" {
		fmt.Printf("of the goroutines: %s\n", changes)
	}
	if len(errs) == 0 {
		fmt.Println("memory is flat, and no goroutine is left over")
	}
	return errors.Join(errs...)
}

func most(list []minute) (peak int64) {
	for _, m := range list {
		peak = max(peak, m.peak)
	}
	return peak
}
