package collect

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options of a Set.
type Options struct {
	Sources []Source
	Metrics *Metrics
	Logger  *slog.Logger
	// Jitter spreads an interval so that sources do not march in step. Nil
	// means up to a tenth either way.
	Jitter func(time.Duration) time.Duration
}

func (o Options) withDefaults() Options {
	if o.Jitter == nil {
		o.Jitter = func(d time.Duration) time.Duration {
			return d - d/10 + time.Duration(rand.Int64N(int64(d/5)+1))
		}
	}
	return o
}

// Set collects its sources while Run runs, and is the prometheus.Collector
// that serves their snapshots. It describes nothing in advance, because what a
// server tells depends on its version.
type Set struct{ watchers []*watcher }

var _ prometheus.Collector = (*Set)(nil)

// NewSet makes a Set. Nothing is collected before Run.
func NewSet(o Options) *Set {
	o = o.withDefaults()
	s := &Set{}
	for _, source := range o.Sources {
		o.Metrics.Add(source.Name, source.Target)
		s.watchers = append(s.watchers, &watcher{
			source: source, metrics: o.Metrics, jitter: o.Jitter,
			logger: o.Logger.With("collector", source.Name, "target", source.Target),
		})
	}
	return s
}

// Run collects every source at once, then each on its interval, until ctx is
// done, and waits for the collections under way.
func (s *Set) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, w := range s.watchers {
		wg.Go(func() { w.run(ctx) })
	}
	wg.Wait()
	return nil
}

// Describe implements prometheus.Collector.
func (s *Set) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector from memory.
func (s *Set) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for _, w := range s.watchers {
		for _, m := range w.snapshot(now) {
			ch <- m
		}
	}
}

// Status reports on every source, in the order they were given.
func (s *Set) Status() []Status {
	out := make([]Status, 0, len(s.watchers))
	for _, w := range s.watchers {
		out = append(out, w.current())
	}
	return out
}
