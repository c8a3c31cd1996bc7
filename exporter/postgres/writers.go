package postgres

import "github.com/MNS-Vic/upkeep/exporter/collect"

// writers are the background writer, the checkpointer and the archiver, one
// row in all. From version 17 on the checkpointer has a view of its own, and
// what sessions write themselves is counted in pg_stat_io.
func writers(n collect.Names) statement {
	bg := n.From("pg_stat_bgwriter, pg_stat_checkpointer and pg_stat_io")
	c := func(name, help, before, after string) column {
		f := bg.Counter("pg_stat_bgwriter_"+name+"_total", help).As("pg_stat_bgwriter_" + name)
		return column{family: f, sql: before, from17: after}
	}
	check := n.From("pg_stat_checkpointer")
	p := func(name, help string, since int) column {
		return column{family: check.Counter("pg_stat_checkpointer_"+name+"_total", help), sql: "c." + name, since: max(since, since17)}
	}
	arch := n.From("pg_stat_archiver")
	return table{
		name: "writers",
		columns: []column{
			c("checkpoints_timed", "Checkpoints that were due.", "b.checkpoints_timed", "c.num_timed"),
			c("checkpoints_req", "Checkpoints that were asked for.", "b.checkpoints_req", "c.num_requested"),
			c("checkpoint_write_time", "Milliseconds spent writing files at checkpoints.", "b.checkpoint_write_time", "c.write_time"),
			c("checkpoint_sync_time", "Milliseconds spent syncing files at checkpoints.", "b.checkpoint_sync_time", "c.sync_time"),
			c("buffers_checkpoint", "Buffers written at checkpoints.", "b.buffers_checkpoint", "c.buffers_written"),
			c("buffers_clean", "Buffers written by the background writer.", "b.buffers_clean", "b.buffers_clean"),
			c("maxwritten_clean", "Times the background writer stopped because it had written too much.", "b.maxwritten_clean", "b.maxwritten_clean"),
			c("buffers_backend", "Buffers written by sessions themselves.", "b.buffers_backend", "io.writes"),
			c("buffers_backend_fsync", "Times a session had to sync files itself.", "b.buffers_backend_fsync", "io.fsyncs"),
			c("buffers_alloc", "Buffers allocated.", "b.buffers_alloc", "b.buffers_alloc"),
			c("stats_reset", "When the counters were reset, in Unix time.", "extract(epoch FROM b.stats_reset)", "extract(epoch FROM b.stats_reset)"),
			p("num_timed", "Checkpoints that were due.", 0),
			p("num_requested", "Checkpoints that were asked for.", 0),
			p("num_done", "Checkpoints that were carried out.", 180000),
			p("restartpoints_timed", "Restartpoints that were due.", 0),
			p("restartpoints_req", "Restartpoints that were asked for.", 0),
			p("restartpoints_done", "Restartpoints that were carried out.", 0),
			p("write_time", "Milliseconds spent writing files at checkpoints.", 0),
			p("sync_time", "Milliseconds spent syncing files at checkpoints.", 0),
			p("buffers_written", "Buffers written at checkpoints.", 0),
			{family: arch.Counter("pg_stat_archiver_archived_count", "Segments archived."), sql: "a.archived_count"},
			{family: arch.Counter("pg_stat_archiver_failed_count", "Segments that could not be archived."), sql: "a.failed_count"},
			{family: arch.Gauge("pg_stat_archiver_last_archive_age", "Seconds since a segment was archived."), sql: "extract(epoch FROM now() - a.last_archived_time)"},
		},
		from: "FROM pg_stat_bgwriter b, pg_stat_archiver a",
		from17: `FROM pg_stat_bgwriter b, pg_stat_archiver a, pg_stat_checkpointer c,
			(SELECT sum(writes) AS writes, sum(fsyncs) AS fsyncs FROM pg_stat_io
				WHERE object = 'relation' AND backend_type NOT IN ('checkpointer', 'background writer')) AS io`,
	}.statement()
}
