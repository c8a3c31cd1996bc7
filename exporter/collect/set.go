package collect

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Options of a Set.
type Options struct {
	Sources []Source
	Metrics *Metrics
	Logger  *slog.Logger
	// Jitter spreads an interval so that sources do not march in step. Nil
	// means up to a tenth either way.
	Jitter func(time.Duration) time.Duration
	// SeriesLimit bounds the series of one family of one source; 0 means
	// DefaultSeriesLimit.
	SeriesLimit int
}

func (o Options) withDefaults() Options {
	if o.Jitter == nil {
		o.Jitter = func(d time.Duration) time.Duration {
			return d - d/10 + time.Duration(rand.Int64N(int64(d/5)+1))
		}
	}
	return o
}

// Set collects its sources while Run runs, and serves their snapshots.
type Set struct {
	watchers []*watcher
	age      Family
	batch    *Batch // of ages, under mu
	mu       sync.Mutex
}

// NewSet makes a Set. Nothing is collected before Run.
func NewSet(o Options) *Set {
	o = o.withDefaults()
	s := &Set{batch: NewBatch(0)}
	s.age = NewNames(Naming{}).Gauge("upkeep_collector_sample_age_seconds", "How old what is served of a source is.", "collector", "target")
	for _, source := range o.Sources {
		o.Metrics.Add(source.Name, source.Target)
		s.watchers = append(s.watchers, &watcher{
			source: source, metrics: o.Metrics, jitter: o.Jitter, down: Fill(0, source.Collector.Down), batch: NewBatch(o.SeriesLimit),
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

// Snapshots are what to serve now, from memory: the newest of every source, and
// how old each is.
func (s *Set) Snapshots() []*Snapshot {
	now := time.Now()
	out := make([]*Snapshot, 0, len(s.watchers)+1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch.begin()
	for _, w := range s.watchers {
		if found, age := w.snapshot(now); found != nil {
			out = append(out, found)
			s.batch.Add(s.age, max(0, age.Seconds()), w.source.Name, w.source.Target)
		}
	}
	ages, _ := s.batch.seal(0)
	return append(out, ages)
}

// Newest is what the newest collection of one source has found, or nil.
func (s *Set) Newest(name, target string) *Snapshot {
	for _, w := range s.watchers {
		if w.source.Name == name && w.source.Target == target {
			found, _ := w.snapshot(time.Now())
			return found
		}
	}
	return nil
}

// Status reports on every source, in the order they were given.
func (s *Set) Status() []Status {
	out := make([]Status, 0, len(s.watchers))
	for _, w := range s.watchers {
		out = append(out, w.current())
	}
	return out
}
