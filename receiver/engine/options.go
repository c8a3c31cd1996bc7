package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Guard says whether an intent may be carried out now. It never returns an
// error: what cannot be evaluated is not allowed, with the reason.
type Guard interface {
	Name() string
	Decide(ctx context.Context, in incident.Intent) incident.Decision
}

// Action is one thing that may be done. Do is called at most once for each
// attempt; it must return soon after its context is done.
type Action interface {
	Name() string
	// Precheck refuses, before anything is touched, what must not or cannot be done.
	Precheck(ctx context.Context, r incident.Request) error
	// Do acts. The output is kept with the step, also beside an error.
	Do(ctx context.Context, r incident.Request) (output string, err error)
}

// Checker answers checks; an error means that the check cannot be evaluated.
type Checker interface {
	Check(ctx context.Context, c incident.Check) (incident.Finding, error)
}

// Reporter writes the report of an incident that is about to be closed and
// returns where it lies. Writing it twice must be harmless.
type Reporter interface {
	Report(ctx context.Context, id int64) (place string, err error)
}

// Options of an engine. Zero durations mean the defaults named beside them.
type Options struct {
	Store    Store
	Reporter Reporter // nil writes none
	Settings Settings // what a reload replaces, see Update
	Registry prometheus.Registerer
	Logger   *slog.Logger // nil discards
	Owner    string       // names this process in leases; must be unique among receivers

	Workers       int           // 2: runs carried on at once
	Poll          time.Duration // 5s: how often the store is asked when nobody wakes us
	Lease         time.Duration // 15s: prolonged every third of it
	CheckInterval time.Duration // 1s: between two evaluations while a check must hold
	CheckTimeout  time.Duration // 10s: for one evaluation
	RetryAfter    time.Duration // 30s: when a check could not be evaluated or a guard names no time
	StopGrace     time.Duration // 10s: how long an action may go on when the program stops
	Soak          time.Duration // 5s: not firing for so long before an incident recovers

	Now func() time.Time // time.Now; tests drive it and all waits through testing/synctest
}

func (o Options) withDefaults() Options {
	if o.Workers == 0 {
		o.Workers = 2
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Poll, 5 * time.Second}, {&o.Lease, 15 * time.Second}, {&o.CheckInterval, time.Second},
		{&o.CheckTimeout, 10 * time.Second}, {&o.RetryAfter, 30 * time.Second},
		{&o.StopGrace, 10 * time.Second}, {&o.Soak, 5 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (o Options) validate() error {
	if o.Store == nil {
		return errors.New("engine: Store is missing")
	}
	if o.Owner == "" {
		return errors.New("engine: Owner is empty, it must name this process")
	}
	if o.Workers < 1 || o.Workers > 64 {
		return fmt.Errorf("engine: Workers is %d, it must be from 1 to 64", o.Workers)
	}
	for name, d := range map[string]time.Duration{
		"Poll": o.Poll, "Lease": o.Lease, "CheckInterval": o.CheckInterval, "CheckTimeout": o.CheckTimeout,
		"RetryAfter": o.RetryAfter, "StopGrace": o.StopGrace, "Soak": o.Soak,
	} {
		if d < time.Millisecond {
			return fmt.Errorf("engine: %s is %s, it must be at least 1ms", name, d)
		}
	}
	return o.Settings.withDefaults().validate()
}
