package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// fastGroup is asked on every interval: at most eight statements.
func fastGroup(n collect.Names) group {
	return group{
		server1(n), settings(n), activity(n), databases(n), locks(n), writers(n), replicas(n), slots(n),
	}
}

// server1 is the server's one row: who it is, since when, and how far a
// replica is behind.
func server1(n collect.Names) statement {
	static := n.Untyped("pg_static", "Version of the server.", "server", "short_version", "version")
	started := n.Gauge("pg_postmaster_start_time_seconds", "When the server was started, in Unix time.")
	replica := n.Gauge("pg_replication_is_replica", "Whether the server is a replica.")
	lag := n.Gauge("pg_replication_lag_seconds", "How far replaying is behind, 0 on a primary.")
	replay := n.Gauge("pg_replication_last_replay_seconds", "Age of the newest transaction that was replayed.")
	return statement{
		name: "the server",
		sql: fixed(`SELECT version(), current_setting('server_version'),
			extract(epoch FROM pg_postmaster_start_time())::float8,
			pg_is_in_recovery(),
			CASE WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
				ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END::float8,
			greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp()))::float8`),
		read: func(a *answer, rows pgx.Rows) error {
			for rows.Next() {
				var (
					long, short     string
					start           float64
					isReplica       bool
					behind, lastAgo *float64
				)
				if err := rows.Scan(&long, &short, &start, &isReplica, &behind, &lastAgo); err != nil {
					return collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
				}
				a.add(static, 1, a.endpoint, shortVersion(short), long)
				a.add(started, start)
				if isReplica {
					a.add(replica, 1)
				} else {
					a.add(replica, 0)
				}
				if behind != nil {
					a.add(lag, *behind)
				}
				if lastAgo != nil {
					a.add(replay, *lastAgo)
				}
			}
			return rows.Err()
		},
	}
}

// shortVersion is the version without what a distribution adds to it, in the
// three numbers that dashboards expect.
func shortVersion(text string) string {
	v := versionOf(text)
	return fmt.Sprintf("%d.%d.0", v/10000, v%10000)
}

// activity counts sessions. The six states are there for every database, with
// 0 when no session is in them, since rules compare their sums.
func activity(n collect.Names) statement {
	labels := []string{"datname", "state", "usename", "application_name", "backend_type", "wait_event_type", "wait_event"}
	return table{
		name:   "activity",
		labels: []string{"d.datname", "s.state", "a.usename", "a.application_name", "a.backend_type", "a.wait_event_type", "a.wait_event"},
		columns: []column{
			{family: n.Gauge("pg_stat_activity_count", "Sessions in this state.", labels...), sql: "coalesce(a.sessions, 0)"},
			{family: n.Gauge("pg_stat_activity_max_tx_duration", "Age of the oldest transaction of sessions in this state, in seconds.", labels...), sql: "coalesce(a.oldest, 0)"},
		},
		from: `FROM pg_database d
			CROSS JOIN (VALUES ('active'), ('idle'), ('idle in transaction'), ('idle in transaction (aborted)'),
				('fastpath function call'), ('disabled')) AS s (state)
			LEFT JOIN (
				SELECT datid, state, usename, application_name, backend_type, wait_event_type, wait_event,
					count(*) AS sessions, max(extract(epoch FROM now() - xact_start)) AS oldest
				FROM pg_stat_activity GROUP BY 1, 2, 3, 4, 5, 6, 7
			) AS a ON a.datid = d.oid AND a.state = s.state
			WHERE d.datallowconn`,
	}.statement()
}

// databases are the counters of every database.
func databases(n collect.Names) statement {
	labels := []string{"datid", "datname"}
	c := func(name, help string) column {
		return column{family: n.Counter("pg_stat_database_"+name, help, labels...), sql: name}
	}
	return table{
		name:   "databases",
		labels: labels,
		columns: []column{
			{family: n.Gauge("pg_stat_database_numbackends", "Sessions in this database.", labels...), sql: "numbackends"},
			c("xact_commit", "Transactions committed."),
			c("xact_rollback", "Transactions rolled back."),
			c("blks_read", "Blocks read from disk."),
			c("blks_hit", "Blocks found in the buffers."),
			c("tup_returned", "Rows read by scans."),
			c("tup_fetched", "Rows fetched by index scans."),
			c("tup_inserted", "Rows inserted."),
			c("tup_updated", "Rows updated."),
			c("tup_deleted", "Rows deleted."),
			c("conflicts", "Queries cancelled because of conflicts with recovery."),
			c("temp_files", "Temporary files made."),
			c("temp_bytes", "Bytes written to temporary files."),
			c("deadlocks", "Deadlocks found."),
			c("blk_read_time", "Milliseconds spent reading blocks."),
			c("blk_write_time", "Milliseconds spent writing blocks."),
			{family: n.Counter("pg_stat_database_active_time_seconds_total", "Seconds spent running statements.", labels...), sql: "active_time / 1000", since: 140000},
			{family: n.Counter("pg_stat_database_stats_reset", "When the counters were reset, in Unix time.", labels...), sql: "extract(epoch FROM stats_reset)"},
		},
		from: `FROM pg_stat_database WHERE datname IS NOT NULL`,
	}.statement()
}
