package postgres

import "github.com/MNS-Vic/upkeep/exporter/collect"

// replicas are the standbys of this server.
func replicas(n collect.Names) statement {
	n = n.From("pg_stat_replication")
	labels := []string{"application_name", "client_addr", "slot_name", "state"}
	return table{
		name:   "replication",
		labels: []string{"r.application_name", "host(r.client_addr)", "s.slot_name", "r.state"},
		columns: []column{
			{family: n.Gauge("pg_stat_replication_pg_current_wal_lsn_bytes", "Position of the log on this server.", labels...), sql: "pg_wal_lsn_diff(p.lsn, '0/0')"},
			{family: n.Gauge("pg_stat_replication_pg_wal_lsn_diff", "Bytes of log that a standby has not replayed.", labels...), sql: "pg_wal_lsn_diff(p.lsn, r.replay_lsn)"},
		},
		from: `FROM pg_stat_replication r
			LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
			CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn) AS p`,
	}.statement()
}

// slots are the replication slots, also those that nobody reads. Exporters
// have spelt these names in two ways.
func slots(n collect.Names) statement {
	n = n.From("pg_replication_slots")
	plural, singular := []string{"slot_name", "database"}, []string{"slot_name", "slot_type"}
	of, kind := []int{0, 1}, []int{0, 2}
	columns := []column{
		{family: n.Gauge("pg_replication_slots_active", "Whether a slot is being read.", plural...), sql: "active::int", labels: of},
		{family: n.Gauge("pg_replication_slots_pg_wal_lsn_diff", "Bytes of log that a slot keeps.", plural...), sql: "pg_wal_lsn_diff(p.lsn, restart_lsn)", labels: of},
		{family: n.Gauge("pg_replication_slots_safe_wal_size_bytes", "Bytes that can be written before a slot is lost.", plural...), sql: "safe_wal_size", since: 130000, labels: of},
		{family: n.Gauge("pg_replication_slots_wal_status", "What the server keeps of the log for a slot; the label tells.", append(plural, "wal_status")...),
			sql: "CASE WHEN wal_status IS NOT NULL THEN 1 END", since: 130000, labels: []int{0, 1, 3}},
	}
	if n.Aliases() {
		columns = append(columns,
			column{family: n.Gauge("pg_replication_slot_slot_is_active", "As pg_replication_slots_active.", singular...), sql: "active::int", labels: kind},
			column{family: n.Gauge("pg_replication_slot_slot_current_wal_lsn", "Position of the log on this server.", singular...), sql: "pg_wal_lsn_diff(p.lsn, '0/0')", labels: kind},
			column{family: n.Gauge("pg_replication_slot_slot_confirmed_flush_lsn", "Position that the reader of a logical slot has confirmed.", singular...), sql: "pg_wal_lsn_diff(confirmed_flush_lsn, '0/0')", labels: kind},
			column{family: n.Gauge("pg_replication_slot_safe_wal_size_bytes", "As pg_replication_slots_safe_wal_size_bytes.", singular...), sql: "safe_wal_size", since: 130000, labels: kind},
			column{family: n.Gauge("pg_replication_slot_wal_status", "As pg_replication_slots_wal_status.", append(singular, "wal_status")...),
				sql: "CASE WHEN wal_status IS NOT NULL THEN 1 END", since: 130000, labels: []int{0, 2, 3}},
		)
	}
	return table{
		name:    "replication_slots",
		labels:  []string{"slot_name", "database", "slot_type", "wal_status"},
		columns: columns,
		before:  map[int][]string{130000: {"slot_name", "database", "slot_type", "NULL"}},
		from: `FROM pg_replication_slots
			CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn) AS p`,
	}.statement()
}
