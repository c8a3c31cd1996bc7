// Package collect watches sources in the background and serves what was found.
//
// Every source is collected on its own interval, under its own deadline, one
// collection at a time. What a collection finds replaces what was known before
// and is served from memory: gathering never does I/O and never waits for a
// source. A source that fails serves its Down metrics at once, and what grows
// older than its bound is dropped rather than served for ever.
//
// The package knows nothing of hosts, databases or APIs; exporter/host,
// exporter/postgres and exporter/redis implement Collector, and the exporter
// program runs the Set.
package collect

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector reads one source.
type Collector interface {
	// Collect reads the source and returns before ctx's deadline. Metrics
	// together with an error are a partial result, and are served. An error
	// without metrics means that nothing is known: Down is served. Errors are
	// best made with Fail, so that they carry their cause.
	Collect(ctx context.Context) ([]prometheus.Metric, error)
	// Down returns what to serve when nothing is known, such as pg_up 0. It
	// does no I/O and may be called at any time.
	Down() []prometheus.Metric
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
	LastSuccess time.Time
	Duration    time.Duration
}
