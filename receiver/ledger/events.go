package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// seal computes the hash of an event that follows the one with hash prev.
func seal(prev string, e incident.Event) (string, error) {
	e.Hash = prev
	e.At = e.At.UTC()
	text, err := json.Marshal(e) // maps are written in order of their keys
	if err != nil {
		return "", fmt.Errorf("sealing an event: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// clean makes the event such that what is read back seals alike: JSON cannot
// carry bytes that are no UTF-8, and tells an empty map from none.
func clean(e incident.Event) incident.Event {
	valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	e.Text, e.Actor = valid(e.Text), valid(e.Actor)
	var data map[string]string
	for k, v := range e.Data {
		if data == nil {
			data = make(map[string]string, len(e.Data))
		}
		data[valid(k)] = valid(v)
	}
	e.Data = data
	return e
}

// append writes the next event of the record.
func (t *tx) append(e incident.Event) error {
	e.Seq = t.seq + 1
	if e.Actor == "" {
		e.Actor = "upkeep"
	}
	e = clean(e)
	hash, err := seal(t.hash, e)
	if err != nil {
		return err
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	if _, err := t.exec(`INSERT INTO events (seq, incident_id, run_id, at, kind, from_state, to_state, actor, text, data, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Seq, e.Incident, e.Run, stamp(e.At), e.Kind, e.From, e.To, e.Actor, e.Text, string(data), hash); err != nil {
		return err
	}
	t.writer.seq, t.writer.hash = e.Seq, hash
	return nil
}

const eventColumns = "seq, incident_id, run_id, at, kind, from_state, to_state, actor, text, data, hash"

func scanEvent(row scanner) (incident.Event, error) {
	var (
		e    incident.Event
		at   sql.NullInt64
		data string
	)
	if err := row.Scan(&e.Seq, &e.Incident, &e.Run, &at, &e.Kind, &e.From, &e.To, &e.Actor, &e.Text, &data, &e.Hash); err != nil {
		return e, err
	}
	e.At = instant(at)
	if err := json.Unmarshal([]byte(data), &e.Data); err != nil {
		return e, fmt.Errorf("reading event %d: %w", e.Seq, err)
	}
	return e, nil
}

// VerifyChain reads the whole record and returns how many events it has. The
// error names the first event that is not what was written.
func (l *Ledger) VerifyChain(ctx context.Context) (int64, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT "+eventColumns+" FROM events ORDER BY seq")
	if err != nil {
		return 0, down("reading the event chain", err)
	}
	defer rows.Close()
	var n int64
	prev := ""
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return n, down("reading the event chain", err)
		}
		kept := e.Hash
		want, err := seal(prev, e)
		if err != nil {
			return n, err
		}
		if e.Seq != n+1 || kept != want {
			return n, fmt.Errorf("event %d is not what was written: the record was changed", n+1)
		}
		n, prev = e.Seq, kept
	}
	return n, down("reading the event chain", rows.Err())
}
