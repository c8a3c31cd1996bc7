package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Engine plans, carries on and closes. One process has one; several processes
// may share a store.
type Engine struct {
	Options
	settings atomic.Pointer[Settings]
	metrics  *metrics
	wake     []chan struct{} // one for each loop, each holds one signal

	mu      sync.Mutex
	retryAt time.Time // the earliest time a run that we blocked wants to go on
}

// New returns an engine; nothing runs before Run.
func New(o Options) (*Engine, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	e := &Engine{Options: o, metrics: newMetrics(o.Registry)}
	for range o.Workers + 2 {
		e.wake = append(e.wake, make(chan struct{}, 1))
	}
	if err := e.Update(o.Settings); err != nil {
		return nil, err
	}
	return e, nil
}

// Update replaces the settings; on an error the old ones stay. Runs in
// progress go on under those they were claimed with.
func (e *Engine) Update(s Settings) error {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return err
	}
	e.settings.Store(&s)
	e.Wake()
	return nil
}

// Wake makes the engine look at the store now: something was received,
// approved or resumed. It never blocks.
func (e *Engine) Wake() {
	for _, c := range e.wake {
		select {
		case c <- struct{}{}:
		default: // a signal is waiting already
		}
	}
}

// Run works until ctx is done. Actions that have begun then get StopGrace to
// end; what is not finished is taken over by the next engine.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for i, turn := range e.turns() {
		wg.Go(func() { e.loop(ctx, e.wake[i], turn) })
	}
	wg.Wait()
	return ctx.Err()
}

// turns are the loops: the planner, the closer and the workers. A turn returns
// how long to wait for the next one, if nobody wakes it before.
func (e *Engine) turns() []func(context.Context) time.Duration {
	turns := []func(context.Context) time.Duration{e.plan, e.finish}
	for range e.Workers {
		turns = append(turns, e.work)
	}
	return turns
}

func (e *Engine) loop(ctx context.Context, wake <-chan struct{}, turn func(context.Context) time.Duration) {
	for ctx.Err() == nil {
		wait := turn(ctx)
		if wait <= 0 {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// work claims one run and carries it as far as it goes.
func (e *Engine) work(ctx context.Context) time.Duration {
	claim, err := e.Store.Claim(ctx, e.Owner, e.Now(), e.Lease)
	if err != nil {
		e.fault(ctx, "claiming a run", err)
		return e.Poll
	}
	if claim == nil {
		return e.untilRetry()
	}
	if err := e.carry(ctx, *claim); err != nil {
		e.fault(ctx, "carrying on a run", fmt.Errorf("run %s: %w", claim.Run.ID, err))
		return min(e.Poll, time.Second) // its lease ends by itself, others can go on
	}
	e.Wake() // what has ended may be closed
	return 0
}

// fault reports what the loops cannot hand to anybody.
func (e *Engine) fault(ctx context.Context, doing string, err error) {
	if ctx.Err() != nil {
		return // stopping
	}
	e.metrics.faults.Inc()
	e.Logger.Error("the engine meets a fault and will try again", "doing", doing, "err", err)
}

// noteRetry remembers when a run that was blocked wants to go on.
func (e *Engine) noteRetry(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.retryAt.IsZero() || at.Before(e.retryAt) {
		e.retryAt = at
	}
}

// untilRetry is how long a worker without work waits. Once the time has come
// it is forgotten: the store knows it, the poll finds it in the worst case.
func (e *Engine) untilRetry() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.retryAt.IsZero() {
		return e.Poll
	}
	wait := e.retryAt.Sub(e.Now())
	if wait <= 0 {
		e.retryAt = time.Time{}
	}
	return min(e.Poll, max(wait, time.Millisecond))
}

// sleep waits for d or the end of ctx, which it returns as its cause.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// route is the shortest way of an incident from one state to another along the
// repair path; nil when it is there already or cannot get there any more.
func route(from, to incident.State) []incident.State {
	type way struct {
		at   incident.State
		path []incident.State
	}
	seen := map[incident.State]bool{
		from: true, incident.FalsePositive: true, incident.Recovered: true, incident.Reported: true, incident.Closed: true,
	}
	switch from {
	case incident.FalsePositive, incident.Recovered, incident.Reported, incident.Closed:
		return nil // only the alert or a person leads out of these
	}
	for todo := []way{{at: from}}; len(todo) > 0; todo = todo[1:] {
		if todo[0].at == to {
			return todo[0].path
		}
		for _, s := range incident.States() {
			if !seen[s] && todo[0].at.To(s) == nil {
				seen[s] = true
				todo = append(todo, way{s, append(append([]incident.State{}, todo[0].path...), s)})
			}
		}
	}
	return nil
}
