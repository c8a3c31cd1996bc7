// Package api probes HTTP endpoints on a fixed schedule of its own and keeps
// what it measures as distributions.
//
// Probes never depend on scrapes. Every time is measured from the moment the
// probe should have started, so a slow answer cannot hide the next one; starts
// that came late or not at all are counted. Phases add up to the total. A
// probe that ran into its deadline is in the histogram with at least that
// deadline. Redirects are not followed and bodies are read up to a bound. The
// exporter program runs one Prober.
package api

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// Target is one endpoint.
type Target struct {
	Exchange     string // empty for our own services
	Endpoint     string // its name
	URL          string
	Method       string
	Headers      map[string]string
	ExpectStatus []int
	BodyContains string
	Interval     time.Duration
	Timeout      time.Duration // at most Interval, so that probes never overlap
}

func (t Target) name() string { return t.Exchange + "/" + t.Endpoint }

// Options of a Prober.
type Options struct {
	Targets    []Target
	Metrics    *Metrics
	Collectors *collect.Metrics // what every source says about itself
	Logger     *slog.Logger
}

// Prober probes its targets while Run runs.
type Prober struct {
	options Options
	probes  []*schedule
}

// New makes a Prober. Nothing is sent before Run.
func New(o Options) *Prober {
	p := &Prober{options: o}
	for _, t := range o.Targets {
		o.Metrics.add(t)
		o.Collectors.Add("api", t.name())
		p.probes = append(p.probes, &schedule{
			target: t, client: newClient(t), metrics: o.Metrics, collectors: o.Collectors,
			logger: o.Logger.With("collector", "api", "target", t.name()),
		})
	}
	return p
}

// Run probes until ctx is done, and waits for the probes under way.
func (p *Prober) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, s := range p.probes {
		wg.Go(func() { s.run(ctx) })
	}
	wg.Wait()
	return nil
}

// Status reports on every target: whether its newest probe succeeded, and the
// result otherwise. The collector's own success is another matter: an endpoint
// that is down has been measured well.
func (p *Prober) Status() []collect.Status {
	out := make([]collect.Status, 0, len(p.probes))
	for _, s := range p.probes {
		out = append(out, s.current())
	}
	return out
}

// Forget drops the series of targets that after does not name any more.
func (p *Prober) Forget(after *Prober) {
	kept := map[string]bool{}
	for _, s := range after.probes {
		kept[s.target.name()] = true
	}
	for _, s := range p.probes {
		if !kept[s.target.name()] {
			p.options.Metrics.forget(s.target)
			p.options.Collectors.Forget("api", s.target.name())
		}
	}
}

// firstWithin spreads the first probes of targets, so that they do not march
// in step.
const firstWithin = 500 * time.Millisecond

func firstDelay(interval time.Duration) time.Duration {
	return time.Duration(rand.Int64N(int64(min(interval/2, firstWithin)) + 1))
}
