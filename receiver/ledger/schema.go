package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations are applied in order, each once, in one transaction; their number
// is kept in the file. A migration that was released is never changed.
func migrations() []string {
	return []string{`
CREATE TABLE incidents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint TEXT NOT NULL,
  alertname TEXT NOT NULL,
  labels TEXT NOT NULL,
  annotations TEXT NOT NULL,
  generator_url TEXT NOT NULL,
  priority TEXT NOT NULL,
  state TEXT NOT NULL,
  firing INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER,
  opened_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  deliveries INTEGER NOT NULL,
  answer_by INTEGER NOT NULL,
  acknowledged_at INTEGER,
  acknowledged_by TEXT NOT NULL DEFAULT '',
  recovered_at INTEGER,
  closed_at INTEGER,
  reopened INTEGER NOT NULL DEFAULT 0,
  escalation TEXT NOT NULL DEFAULT '',
  value REAL,
  verdict TEXT NOT NULL DEFAULT '',
  verdict_from TEXT NOT NULL DEFAULT '',
  planned INTEGER NOT NULL DEFAULT 0
);
-- One open incident per fingerprint, whatever is delivered how often.
CREATE UNIQUE INDEX incidents_open ON incidents (fingerprint) WHERE state <> 'closed';
CREATE INDEX incidents_fingerprint ON incidents (fingerprint, id);
CREATE INDEX incidents_alertname ON incidents (alertname, id);
CREATE INDEX incidents_opened ON incidents (opened_at);
CREATE INDEX incidents_unplanned ON incidents (id) WHERE planned = 0;
CREATE INDEX incidents_live ON incidents (id) WHERE state <> 'closed';
CREATE INDEX incidents_quiet ON incidents (id) WHERE state <> 'closed' AND firing = 0;
CREATE INDEX incidents_state ON incidents (state, id);
CREATE INDEX incidents_judged ON incidents (alertname, verdict) WHERE verdict <> '';

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  incident_id INTEGER NOT NULL REFERENCES incidents (id),
  remediation TEXT NOT NULL,
  target TEXT NOT NULL,
  mode TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  step INTEGER NOT NULL,
  config_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  retry_at INTEGER,
  approved_by TEXT NOT NULL DEFAULT '',
  owner TEXT NOT NULL DEFAULT '',
  lease_until INTEGER,
  fence INTEGER NOT NULL DEFAULT 0,
  UNIQUE (incident_id, remediation)
);
CREATE INDEX runs_live ON runs (created_at)
  WHERE state NOT IN ('skipped', 'denied', 'expired', 'cancelled', 'succeeded', 'escalated');
CREATE INDEX runs_waiting ON runs (state, updated_at);
CREATE INDEX runs_leased ON runs (remediation, target) WHERE lease_until IS NOT NULL;

CREATE TABLE steps (
  run_id TEXT NOT NULL REFERENCES runs (id),
  idx INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  output TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (run_id, idx, attempt)
) WITHOUT ROWID;
CREATE INDEX steps_started ON steps (started_at);
CREATE INDEX steps_acting ON steps (target) WHERE state = 'acting';

CREATE TABLE judgements (
  id INTEGER PRIMARY KEY,
  incident_id INTEGER NOT NULL REFERENCES incidents (id),
  verdict TEXT NOT NULL,
  source TEXT NOT NULL,
  confidence REAL NOT NULL,
  judged_by TEXT NOT NULL,
  note TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX judgements_incident ON judgements (incident_id, id);

-- The record: appended to, never changed. The hash of each event covers the
-- one before it.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  incident_id INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  actor TEXT NOT NULL,
  text TEXT NOT NULL,
  data TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX events_incident ON events (incident_id, seq);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`}
}

// migrate brings the tables up to date. A file of a newer program is refused.
func migrate(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	var have int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	all := migrations()
	if have > len(all) {
		return fmt.Errorf("the file has tables of version %d, this program knows %d; use the newer program", have, len(all))
	}
	for i := have; i < len(all); i++ {
		if _, err := tx.ExecContext(ctx, all[i]); err != nil {
			return fmt.Errorf("bringing the tables to version %d: %w", i+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(all))); err != nil {
		return err
	}
	return tx.Commit()
}
