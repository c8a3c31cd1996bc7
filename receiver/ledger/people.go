package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Acknowledge notes that a person has taken an incident. Once is enough: a
// second acknowledgement changes nothing. A closed incident refuses it.
func (l *Ledger) Acknowledge(ctx context.Context, id int64, by string, at time.Time) error {
	return l.update(ctx, "acknowledging an incident", func(t *tx) error {
		in, err := t.incident(id)
		if err != nil {
			return err
		}
		if in.State.Ended() || in.State == incident.Recovered || in.State == incident.Reported {
			return fmt.Errorf("incident %d is %s: %w", id, in.State, incident.ErrTransition)
		}
		if !in.AcknowledgedAt.IsZero() {
			return nil
		}
		if _, err := t.exec("UPDATE incidents SET acknowledged_at = ?, acknowledged_by = ? WHERE id = ?", stamp(at), by, id); err != nil {
			return err
		}
		return t.append(incident.Event{Incident: id, At: at, Kind: incident.EventAck, Actor: by})
	})
}

// Close ends an incident by hand. It is refused while something is being done
// about it; runs that wait are cancelled.
func (l *Ledger) Close(ctx context.Context, id int64, by string, at time.Time) error {
	return l.update(ctx, "closing an incident", func(t *tx) error {
		in, err := t.incident(id)
		if err != nil {
			return err
		}
		var waiting []held
		if err := t.each("SELECT "+runColumns+" FROM runs WHERE incident_id = ?", []any{id}, func(row scanner) error {
			r, err := scanRun(row)
			if err == nil && !r.State.Ended() {
				waiting = append(waiting, r)
			}
			return err
		}); err != nil {
			return err
		}
		for _, r := range waiting {
			if err := t.apply(incident.Change{
				At: at, Actor: by, Incident: id, Run: r.ID, RunTo: []incident.RunState{incident.RunCancelled}, Reason: "the incident was closed by " + by,
			}); err != nil {
				return err
			}
		}
		return t.moveIncident(id, in.State, []incident.State{incident.Closed}, at, by)
	})
}

// Judge records a verdict. A human one overrides every other.
func (l *Ledger) Judge(ctx context.Context, j incident.Judgement) error {
	return l.update(ctx, "judging an incident", func(t *tx) error {
		if _, err := t.incident(j.Incident); err != nil {
			return err
		}
		return t.judge(j)
	})
}

func (t *tx) judge(j incident.Judgement) error {
	if _, err := verdict.Parse(string(j.Verdict)); err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO judgements (incident_id, verdict, source, confidence, judged_by, note, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		j.Incident, string(j.Verdict), string(j.Source), j.Confidence, j.By, j.Note, stamp(j.At)); err != nil {
		return err
	}
	// The newest human verdict counts, else the newest.
	if _, err := t.exec(`UPDATE incidents SET (verdict, verdict_from) =
			(SELECT verdict, source FROM judgements WHERE incident_id = ?1 ORDER BY source = 'human' DESC, id DESC LIMIT 1) WHERE id = ?1`, j.Incident); err != nil {
		return err
	}
	return t.append(incident.Event{
		Incident: j.Incident, At: j.At, Kind: incident.EventVerdict, To: string(j.Verdict), Actor: j.By, Text: j.Note,
		Data: map[string]string{"source": string(j.Source), "confidence": fmt.Sprint(j.Confidence)},
	})
}

// Approve lets a run that waits for it go on.
func (l *Ledger) Approve(ctx context.Context, run, by string, at time.Time) error {
	return l.settle(ctx, "approving a run", run, by, at, incident.RunApproved)
}

// Deny ends a run that waits for approval.
func (l *Ledger) Deny(ctx context.Context, run, by string, at time.Time) error {
	return l.settle(ctx, "denying a run", run, by, at, incident.RunDenied)
}

func (l *Ledger) settle(ctx context.Context, doing, run, by string, at time.Time, to incident.RunState) error {
	return l.update(ctx, doing, func(t *tx) error {
		var id int64
		err := t.row("SELECT incident_id FROM runs WHERE id = ?", run).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("run %q: %w", run, incident.ErrNotFound)
		}
		if err != nil {
			return err
		}
		return t.apply(incident.Change{At: at, Actor: by, Incident: id, Run: run, RunTo: []incident.RunState{to}, Reason: "by " + by})
	})
}

func (t *tx) incident(id int64) (incident.Incident, error) {
	in, err := scanIncident(t.row("SELECT "+incidentColumns+" FROM incidents WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return in, fmt.Errorf("incident %d: %w", id, incident.ErrNotFound)
	}
	return in, err
}

func (t *tx) each(query string, args []any, scan func(scanner) error) error {
	rows, err := t.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// settingPaused is the kill switch.
const settingPaused = "paused"

// SetPaused sets or clears the kill switch. It survives a restart.
func (l *Ledger) SetPaused(ctx context.Context, paused bool, by string, at time.Time) error {
	return l.update(ctx, "setting the kill switch", func(t *tx) error {
		if _, err := t.exec("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
			settingPaused, fmt.Sprint(paused)); err != nil {
			return err
		}
		word := "resumed"
		if paused {
			word = "paused"
		}
		return t.append(incident.Event{At: at, Kind: incident.EventNote, Actor: by, Text: "all remediation is " + word})
	})
}

// Paused reports whether the kill switch is set.
func (l *Ledger) Paused(ctx context.Context) (bool, error) {
	var value string
	err := l.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ?", settingPaused).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return value == "true", down("reading the kill switch", err)
}
