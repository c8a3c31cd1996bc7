package collect

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// grace is what a collector gets beyond its deadline to notice it. One that
// takes longer is stuck: its source is down until it comes back.
const grace = time.Second

// watcher is one source, its newest snapshot and its state.
type watcher struct {
	source  Source
	metrics *Metrics
	logger  *slog.Logger
	jitter  func(time.Duration) time.Duration
	down    *Snapshot
	batch   *Batch // used by the collection under way alone
	size    int    // of the newest text, in bytes

	mu      sync.Mutex
	found   *Snapshot
	foundAt time.Time
	status  Status
}

type result struct {
	found *Snapshot // nil when nothing is known
	err   error
	at    time.Time
}

func (w *watcher) run(ctx context.Context) {
	for {
		if !w.collect(ctx) {
			return // stuck and told to stop: its collector cannot be closed
		}
		if ctx.Err() != nil {
			break
		}
		wait := time.NewTimer(w.pause())
		select {
		case <-wait.C:
			continue
		case <-ctx.Done():
			wait.Stop()
		}
		break
	}
	w.source.Collector.Close()
}

// pause is the time to the next collection.
func (w *watcher) pause() time.Duration {
	d := w.source.Interval
	if !w.current().Success {
		d = min(d, retryAfter)
	}
	return w.jitter(d)
}

// collect runs one collection and records it. It returns false only if the
// collector still had not returned when ctx ended.
func (w *watcher) collect(ctx context.Context) bool {
	start := time.Now()
	bounded, cancel := context.WithTimeout(ctx, w.source.Timeout)
	defer cancel()
	done := make(chan result, 1)
	go func() { done <- w.guarded(bounded) }()

	late := time.NewTimer(w.source.Timeout + grace)
	defer late.Stop()
	select {
	case r := <-done:
		w.record(ctx, r, start)
		return true
	case <-late.C:
		w.record(ctx, result{err: Fail(Timeout, fmt.Errorf("the collector did not return %s after its deadline", grace)), at: time.Now()}, start)
	}
	select { // never two at a time, however long this one takes
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *watcher) guarded(ctx context.Context) (r result) {
	defer func() {
		if v := recover(); v != nil {
			r = result{err: Fail(Panic, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))}
		}
		r.at = time.Now()
	}()
	w.batch.begin()
	r.err = w.source.Collector.Collect(ctx, w.batch)
	if r.err == nil || w.batch.Len() > 0 {
		r.found, w.size = w.batch.seal(w.size)
	}
	return r
}

func (w *watcher) record(ctx context.Context, r result, start time.Time) {
	if r.err != nil && ctx.Err() != nil {
		return // it was told to stop, that is no failure
	}
	took := r.at.Sub(start)
	if r.found == nil {
		r.found = w.down
	}
	w.mu.Lock()
	before := w.status
	now := Status{
		Name: w.source.Name, Target: w.source.Target, Tried: true, Success: r.err == nil,
		LastSuccess: before.LastSuccess, Duration: took,
	}
	if r.err == nil {
		now.LastSuccess = r.at
		w.metrics.Succeeded(now.Name, now.Target, r.at, took)
	} else {
		cause := CauseOf(r.err)
		now.Cause, now.Error = string(cause), r.err.Error()
		w.metrics.Failed(now.Name, now.Target, cause, took)
	}
	w.found, w.foundAt, w.status = r.found, r.at, now
	w.metrics.Cut(now.Name, now.Target, r.found.cut)
	w.mu.Unlock()
	w.log(before, now, r.err)
}

// log tells of changes; the same failure again is for the debug level.
func (w *watcher) log(before, now Status, err error) {
	switch {
	case now.Success && before.Tried && !before.Success:
		w.logger.Info("collecting works again", "duration", now.Duration)
	case !now.Success && (!before.Tried || before.Success || before.Cause != now.Cause):
		w.logger.Warn("collecting failed", "cause", now.Cause, "err", err, "duration", now.Duration)
	case !now.Success:
		w.logger.Debug("collecting failed again", "cause", now.Cause, "err", err, "duration", now.Duration)
	}
}

// snapshot returns what to serve now, nil before the first collection has
// ended, and how old it is.
func (w *watcher) snapshot(now time.Time) (*Snapshot, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	age := now.Sub(w.foundAt)
	switch {
	case !w.status.Tried:
		return nil, 0
	case age > w.source.maxAge():
		return w.down, age
	default:
		return w.found, age
	}
}

func (w *watcher) current() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	s.Name, s.Target, s.Interval = w.source.Name, w.source.Target, w.source.Interval
	if w.found != nil {
		s.Series = w.found.Series()
	}
	return s
}
