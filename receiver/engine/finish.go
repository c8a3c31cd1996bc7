package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// finishBatch is how many incidents one turn of the closer looks at.
const finishBatch = 64

// finish brings incidents that no longer fire, and about which nothing is
// being done, to their end: recovered, reported, closed.
func (e *Engine) finish(ctx context.Context) time.Duration {
	incidents, err := e.Store.Resolved(ctx, finishBatch)
	if err != nil {
		e.fault(ctx, "looking for incidents to close", err)
		return e.Poll
	}
	wait := e.Poll
	for _, in := range incidents {
		if in.State.To(incident.Recovered) == nil {
			if left := e.Soak - e.Now().Sub(quietSince(in)); left > 0 {
				wait = min(wait, left)
				continue
			}
			now := e.Now()
			if err := e.Store.Apply(ctx, incident.Change{
				At: now, Incident: in.ID, IncidentTo: []incident.State{incident.Recovered},
				Events: []incident.Event{{Kind: incident.EventNote, Text: fmt.Sprintf("it has not fired for %s", now.Sub(quietSince(in)).Round(time.Second))}},
			}); err != nil {
				e.lost(ctx, "recovering an incident", in.ID, err)
				continue
			}
			e.metrics.recovered.Observe(now.Sub(in.OpenedAt).Seconds())
			in.State = incident.Recovered
		}
		if err := e.conclude(ctx, in); err != nil {
			e.lost(ctx, "closing an incident", in.ID, err)
		}
	}
	return wait
}

// quietSince is when the alert ended, or when we heard of it where that is not said.
func quietSince(in incident.Incident) time.Time {
	if !in.EndsAt.IsZero() && in.EndsAt.Before(in.LastSeenAt) {
		return in.EndsAt
	}
	return in.LastSeenAt
}

// conclude reports and closes an incident that has recovered or was no real one.
func (e *Engine) conclude(ctx context.Context, in incident.Incident) error {
	ch := incident.Change{Incident: in.ID}
	switch in.State {
	case incident.FalsePositive, incident.Recovered:
		if e.Reporter != nil {
			place, err := e.Reporter.Report(ctx, in.ID)
			if err != nil {
				return fmt.Errorf("writing the report: %w", err)
			}
			ch.Events = []incident.Event{{Kind: incident.EventReport, Text: place}}
		}
		ch.IncidentTo = []incident.State{incident.Reported, incident.Closed}
	case incident.Reported:
		ch.IncidentTo = []incident.State{incident.Closed}
	default:
		return nil
	}
	ch.At = e.Now()
	return e.Store.Apply(ctx, ch)
}

// lost says that an incident could not be moved. That it moved by itself
// meanwhile, since it fires again or a person closed it, is no fault.
func (e *Engine) lost(ctx context.Context, doing string, id int64, err error) {
	if errors.Is(err, incident.ErrTransition) {
		return
	}
	e.fault(ctx, doing, fmt.Errorf("incident %d: %w", id, err))
}
