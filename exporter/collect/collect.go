// Package collect watches sources in the background and serves what was found.
//
// Every source is collected on its own interval, under its own deadline, one
// collection at a time. What a collection finds replaces what was known before
// and is served from memory: serving never does I/O and never waits for a
// source. A source that fails serves its Down metrics at once, and what grows
// older than its bound is dropped rather than served for ever.
//
// A collection fills a Batch, which keeps the text of labels from one round to
// the next and turns into a Snapshot, already rendered, when the round is over:
// a scrape only copies.
//
// The package knows nothing of hosts, databases or APIs; the packages beside it
// implement Collector, and the exporter program runs the Set.
package collect

import (
	"context"
	"time"
)

// Collector reads one source.
type Collector interface {
	// Collect reads the source into b and returns before ctx's deadline. What
	// b holds when an error is returned is a partial result, and is served. An
	// error with nothing in b means that nothing is known: Down is served.
	// Errors are best made with Fail, so that they carry their cause. b must
	// not be used after Collect has returned.
	Collect(ctx context.Context, b *Batch) error
	// Down says what to serve when nothing is known, such as pg_up 0. It is
	// called once, before anything else, and does no I/O.
	Down(b *Batch)
	// Close gives back what was kept between collections. It is called once,
	// after the last Collect has returned.
	Close()
}

// Source is a Collector and when to ask it.
type Source struct {
	Name      string // "postgres"; label collector
	Target    string // which of several; label target
	Interval  time.Duration
	Timeout   time.Duration // of one collection; at most Interval
	Collector Collector
}

// maxAge bounds how old a snapshot may be served: two collections may be late
// or lost before that happens.
func (s Source) maxAge() time.Duration { return 3*s.Interval + s.Timeout }

// retryAfter bounds the wait after a failure, so that a source with a long
// interval does not stay unknown for all of it.
const retryAfter = 15 * time.Second

// Status is how a source fares, for the landing page and for readiness.
type Status struct {
	Name        string
	Target      string
	Tried       bool // at least once
	Success     bool // of the newest try
	Cause       string
	Error       string // of the newest try, for people; never a label
	LastSuccess time.Time
	Duration    time.Duration
	Interval    time.Duration
	Series      int // served now
}
