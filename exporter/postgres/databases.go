package postgres

import "github.com/MNS-Vic/upkeep/exporter/collect"

// databases are the counters of every database, what recovery has cancelled in
// it, its limit of connections and how old its oldest transaction number is.
func databases(n collect.Names) statement {
	stat := n.From("pg_stat_database")
	labels := []string{"datid", "datname"}
	c := func(name, help string) column {
		return column{family: stat.Counter("pg_stat_database_"+name, help, labels...), sql: "s." + name}
	}
	confl := func(name, help string, since int) column {
		f := n.From("pg_stat_database_conflicts").Counter("pg_stat_database_conflicts_"+name, help, "datid", "datname", "server")
		return column{family: f, sql: "x." + name, since: since, server: true}
	}
	db := n.From("pg_database")
	byName := []int{1}
	return table{
		name:   "databases",
		labels: []string{"s.datid", "s.datname"},
		columns: []column{
			{family: stat.Gauge("pg_stat_database_numbackends", "Sessions in this database.", labels...), sql: "s.numbackends"},
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
			c("checksum_failures", "Blocks whose checksum was wrong."),
			c("blk_read_time", "Milliseconds spent reading blocks."),
			c("blk_write_time", "Milliseconds spent writing blocks."),
			{family: stat.Counter("pg_stat_database_active_time_seconds_total", "Seconds spent running statements.", labels...), sql: "s.active_time / 1000", since: 140000},
			{family: stat.Counter("pg_stat_database_stats_reset", "When the counters were reset, in Unix time.", labels...), sql: "extract(epoch FROM s.stats_reset)"},
			confl("confl_tablespace", "Queries cancelled because their tablespace was dropped.", 0),
			confl("confl_lock", "Queries cancelled because of a lock.", 0),
			confl("confl_snapshot", "Queries cancelled because their snapshot was too old.", 0),
			confl("confl_bufferpin", "Queries cancelled because of a pinned buffer.", 0),
			confl("confl_deadlock", "Queries cancelled because of a deadlock.", 0),
			confl("confl_active_logicalslot", "Uses of logical slots cancelled.", 160000),
			{family: db.Gauge("pg_database_connection_limit", "Most sessions that a database takes, -1 for no limit of its own.", "datname"), sql: "d.datconnlimit", labels: byName},
			{family: db.Gauge("pg_database_wraparound_age_datfrozenxid_seconds", "Transactions since the oldest one that is not frozen. The unit in the name is a misnomer of old.", "datname"), sql: "age(d.datfrozenxid)", labels: byName},
			{family: db.Gauge("pg_database_wraparound_age_datminmxid_seconds", "Multixacts since the oldest one that is not frozen. The unit in the name is a misnomer of old.", "datname"), sql: "mxid_age(d.datminmxid)", labels: byName},
		},
		from: `FROM pg_stat_database s JOIN pg_database d ON d.oid = s.datid LEFT JOIN pg_stat_database_conflicts x ON x.datid = s.datid`,
	}.statement()
}
