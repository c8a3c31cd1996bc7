package postgres

import (
	"sync"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// reports are what dashboards of postgres_exporter ask of the exporter itself.
// The fast source publishes them for all three.
type reports struct {
	scrapes          collect.Family
	failed, duration collect.Family
	partOK, partTook collect.Family
	mu               sync.Mutex
	count            float64
	parts            map[string]part
}

type part struct {
	ok   bool
	took float64 // seconds
}

func newReports(n collect.Names) *reports {
	n = n.From("the exporter itself")
	return &reports{
		scrapes:  n.Counter("pg_exporter_scrapes_total", "Collections of the PostgreSQL server."),
		failed:   n.Gauge("pg_exporter_last_scrape_error", "Whether the newest collection of the PostgreSQL server failed, wholly or in part."),
		duration: n.Gauge("pg_exporter_last_scrape_duration_seconds", "How long the newest collection of the PostgreSQL server took."),
		partOK:   n.Gauge("pg_scrape_collector_success", "Whether a part of the PostgreSQL server was read.", "collector"),
		partTook: n.Gauge("pg_scrape_collector_duration_seconds", "How long the round trip that read a part of the PostgreSQL server took.", "collector"),
		parts:    map[string]part{},
	}
}

// note records how the statements of a group fared in one round trip.
func (r *reports) note(g group, k *asker, took float64) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, st := range g {
		r.parts[st.name] = part{!k.rests(st.name, now), took}
	}
}

// add publishes everything, with the newest collection of the fast source.
func (r *reports) add(b *collect.Batch, failed bool, took float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	b.Add(r.scrapes, r.count)
	b.Add(r.failed, truth(failed))
	b.Add(r.duration, took)
	for name, p := range r.parts {
		b.Add(r.partOK, truth(p.ok), name)
		b.Add(r.partTook, p.took, name)
	}
}

func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}
