package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// lateCopies is how long after the end of an alert a firing message that began
// before that end is taken for a late copy, from the other Alertmanager of a
// pair or from a retry, and not for the alert firing again. Peers wait 15 s
// for each other.
const lateCopies = time.Minute

// Accept writes what a delivery says, each alert by its own fingerprint and
// its own status: a firing one opens an incident or is counted on the open
// one, a resolved one ends it. All of it is on disk when nil is returned.
func (l *Ledger) Accept(ctx context.Context, alerts []incident.Alert) error {
	if len(alerts) == 0 {
		return nil
	}
	return l.update(ctx, "accepting alerts", func(t *tx) error {
		for _, a := range alerts {
			if err := t.accept(a); err != nil {
				return fmt.Errorf("alert %s: %w", a.Fingerprint, err)
			}
		}
		return nil
	})
}

// known is what accept must know of the newest incident of a fingerprint.
type known struct {
	id           int64
	state        incident.State
	firing       bool
	ends, closed time.Time
	lastSeen     time.Time
}

func (t *tx) newest(fingerprint string) (*known, error) {
	var (
		k                  known
		ends, closed, seen sql.NullInt64
	)
	err := t.row("SELECT id, state, firing, ends_at, closed_at, last_seen_at FROM incidents WHERE fingerprint = ? ORDER BY id DESC LIMIT 1", fingerprint).
		Scan(&k.id, &k.state, &k.firing, &ends, &closed, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	k.ends, k.closed, k.lastSeen = instant(ends), instant(closed), instant(seen)
	return &k, err
}

func (t *tx) accept(a incident.Alert) error {
	k, err := t.newest(a.Fingerprint)
	if err != nil {
		return err
	}
	switch {
	case !a.Firing:
		return t.resolved(k, a)
	case k == nil:
		return t.openIncident(a)
	case k.firing && (!k.state.Ended() || !a.StartsAt.After(k.closed)):
		// It fires on. Also when a person or a failed confirmation has closed
		// the incident meanwhile: the same firing is not a new problem.
		return t.count(k, a, "repeat", !k.state.Ended())
	case !k.firing && a.ReceivedAt.Before(k.lastSeen.Add(lateCopies)) && !a.StartsAt.After(k.ends):
		return t.count(k, a, "late", false)
	case k.state.Ended():
		return t.openIncident(a)
	}
	return t.reopen(k, a)
}

// count notes a message that told nothing new.
func (t *tx) count(k *known, a incident.Alert, kind string, seen bool) error {
	t.metrics.repeated.WithLabelValues(kind).Inc()
	if seen {
		_, err := t.exec("UPDATE incidents SET deliveries = deliveries + 1, last_seen_at = max(last_seen_at, ?) WHERE id = ?", stamp(a.ReceivedAt), k.id)
		return err
	}
	_, err := t.exec("UPDATE incidents SET deliveries = deliveries + 1 WHERE id = ?", k.id)
	return err
}

func (t *tx) openIncident(a incident.Alert) error {
	labels, err := json.Marshal(a.Labels)
	if err != nil {
		return err
	}
	annotations, err := json.Marshal(a.Annotations)
	if err != nil {
		return err
	}
	p := incident.PriorityOf(a.Labels)
	var id int64
	if err := t.row(`INSERT INTO incidents (fingerprint, alertname, labels, annotations, generator_url, priority, state, firing,
			starts_at, opened_at, last_seen_at, deliveries, answer_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, 1, ?) RETURNING id`,
		a.Fingerprint, a.Name(), string(labels), string(annotations), a.GeneratorURL, string(p), string(incident.Open),
		stamp(a.StartsAt), stamp(a.ReceivedAt), stamp(a.ReceivedAt), stamp(a.ReceivedAt.Add(p.AnswerWithin())),
	).Scan(&id); err != nil {
		return err
	}
	t.metrics.opened.WithLabelValues(string(p)).Inc()
	return t.append(incident.Event{
		Incident: id, At: a.ReceivedAt, Kind: incident.EventOpened, To: string(incident.Open), Actor: "alertmanager",
		Text: fmt.Sprintf("%s fires since %s", a.Name(), a.StartsAt.UTC().Format(time.RFC3339)),
	})
}

// reopen takes an incident up again whose alert had ended. One that had
// recovered starts anew; one that had not goes on where it is.
func (t *tx) reopen(k *known, a incident.Alert) error {
	state, planned := k.state, 1
	if k.state == incident.Recovered || k.state == incident.Reported {
		state, planned = incident.Notified, 0
	}
	if _, err := t.exec(`UPDATE incidents SET firing = 1, starts_at = ?, ends_at = NULL, recovered_at = NULL, last_seen_at = ?,
			deliveries = deliveries + 1, reopened = reopened + 1, state = ?, planned = min(planned, ?) WHERE id = ?`,
		stamp(a.StartsAt), stamp(a.ReceivedAt), string(state), planned, k.id); err != nil {
		return err
	}
	return t.append(incident.Event{
		Incident: k.id, At: a.ReceivedAt, Kind: incident.EventReopened, From: string(k.state), To: string(state),
		Actor: "alertmanager", Text: fmt.Sprintf("it fires again since %s", a.StartsAt.UTC().Format(time.RFC3339)),
	})
}

// resolved notes the end of an alert. That is not yet a recovery.
func (t *tx) resolved(k *known, a incident.Alert) error {
	switch {
	case k == nil:
		t.metrics.repeated.WithLabelValues("unknown").Inc()
		return nil
	case !k.firing:
		return t.count(k, a, "resolved", false)
	}
	end := a.EndsAt
	if end.IsZero() || end.After(a.ReceivedAt) {
		end = a.ReceivedAt
	}
	if _, err := t.exec("UPDATE incidents SET firing = 0, ends_at = ?, last_seen_at = ?, deliveries = deliveries + 1 WHERE id = ?",
		stamp(end), stamp(a.ReceivedAt), k.id); err != nil {
		return err
	}
	return t.append(incident.Event{
		Incident: k.id, At: a.ReceivedAt, Kind: incident.EventResolved, Actor: "alertmanager",
		Text: fmt.Sprintf("it does not fire any more since %s", end.UTC().Format(time.RFC3339)),
	})
}
