package postgres

import "github.com/MNS-Vic/upkeep/exporter/collect"

// writers are the background writer, the checkpointer and the archiver, one
// row in all. Buffers that sessions wrote themselves are no longer counted
// here from version 17 on.
func writers(n collect.Names) statement {
	c := func(name, help, before, after string) column {
		return column{family: n.Counter("pg_stat_bgwriter_"+name+"_total", help), sql: before, from17: after}
	}
	return table{
		name: "the background writer",
		columns: []column{
			c("checkpoints_timed", "Checkpoints that were due.", "b.checkpoints_timed", "c.num_timed"),
			c("checkpoints_req", "Checkpoints that were asked for.", "b.checkpoints_req", "c.num_requested"),
			c("checkpoint_write_time", "Milliseconds spent writing files at checkpoints.", "b.checkpoint_write_time", "c.write_time"),
			c("checkpoint_sync_time", "Milliseconds spent syncing files at checkpoints.", "b.checkpoint_sync_time", "c.sync_time"),
			c("buffers_checkpoint", "Buffers written at checkpoints.", "b.buffers_checkpoint", "c.buffers_written"),
			c("buffers_clean", "Buffers written by the background writer.", "b.buffers_clean", "b.buffers_clean"),
			c("maxwritten_clean", "Times the background writer stopped because it had written too much.", "b.maxwritten_clean", "b.maxwritten_clean"),
			c("buffers_backend", "Buffers written by sessions themselves.", "b.buffers_backend", "NULL"),
			c("buffers_backend_fsync", "Times a session had to sync files itself.", "b.buffers_backend_fsync", "NULL"),
			c("buffers_alloc", "Buffers allocated.", "b.buffers_alloc", "b.buffers_alloc"),
			c("stats_reset", "When the counters were reset, in Unix time.", "extract(epoch FROM b.stats_reset)", "extract(epoch FROM b.stats_reset)"),
			{family: n.Counter("pg_stat_archiver_archived_count", "Segments archived."), sql: "a.archived_count"},
			{family: n.Counter("pg_stat_archiver_failed_count", "Segments that could not be archived."), sql: "a.failed_count"},
			{family: n.Gauge("pg_stat_archiver_last_archive_age", "Seconds since a segment was archived."), sql: "extract(epoch FROM now() - a.last_archived_time)"},
		},
		from:   "FROM pg_stat_bgwriter b, pg_stat_archiver a",
		from17: "FROM pg_stat_bgwriter b, pg_stat_archiver a, pg_stat_checkpointer c",
	}.statement()
}

// replicas are the standbys of this server.
func replicas(n collect.Names) statement {
	labels := []string{"application_name", "client_addr", "slot_name", "state"}
	return table{
		name:   "replicas",
		labels: []string{"r.application_name", "r.client_addr", "s.slot_name", "r.state"},
		columns: []column{
			{family: n.Gauge("pg_stat_replication_pg_current_wal_lsn_bytes", "Position of the log on this server.", labels...), sql: "pg_wal_lsn_diff(p.lsn, '0/0')"},
			{family: n.Gauge("pg_stat_replication_pg_wal_lsn_diff", "Bytes of log that a standby has not replayed.", labels...), sql: "pg_wal_lsn_diff(p.lsn, r.replay_lsn)"},
		},
		from: `FROM pg_stat_replication r
			LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
			CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn) AS p`,
	}.statement()
}

// slots are the replication slots, also those that nobody reads.
func slots(n collect.Names) statement {
	labels := []string{"slot_name", "database"}
	return table{
		name:   "replication slots",
		labels: []string{"slot_name", "database"},
		columns: []column{
			{family: n.Gauge("pg_replication_slots_active", "Whether a slot is being read.", labels...), sql: "active::int"},
			{family: n.Gauge("pg_replication_slots_pg_wal_lsn_diff", "Bytes of log that a slot keeps.", labels...), sql: "pg_wal_lsn_diff(p.lsn, restart_lsn)"},
		},
		from: `FROM pg_replication_slots
			CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn) AS p`,
	}.statement()
}
