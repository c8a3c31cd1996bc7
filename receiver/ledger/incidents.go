package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// listDefault and listMax bound a list of incidents.
const (
	listDefault = 100
	listMax     = 1000
)

const incidentColumns = `id, fingerprint, alertname, labels, annotations, generator_url, priority, state, firing,
	starts_at, ends_at, opened_at, last_seen_at, deliveries, answer_by, acknowledged_at, acknowledged_by,
	recovered_at, closed_at, reopened, escalation, value, verdict, verdict_from`

func scanIncident(row scanner) (incident.Incident, error) {
	var (
		in                                                     incident.Incident
		labels, annotations, judged                            string
		starts, ends, opened, seen, answer, acked, recov, shut sql.NullInt64
		value                                                  sql.NullFloat64
	)
	if err := row.Scan(&in.ID, &in.Fingerprint, &in.Alertname, &labels, &annotations, &in.GeneratorURL, &in.Priority, &in.State, &in.Firing,
		&starts, &ends, &opened, &seen, &in.Deliveries, &answer, &acked, &in.AcknowledgedBy,
		&recov, &shut, &in.Reopened, &in.Escalation, &value, &judged, &in.VerdictFrom); err != nil {
		return in, err
	}
	if err := errors.Join(json.Unmarshal([]byte(labels), &in.Labels), json.Unmarshal([]byte(annotations), &in.Annotations)); err != nil {
		return in, fmt.Errorf("reading incident %d: %w", in.ID, err)
	}
	in.StartsAt, in.EndsAt, in.OpenedAt, in.LastSeenAt = instant(starts), instant(ends), instant(opened), instant(seen)
	in.AnswerBy, in.AcknowledgedAt, in.RecoveredAt, in.ClosedAt = instant(answer), instant(acked), instant(recov), instant(shut)
	if value.Valid {
		in.Value = &value.Float64
	}
	if judged != "" {
		v := verdict.Verdict(judged)
		in.Verdict = &v
	}
	return in, nil
}

// Incident returns one incident as it is now, or incident.ErrNotFound.
func (l *Ledger) Incident(ctx context.Context, id int64) (incident.Incident, error) {
	in, err := scanIncident(l.read.QueryRowContext(ctx, "SELECT "+incidentColumns+" FROM incidents WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return in, fmt.Errorf("reading incident %d: %w", id, incident.ErrNotFound)
	}
	return in, down("reading an incident", err)
}

// List returns the incidents that f selects, newest first.
func (l *Ledger) List(ctx context.Context, f incident.Filter) ([]incident.Incident, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(cond string, arg any) { where, args = append(where, cond), append(args, arg) }
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.OpenOnly {
		where = append(where, "state <> 'closed'")
	}
	if f.Alertname != "" {
		add("alertname = ?", f.Alertname)
	}
	if !f.Since.IsZero() {
		add("opened_at >= ?", stamp(f.Since))
	}
	if f.Before > 0 {
		add("id < ?", f.Before)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = listDefault
	}
	args = append(args, min(limit, listMax))
	return l.incidents(ctx, "SELECT "+incidentColumns+" FROM incidents WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", args...)
}

// Unplanned returns open incidents that no plan was made for, oldest first.
func (l *Ledger) Unplanned(ctx context.Context, limit int) ([]incident.Incident, error) {
	return l.incidents(ctx, "SELECT "+incidentColumns+" FROM incidents WHERE planned = 0 AND state <> 'closed' ORDER BY id LIMIT ?", limit)
}

// Resolved returns incidents that no longer fire, are not closed, were planned
// and have no run that has not ended.
func (l *Ledger) Resolved(ctx context.Context, limit int) ([]incident.Incident, error) {
	return l.incidents(ctx, "SELECT "+incidentColumns+` FROM incidents WHERE state <> 'closed' AND firing = 0 AND planned = 1
		AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.incident_id = incidents.id
			AND runs.state NOT IN ('skipped', 'denied', 'expired', 'cancelled', 'succeeded', 'escalated'))
		ORDER BY id LIMIT ?`, limit)
}

func (l *Ledger) incidents(ctx context.Context, query string, args ...any) ([]incident.Incident, error) {
	rows, err := l.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, down("listing incidents", err)
	}
	defer rows.Close()
	out := []incident.Incident{}
	for rows.Next() {
		in, err := scanIncident(rows)
		if err != nil {
			return nil, down("listing incidents", err)
		}
		out = append(out, in)
	}
	return out, down("listing incidents", rows.Err())
}

// History hands every incident since a time to yield, oldest first; an empty
// alertname means all. An error of yield ends it and is returned.
func (l *Ledger) History(ctx context.Context, since time.Time, alertname string, yield func(incident.Incident) error) error {
	for after := int64(0); ; {
		query, args := "SELECT "+incidentColumns+" FROM incidents WHERE id > ? AND starts_at >= ?", []any{after, since.UnixNano()}
		if since.IsZero() {
			args[1] = 0
		}
		if alertname != "" {
			query, args = query+" AND alertname = ?", append(args, alertname)
		}
		page, err := l.incidents(ctx, query+" ORDER BY id LIMIT ?", append(args, listMax)...)
		if err != nil {
			return err
		}
		for _, in := range page {
			if err := yield(in); err != nil {
				return err
			}
			after = in.ID
		}
		if len(page) < listMax {
			return nil
		}
	}
}

// Detail returns one incident with all that belongs to it.
func (l *Ledger) Detail(ctx context.Context, id int64) (incident.Detail, error) {
	in, err := l.Incident(ctx, id)
	if err != nil {
		return incident.Detail{}, err
	}
	d := incident.Detail{Incident: in, Events: []incident.Event{}, Runs: []incident.Run{}, Judgements: []incident.Judgement{}}
	if err := each(ctx, l.read, "SELECT "+eventColumns+" FROM events WHERE incident_id = ? ORDER BY seq", []any{id}, func(row scanner) error {
		e, err := scanEvent(row)
		d.Events = append(d.Events, e)
		return err
	}); err != nil {
		return d, down("reading events", err)
	}
	if err := each(ctx, l.read, "SELECT "+runColumns+" FROM runs WHERE incident_id = ? ORDER BY created_at, id", []any{id}, func(row scanner) error {
		r, err := scanRun(row)
		d.Runs = append(d.Runs, r.Run)
		return err
	}); err != nil {
		return d, down("reading runs", err)
	}
	for i := range d.Runs {
		if d.Runs[i].Steps, err = stepsOf(ctx, l.read, d.Runs[i].ID); err != nil {
			return d, down("reading steps", err)
		}
	}
	err = each(ctx, l.read, "SELECT verdict, source, confidence, judged_by, note, at FROM judgements WHERE incident_id = ? ORDER BY id", []any{id}, func(row scanner) error {
		j, at := incident.Judgement{Incident: id}, sql.NullInt64{}
		err := row.Scan(&j.Verdict, &j.Source, &j.Confidence, &j.By, &j.Note, &at)
		j.At = instant(at)
		d.Judgements = append(d.Judgements, j)
		return err
	})
	return d, down("reading verdicts", err)
}

// querier is a pool or a transaction's connection.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each hands every row of a query to scan.
func each(ctx context.Context, q querier, query string, args []any, scan func(scanner) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
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
