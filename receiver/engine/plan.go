package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// planBatch is how many incidents one turn plans.
const planBatch = 64

// plan gives every incident that is new the runs of all remediations that
// match it.
func (e *Engine) plan(ctx context.Context) time.Duration {
	incidents, err := e.Store.Unplanned(ctx, planBatch)
	if err != nil {
		e.fault(ctx, "looking for incidents to plan", err)
		return e.Poll
	}
	s := *e.settings.Load()
	for _, in := range incidents {
		now := e.Now()
		runs, note := s.runsFor(in, now)
		events := []incident.Event{{Kind: incident.EventNote, Text: note}}
		if err := e.Store.Plan(ctx, in.ID, runs, events, now); err != nil {
			e.fault(ctx, "planning an incident", fmt.Errorf("incident %d: %w", in.ID, err))
			return e.Poll
		}
		for _, r := range runs {
			e.metrics.moved(r.Remediation, "", r.State)
		}
	}
	if len(incidents) > 0 {
		e.Wake()
		return 0
	}
	return e.Poll
}

// runsFor chooses the runs of an incident and says so in one sentence.
func (s Settings) runsFor(in incident.Incident, now time.Time) ([]incident.Run, string) {
	var runs []incident.Run
	note := "no remediation matches: this is for people"
	for _, r := range s.Remediations {
		if !r.Match(in.Labels) {
			continue
		}
		run := incident.Run{
			ID: newID(), Incident: in.ID, Remediation: r.Name, Mode: r.Mode, State: incident.RunQueued,
			ConfigHash: s.ConfigHash, CreatedAt: now, UpdatedAt: now,
		}
		target, err := s.aim(r, in)
		run.Target = target.Name
		switch {
		case r.Mode == incident.ModeOff:
			run.State, run.Reason = incident.RunSkipped, "mode off"
		case err != nil:
			run.State, run.Reason = incident.RunSkipped, err.Error()
		}
		if len(runs) == 0 {
			note = "matching remediations: " + r.Name
		} else {
			note += ", " + r.Name
		}
		runs = append(runs, run)
	}
	return runs, note
}

// aim finds the target, which is always an entry of the list, whatever a label says.
func (s Settings) aim(r Remediation, in incident.Incident) (incident.Target, error) {
	name, err := render(r.Target, newData(in, "", ""))
	if err != nil {
		return incident.Target{}, fmt.Errorf("unknown target: %w", err)
	}
	t, ok := s.target(name)
	if !ok {
		return incident.Target{}, fmt.Errorf("unknown target: %q is not in the list of targets", name)
	}
	return t, nil
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	return hex.EncodeToString(id[:])
}
