package api

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// newConnectionEvery makes every tenth probe open a connection, so that both
// what a warm client sees and what a cold one sees is measured.
const newConnectionEvery = 10

// schedule is one target and its clock.
type schedule struct {
	target     Target
	client     *client
	metrics    *Metrics
	collectors *collect.Metrics
	logger     *slog.Logger

	mu     sync.Mutex
	status collect.Status
}

func (s *schedule) run(ctx context.Context) {
	defer s.client.close()
	due := time.Now().Add(firstDelay(s.target.Interval))
	for count := 0; ; count++ {
		wait := time.NewTimer(time.Until(due))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
		var missed int
		due, missed = late(due, time.Now(), s.target.Interval)
		s.metrics.miss(s.target, missed)
		if count%newConnectionEvery == 0 {
			s.client.cool()
		}
		s.probe(ctx, due)
		due = due.Add(s.target.Interval)
	}
}

// late says from when a probe that was due and starts now must be measured,
// and how many starts came late or not at all. A probe that is more than an
// interval late stands for the newest start that was due.
func late(due, now time.Time, interval time.Duration) (time.Time, int) {
	behind := now.Sub(due)
	skipped := int(behind / interval)
	if skipped > 0 {
		due = due.Add(time.Duration(skipped) * interval)
		behind = now.Sub(due)
	}
	if behind > interval/10 {
		return due, skipped + 1
	}
	return due, skipped
}

func (s *schedule) probe(ctx context.Context, due time.Time) {
	start := time.Now()
	o, err := s.guarded(ctx, due)
	if ctx.Err() != nil {
		return // told to stop in the middle: nothing was measured
	}
	end := time.Now()
	if err != nil {
		s.collectors.Failed("api", s.target.name(), collect.CauseOf(err), end.Sub(start))
		s.logger.Error("probing failed", "err", err)
	} else {
		s.collectors.Succeeded("api", s.target.name(), end, end.Sub(start))
		s.metrics.observe(s.target, o, end)
	}
	s.mu.Lock()
	before := s.status
	now := collect.Status{Tried: true, Success: err == nil && o.result == Success, LastSuccess: before.LastSuccess, Duration: end.Sub(start)}
	if now.Success {
		now.LastSuccess = end
	} else {
		now.Cause = string(o.result)
	}
	s.status = now
	s.mu.Unlock()
	switch {
	case now.Success && before.Tried && !before.Success:
		s.logger.Info("the endpoint answers again", "duration", now.Duration)
	case !now.Success && (!before.Tried || before.Cause != now.Cause):
		s.logger.Warn("the endpoint does not answer as expected", "result", o.result, "err", o.err, "duration", now.Duration)
	}
}

func (s *schedule) guarded(ctx context.Context, due time.Time) (o outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			o, err = outcome{result: Other}, collect.Fail(collect.Panic, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	return s.client.probe(ctx, due), nil
}

func (s *schedule) current() collect.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.status
	out.Name, out.Target = "api", s.target.name()
	return out
}
