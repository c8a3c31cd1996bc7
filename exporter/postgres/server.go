package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// oneServer is the server's one row: who it is, since when, how far a replica
// is behind, and from whom it receives the log.
func oneServer(n collect.Names) statement {
	n = n.From("version(), pg_is_in_recovery(), pg_last_xact_replay_timestamp()")
	static := n.Untyped("pg_static", "Version of the server.", "server", "short_version", "version")
	started := n.Gauge("pg_postmaster_start_time_seconds", "When the server was started, in Unix time.")
	replica := n.Gauge("pg_replication_is_replica", "Whether the server is a replica.")
	lag := n.Gauge("pg_replication_lag_seconds", "How far replaying is behind, 0 on a primary.").As("pg_replication_lag")
	replay := n.Gauge("pg_replication_last_replay_seconds", "Age of the newest transaction that was replayed.")
	txid := n.From("txid_current_snapshot()").Counter("pg_txid_current", "The next transaction number that is free.")
	r := newReceiver(n.From("pg_stat_wal_receiver"))
	return statement{
		name: "server",
		sql: func(version int) string {
			flushed := "w.flushed_lsn"
			if version < 130000 {
				flushed = "w.received_lsn"
			}
			return `SELECT version(), current_setting('server_version'),
				extract(epoch FROM pg_postmaster_start_time())::float8,
				pg_is_in_recovery(),
				(CASE WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
					ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END)::float8,
				greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp()))::float8,
				txid_snapshot_xmax(txid_current_snapshot())::float8,
				coalesce(w.sender_host, ''), coalesce(w.slot_name, ''), coalesce(w.status, ''),
				pg_wal_lsn_diff(w.receive_start_lsn, '0/0')::float8, w.receive_start_tli::float8,
				pg_wal_lsn_diff(` + flushed + `, '0/0')::float8, w.received_tli::float8,
				extract(epoch FROM w.last_msg_send_time)::float8, extract(epoch FROM w.last_msg_receipt_time)::float8,
				pg_wal_lsn_diff(w.latest_end_lsn, '0/0')::float8, extract(epoch FROM w.latest_end_time)::float8
				FROM (SELECT 1) AS one LEFT JOIN pg_stat_wal_receiver w ON true`
		},
		read: func(a *answer, rows pgx.Rows) error {
			for rows.Next() {
				var (
					long, short        string
					start              float64
					isReplica          bool
					behind, ago, next  *float64
					host, slot, status string
				)
				values := make([]*float64, len(r.values))
				into := []any{&long, &short, &start, &isReplica, &behind, &ago, &next, &host, &slot, &status}
				for i := range values {
					into = append(into, &values[i])
				}
				if err := rows.Scan(into...); err != nil {
					return collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
				}
				a.add(static, 1, a.endpoint, shortVersion(short), long)
				a.add(started, start)
				a.add(replica, truth(isReplica))
				a.maybe(lag, behind)
				a.maybe(replay, ago)
				a.maybe(txid, next)
				if status != "" {
					r.add(a, host, slot, status, values)
				}
			}
			return rows.Err()
		},
	}
}

// maybe adds a value that may be NULL.
func (a *answer) maybe(f collect.Family, v *float64, labels ...string) {
	if v != nil {
		a.add(f, *v, labels...)
	}
}

// shortVersion is the version without what a distribution adds to it, in the
// three numbers that dashboards expect.
func shortVersion(text string) string {
	v := versionOf(text)
	return fmt.Sprintf("%d.%d.0", v/10000, v%10000)
}

// receiver is the process of a replica that receives the log.
type receiver struct {
	status collect.Family
	values []collect.Family // in the order of the statement
}

func newReceiver(n collect.Names) receiver {
	labels := []string{"upstream_host", "slot_name"}
	g := func(name, help string) collect.Family {
		return n.Gauge("pg_stat_wal_receiver_"+name, help, labels...)
	}
	c := func(name, help string) collect.Family {
		return n.Counter("pg_stat_wal_receiver_"+name, help, labels...)
	}
	return receiver{
		status: g("status", "What the receiver of the log does: 0 stopped, 1 starting, 2 streaming, 3 waiting, 4 restarting, -1 stopping, -2 unknown."),
		values: []collect.Family{
			c("receive_start_lsn", "Position of the log at which receiving began."),
			g("receive_start_tli", "Timeline at which receiving began."),
			c("flushed_lsn", "Position of the log that is on disk."),
			g("received_tli", "Timeline of the newest log received."),
			c("last_msg_send_time", "When the newest message was sent, in Unix time."),
			c("last_msg_receipt_time", "When the newest message was received, in Unix time."),
			c("latest_end_lsn", "Position of the log that was last reported to the sender."),
			c("latest_end_time", "When a position was last reported to the sender, in Unix time."),
		},
	}
}

func (r receiver) add(a *answer, host, slot, status string, values []*float64) {
	code, known := map[string]float64{"stopped": 0, "starting": 1, "streaming": 2, "waiting": 3, "restarting": 4, "stopping": -1}[status]
	if !known {
		code = -2
	}
	a.add(r.status, code, host, slot)
	for i, f := range r.values {
		a.maybe(f, values[i], host, slot)
	}
}
