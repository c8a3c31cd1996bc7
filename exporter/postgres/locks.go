package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// locks counts locks held and waited for, for every database and mode. A wait
// for a row is a wait for its transaction and belongs to no database, so waits
// are counted where the waiting session is connected.
func locks(n collect.Names) statement {
	n = n.From("pg_locks")
	count := n.Gauge("pg_locks_count", "Locks, held or waited for.", "datname", "mode")
	waiting := n.Gauge("pg_locks_waiting_count", "Locks that are waited for.", "datname", "mode")
	blocked := n.Gauge("pg_blocked_sessions", "Sessions that wait for a lock.", "datname")
	longest := n.Gauge("pg_lock_wait_max_seconds", "How long the longest wait for a lock has lasted.", "datname")
	return statement{
		name: "locks",
		sql: func(version int) string {
			since := "l.waitstart"
			if version < 140000 {
				since = "a.query_start"
			}
			return `SELECT d.datname::text, m.mode, coalesce(h.locks, 0)::float8, coalesce(w.locks, 0)::float8, coalesce(w.longest, 0)::float8
				FROM pg_database d
				CROSS JOIN (VALUES ('accesssharelock'), ('rowsharelock'), ('rowexclusivelock'), ('shareupdateexclusivelock'),
					('sharelock'), ('sharerowexclusivelock'), ('exclusivelock'), ('accessexclusivelock'), ('sireadlock')) AS m (mode)
				LEFT JOIN (SELECT database, lower(mode) AS mode, count(*) AS locks FROM pg_locks WHERE database IS NOT NULL GROUP BY 1, 2) AS h
					ON h.database = d.oid AND h.mode = m.mode
				LEFT JOIN (
					SELECT a.datid, lower(l.mode) AS mode, count(*) AS locks,
						max(extract(epoch FROM clock_timestamp() - ` + since + `)) AS longest
					FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted GROUP BY 1, 2
				) AS w ON w.datid = d.oid AND w.mode = m.mode
				WHERE d.datallowconn`
		},
		read: func(a *answer, rows pgx.Rows) error {
			sessions, longestOf := map[string]float64{}, map[string]float64{}
			for rows.Next() {
				var (
					datname, mode       string
					locks, waits, worst float64
				)
				if err := rows.Scan(&datname, &mode, &locks, &waits, &worst); err != nil {
					return collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
				}
				a.add(count, locks, datname, mode)
				a.add(waiting, waits, datname, mode)
				sessions[datname] += waits // a session waits for one lock at a time
				longestOf[datname] = max(longestOf[datname], worst)
			}
			for datname, v := range sessions {
				a.add(blocked, v, datname)
				a.add(longest, longestOf[datname], datname)
			}
			return rows.Err()
		},
	}
}
