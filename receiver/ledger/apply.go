package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Apply writes one Change: all of it, or nothing and an error that wraps
// incident.ErrFenced, ErrTransition, ErrBudget, ErrNotFound or ErrDown.
func (l *Ledger) Apply(ctx context.Context, c incident.Change) error {
	return l.update(ctx, "writing a change", func(t *tx) error { return t.apply(c) })
}

func (t *tx) apply(c incident.Change) error {
	if c.At.IsZero() {
		return errors.New("a change without a time")
	}
	var state incident.State
	err := t.row("SELECT state FROM incidents WHERE id = ?", c.Incident).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("incident %d: %w", c.Incident, incident.ErrNotFound)
	}
	if err != nil {
		return err
	}
	if err := t.moveIncident(c.Incident, state, c.IncidentTo, c.At, c.Actor); err != nil {
		return err
	}
	if err := t.note(c); err != nil {
		return err
	}
	if c.Run != "" {
		if err := t.moveRun(c); err != nil {
			return err
		}
	}
	if c.Judgement != nil {
		if err := t.judge(*c.Judgement); err != nil {
			return err
		}
	}
	for _, e := range c.Events {
		e.Incident, e.At = c.Incident, orAt(e.At, c.At)
		if e.Run == "" {
			e.Run = c.Run
		}
		if e.Actor == "" {
			e.Actor = c.Actor
		}
		if err := t.append(e); err != nil {
			return err
		}
	}
	return nil
}

// note writes what a change says of the incident beside its state.
func (t *tx) note(c incident.Change) error {
	if c.Escalation != "" {
		if _, err := t.exec("UPDATE incidents SET escalation = ? WHERE id = ?", c.Escalation, c.Incident); err != nil {
			return err
		}
	}
	if c.Value != nil {
		if _, err := t.exec("UPDATE incidents SET value = ? WHERE id = ?", *c.Value, c.Incident); err != nil {
			return err
		}
	}
	return nil
}

// moveIncident passes an incident through states, with an event for each.
func (t *tx) moveIncident(id int64, from incident.State, to []incident.State, at time.Time, actor string) error {
	for _, next := range to {
		if err := from.To(next); err != nil {
			return fmt.Errorf("incident %d: %w: %w", id, incident.ErrTransition, err)
		}
		var recovered, closed any
		switch next {
		case incident.Recovered:
			recovered = stamp(at)
		case incident.Closed:
			closed = stamp(at)
		}
		if _, err := t.exec("UPDATE incidents SET state = ?, recovered_at = coalesce(?, recovered_at), closed_at = coalesce(?, closed_at) WHERE id = ?",
			string(next), recovered, closed, id); err != nil {
			return err
		}
		if err := t.append(incident.Event{Incident: id, At: at, Kind: incident.EventState, From: string(from), To: string(next), Actor: actor}); err != nil {
			return err
		}
		from = next
	}
	return nil
}

// moveRun passes a run through states, spends its budgets and writes its step.
func (t *tx) moveRun(c incident.Change) error {
	r, err := scanRun(t.row("SELECT "+runColumns+" FROM runs WHERE id = ? AND incident_id = ?", c.Run, c.Incident))
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("run %q of incident %d: %w", c.Run, c.Incident, incident.ErrNotFound)
	}
	if err != nil {
		return err
	}
	if c.Fence != 0 && c.Fence != r.fence {
		return fmt.Errorf("run %s: %w", c.Run, incident.ErrFenced)
	}
	if c.Fence == 0 && !r.lease.IsZero() {
		return fmt.Errorf("run %s: %w: it is being carried out", c.Run, incident.ErrTransition)
	}
	state := r.State
	for i, next := range c.RunTo {
		if err := state.To(next); err != nil {
			return fmt.Errorf("run %s: %w: %w", c.Run, incident.ErrTransition, err)
		}
		if next == incident.RunActing {
			if err := t.spend(c.Budget, c.At); err != nil {
				return err
			}
		}
		text := ""
		if i == len(c.RunTo)-1 {
			text = c.Reason
		}
		if err := t.append(incident.Event{
			Incident: c.Incident, Run: c.Run, At: c.At, Kind: incident.EventRun, From: string(state), To: string(next), Actor: c.Actor, Text: text,
			Data: map[string]string{"remediation": r.Remediation},
		}); err != nil {
			return err
		}
		state = next
	}
	if c.Step != nil {
		if err := t.writeStep(*c.Step); err != nil {
			return err
		}
	}
	if len(c.RunTo) == 0 {
		return nil
	}
	step := c.StepNo
	if c.Fence == 0 {
		step = r.Step // a person decides about the run, not about its step
	}
	approvedBy := r.ApprovedBy
	if state == incident.RunApproved && c.Actor != "" {
		approvedBy = c.Actor
	}
	// A lease ends with the work: what nobody holds, anybody may claim.
	_, err = t.exec(`UPDATE runs SET state = ?1, reason = ?2, step = ?3, updated_at = ?4, retry_at = ?5, approved_by = ?6,
			lease_until = CASE WHEN ?7 THEN lease_until ELSE NULL END WHERE id = ?8`,
		string(state), c.Reason, step, stamp(c.At), stamp(c.RetryAt), approvedBy, state.Held(), c.Run)
	return err
}

func (t *tx) writeStep(s incident.Step) error {
	_, err := t.exec(`INSERT INTO steps (run_id, idx, attempt, action, target, state, started_at, finished_at, output, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (run_id, idx, attempt) DO UPDATE SET state = excluded.state, finished_at = excluded.finished_at,
			output = excluded.output, error = excluded.error`,
		s.Run, s.Index, s.Attempt, s.Action, s.Target, string(s.State), stamp(s.StartedAt), stamp(s.FinishedAt), s.Output, s.Error)
	return err
}
