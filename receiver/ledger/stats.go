package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Stats is what the program publishes as metrics of the present state.
type Stats struct {
	Open       map[incident.Priority]int
	OldestOpen time.Time // when the oldest open incident opened; zero without one
	Queued     time.Time // since when the oldest run waits to be claimed; zero without one
	Working    []Work
	Outcomes   []Outcome
	Paused     bool
}

// Work is one run that is being carried out.
type Work struct{ Remediation, Target string }

// Outcome is how many closed incidents of an alert were judged how.
type Outcome struct {
	Alertname, Verdict string
	Count              int
}

// outcomesMax bounds the series of outcomes.
const outcomesMax = 1000

// Stats reads the present state.
func (l *Ledger) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Open: map[incident.Priority]int{}}
	for _, p := range incident.Priorities() {
		s.Open[p] = 0
	}
	err := each(ctx, l.read, "SELECT priority, count(*), min(opened_at) FROM incidents WHERE state <> 'closed' GROUP BY priority", nil, func(row scanner) error {
		var (
			p      incident.Priority
			n      int
			oldest sql.NullInt64
		)
		err := row.Scan(&p, &n, &oldest)
		s.Open[p] = n
		if at := instant(oldest); s.OldestOpen.IsZero() || at.Before(s.OldestOpen) {
			s.OldestOpen = at
		}
		return err
	})
	var queued sql.NullInt64
	err = errors.Join(err, l.read.QueryRowContext(ctx, "SELECT min(updated_at) FROM runs WHERE state IN ('queued', 'approved')").Scan(&queued))
	s.Queued = instant(queued)
	err = errors.Join(err, each(ctx, l.read, "SELECT DISTINCT remediation, target FROM runs WHERE lease_until IS NOT NULL", nil, func(row scanner) error {
		var w Work
		err := row.Scan(&w.Remediation, &w.Target)
		s.Working = append(s.Working, w)
		return err
	}))
	err = errors.Join(err, each(ctx, l.read, "SELECT alertname, verdict, count(*) FROM incidents WHERE verdict <> '' GROUP BY alertname, verdict LIMIT ?", []any{outcomesMax}, func(row scanner) error {
		var o Outcome
		err := row.Scan(&o.Alertname, &o.Verdict, &o.Count)
		s.Outcomes = append(s.Outcomes, o)
		return err
	}))
	var pauseErr error
	s.Paused, pauseErr = l.Paused(ctx)
	return s, down("reading the present state", errors.Join(err, pauseErr))
}
