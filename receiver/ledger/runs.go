package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

const runColumns = `id, incident_id, remediation, target, mode, state, reason, step, config_hash, created_at, updated_at,
	retry_at, approved_by, lease_until, fence`

// held is a run with what only the ledger knows of it.
type held struct {
	incident.Run
	lease time.Time
	fence int64
}

func scanRun(row scanner) (held, error) {
	var (
		r                              held
		created, updated, retry, lease sql.NullInt64
	)
	err := row.Scan(&r.ID, &r.Incident, &r.Remediation, &r.Target, &r.Mode, &r.State, &r.Reason, &r.Step, &r.ConfigHash, &created, &updated,
		&retry, &r.ApprovedBy, &lease, &r.fence)
	r.CreatedAt, r.UpdatedAt, r.RetryAt, r.lease = instant(created), instant(updated), instant(retry), instant(lease)
	return r, err
}

const stepColumns = "run_id, idx, attempt, action, target, state, started_at, finished_at, output, error"

func stepsOf(ctx context.Context, q querier, run string) ([]incident.Step, error) {
	var out []incident.Step
	err := each(ctx, q, "SELECT "+stepColumns+" FROM steps WHERE run_id = ? ORDER BY idx, attempt", []any{run}, func(row scanner) error {
		var (
			s               incident.Step
			began, finished sql.NullInt64
		)
		err := row.Scan(&s.Run, &s.Index, &s.Attempt, &s.Action, &s.Target, &s.State, &began, &finished, &s.Output, &s.Error)
		s.StartedAt, s.FinishedAt = instant(began), instant(finished)
		out = append(out, s)
		return err
	})
	return out, err
}

// Plan records the runs that an incident gets and that people were told.
func (l *Ledger) Plan(ctx context.Context, id int64, runs []incident.Run, events []incident.Event, at time.Time) error {
	return l.update(ctx, "planning an incident", func(t *tx) error {
		var (
			state   incident.State
			planned bool
		)
		err := t.row("SELECT state, planned FROM incidents WHERE id = ?", id).Scan(&state, &planned)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("planning incident %d: %w", id, incident.ErrNotFound)
		}
		if err != nil || planned || state.Ended() {
			return err
		}
		if _, err := t.exec("UPDATE incidents SET planned = 1 WHERE id = ?", id); err != nil {
			return err
		}
		if state == incident.Open {
			if err := t.moveIncident(id, state, []incident.State{incident.Notified}, at, ""); err != nil {
				return err
			}
		}
		for _, e := range events {
			e.Incident, e.At = id, orAt(e.At, at)
			if err := t.append(e); err != nil {
				return err
			}
		}
		for _, r := range runs {
			if err := t.planRun(id, r, at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) planRun(id int64, r incident.Run, at time.Time) error {
	res, err := t.exec(`INSERT INTO runs (id, incident_id, remediation, target, mode, state, reason, step, config_hash, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT (incident_id, remediation) DO NOTHING`,
		r.ID, id, r.Remediation, r.Target, string(r.Mode), string(r.State), r.Reason, r.ConfigHash, stamp(at), stamp(at))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return t.append(incident.Event{
		Incident: id, Run: r.ID, At: at, Kind: incident.EventRun, From: string(incident.RunMatched), To: string(r.State), Text: r.Reason,
		Data: map[string]string{"remediation": r.Remediation, "target": r.Target, "mode": string(r.Mode)},
	})
}

// claimable finds the run to go on with: what nobody holds and can be gone on
// with now. The states are constants of the domain, never outside text.
func claimable() string {
	var takeover []string
	for _, s := range incident.RunStates() {
		if s.Held() {
			takeover = append(takeover, "'"+string(s)+"'")
		}
	}
	return "SELECT " + runColumns + ` FROM runs
		WHERE state NOT IN ('skipped', 'denied', 'expired', 'cancelled', 'succeeded', 'escalated')
		AND (lease_until IS NULL OR lease_until <= ?1)
		AND (state IN ('queued', 'approved') OR (state = 'blocked' AND retry_at <= ?1) OR state IN (` + strings.Join(takeover, ", ") + `))
		ORDER BY created_at LIMIT 1`
}

// Claim takes one run for owner, see engine.Store.
func (l *Ledger) Claim(ctx context.Context, owner string, now time.Time, lease time.Duration) (*incident.Claim, error) {
	// Most looks find nothing; they shall not cost a commit.
	if _, err := scanRun(l.read.QueryRowContext(ctx, claimable(), stamp(now))); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, down("looking for a run", err)
	}
	var claim *incident.Claim
	err := l.update(ctx, "claiming a run", func(t *tx) error {
		claim = nil
		r, err := scanRun(t.row(claimable(), stamp(now)))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE runs SET owner = ?, lease_until = ?, fence = fence + 1 WHERE id = ?", owner, stamp(now.Add(lease)), r.ID); err != nil {
			return err
		}
		if err := t.takeOver(&r, owner, now); err != nil {
			return err
		}
		c := &incident.Claim{Run: r.Run, Fence: r.fence + 1}
		if c.Incident, err = scanIncident(t.row("SELECT "+incidentColumns+" FROM incidents WHERE id = ?", r.Incident)); err != nil {
			return err
		}
		if c.Run.Steps, err = stepsOf(t.ctx, t.conn, r.ID); err != nil {
			return err
		}
		claim = c
		return nil
	})
	return claim, err
}

// takeOver moves the run to the state in which its new owner begins.
func (t *tx) takeOver(r *held, owner string, now time.Time) error {
	var (
		to     incident.RunState
		reason string
	)
	switch r.State {
	case incident.RunQueued, incident.RunApproved:
		to = incident.RunClaimed
	case incident.RunActing, incident.RunRollingBack:
		to, reason = incident.RunInterrupted, "whoever carried it out is gone"
		if _, err := t.exec("UPDATE steps SET state = ? WHERE run_id = ? AND state = ?", string(incident.RunInterrupted), r.ID, string(r.State)); err != nil {
			return err
		}
	default:
		return nil
	}
	from := r.State
	if _, err := t.exec("UPDATE runs SET state = ?, reason = ?, updated_at = ? WHERE id = ?", string(to), reason, stamp(now), r.ID); err != nil {
		return err
	}
	r.State, r.Reason, r.UpdatedAt = to, reason, now
	return t.append(incident.Event{
		Incident: r.Incident, Run: r.ID, At: now, Kind: incident.EventRun, From: string(from), To: string(to), Text: reason,
		Data: map[string]string{"owner": owner},
	})
}

// Extend prolongs a lease, see engine.Store.
func (l *Ledger) Extend(ctx context.Context, run string, fence int64, until time.Time) error {
	return l.update(ctx, "prolonging a lease", func(t *tx) error {
		res, err := t.exec("UPDATE runs SET lease_until = ? WHERE id = ? AND fence = ? AND lease_until IS NOT NULL", stamp(until), run, fence)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("run %s: %w", run, incident.ErrFenced))
		}
		return nil
	})
}

func orAt(t, at time.Time) time.Time {
	if t.IsZero() {
		return at
	}
	return t
}
