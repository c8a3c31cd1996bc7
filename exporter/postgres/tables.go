package postgres

import (
	"fmt"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// slowGroup is asked once a walk: the server has to look at files for it.
func slowGroup(o Options) group { return group{sizes(o.Names), roles(o.Names), wal(o.Names)} }

// sizes are those of every database that the role may look at.
func sizes(n collect.Names) statement {
	n = n.From("pg_database_size()")
	return table{
		name:   "database_size",
		labels: []string{"datname"},
		columns: []column{
			{family: n.Gauge("pg_database_size_bytes", "Size of a database on disk.", "datname"),
				sql: "CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(oid) END"},
		},
		from: "FROM pg_database WHERE datallowconn",
	}.statement()
}

// roles are the limits of roles that may log in.
func roles(n collect.Names) statement {
	n = n.From("pg_roles")
	return table{
		name:   "roles",
		labels: []string{"rolname"},
		columns: []column{
			{family: n.Gauge("pg_roles_connection_limit", "Most sessions of a role, -1 for no limit.", "rolname"), sql: "rolconnlimit"},
		},
		from: "FROM pg_roles WHERE rolcanlogin",
	}.statement()
}

// wal is the log on disk.
func wal(n collect.Names) statement {
	n = n.From("pg_ls_waldir()")
	return table{
		name: "wal",
		columns: []column{
			{family: n.Gauge("pg_wal_segments", "Segments of the log on disk."), sql: "count(*)"},
			{family: n.Gauge("pg_wal_size_bytes", "Size of the log on disk."), sql: "coalesce(sum(size), 0)"},
		},
		from: "FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'",
	}.statement()
}

// tableGroup is asked in every database.
func tableGroup(o Options) group { return group{tables(o), indexes(o)} }

// ofTables are the tables and materialised views of people, the largest first.
// A table that somebody holds exclusively, or waits to, cannot be measured
// without waiting: its size is left out.
const ofTables = `FROM (
		SELECT oid, relname, relpages, row_number() OVER (ORDER BY relpages DESC, oid) AS place
		FROM pg_class WHERE relkind IN ('r', 'm') AND relpersistence <> 't'
	) AS c
	JOIN pg_stat_user_tables s ON s.relid = c.oid
	JOIN pg_statio_user_tables io ON io.relid = c.oid
	LEFT JOIN (
		SELECT DISTINCT relation FROM pg_locks
		WHERE mode = 'AccessExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
	) AS l ON l.relation = c.oid
	ORDER BY c.place LIMIT %d`

func tables(o Options) statement {
	stat, io := o.Names.From("pg_stat_user_tables"), o.Names.From("pg_statio_user_tables")
	labels := []string{"datname", "schemaname", "relname"}
	c := func(name, help string) column {
		return column{family: stat.Counter("pg_stat_user_tables_"+name, help, labels...), sql: "s." + name}
	}
	g := func(name, help string) column {
		return column{family: stat.Gauge("pg_stat_user_tables_"+name, help, labels...), sql: "s." + name}
	}
	at := func(name, help string) column {
		return column{family: stat.Gauge("pg_stat_user_tables_"+name, help, labels...), sql: "coalesce(extract(epoch FROM s." + name + "), 0)"}
	}
	size := func(name, help, sql string) column {
		return column{family: stat.Gauge("pg_stat_user_tables_"+name, help, labels...), sql: "CASE WHEN l.relation IS NULL THEN " + sql + " END", heavy: true}
	}
	b := func(name, column_, help string) column {
		return column{family: io.Counter("pg_statio_user_tables_"+name, help, labels...), sql: "io." + column_}
	}
	t := table{
		name:   "tables",
		labels: []string{"current_database()", "s.schemaname", "s.relname"},
		columns: []column{
			c("seq_scan", "Sequential scans begun."),
			c("seq_tup_read", "Rows read by sequential scans."),
			c("idx_scan", "Index scans begun."),
			c("idx_tup_fetch", "Rows fetched by index scans."),
			c("n_tup_ins", "Rows inserted."),
			c("n_tup_upd", "Rows updated."),
			c("n_tup_del", "Rows deleted."),
			c("n_tup_hot_upd", "Rows updated without touching an index."),
			g("n_live_tup", "Estimate of live rows."),
			g("n_dead_tup", "Estimate of dead rows."),
			g("n_mod_since_analyze", "Estimate of rows changed since the last analyze."),
			at("last_vacuum", "When a person last vacuumed the table, in Unix time; 0 for never."),
			at("last_autovacuum", "When autovacuum last vacuumed the table, in Unix time; 0 for never."),
			at("last_analyze", "When a person last analyzed the table, in Unix time; 0 for never."),
			at("last_autoanalyze", "When autovacuum last analyzed the table, in Unix time; 0 for never."),
			c("vacuum_count", "Times that people vacuumed the table."),
			c("autovacuum_count", "Times that autovacuum vacuumed the table."),
			c("analyze_count", "Times that people analyzed the table."),
			c("autoanalyze_count", "Times that autovacuum analyzed the table."),
			size("index_size_bytes", "Size of all indexes of a table. Left out while the table is locked.", "pg_indexes_size(c.oid)"),
			size("table_size_bytes", "Size of a table without its indexes. Left out while the table is locked.", "pg_table_size(c.oid)"),
			b("heap_blocks_read", "heap_blks_read", "Blocks of the table read from disk."),
			b("heap_blocks_hit", "heap_blks_hit", "Blocks of the table found in the buffers."),
			b("idx_blocks_read", "idx_blks_read", "Blocks of its indexes read from disk."),
			b("idx_blocks_hit", "idx_blks_hit", "Blocks of its indexes found in the buffers."),
			b("toast_blocks_read", "toast_blks_read", "Blocks of its long values read from disk."),
			b("toast_blocks_hit", "toast_blks_hit", "Blocks of its long values found in the buffers."),
			b("tidx_blocks_read", "tidx_blks_read", "Blocks of the index of its long values read from disk."),
			b("tidx_blocks_hit", "tidx_blks_hit", "Blocks of the index of its long values found in the buffers."),
		},
		from: fmt.Sprintf(ofTables, o.Tables),
	}
	st := t.statement()
	st.light = t.without().statement().sql
	return st
}

func indexes(o Options) statement {
	n := o.Names.From("pg_statio_user_indexes")
	labels := []string{"datname", "schemaname", "relname", "indexrelname"}
	return table{
		name:   "indexes",
		labels: []string{"current_database()", "s.schemaname", "s.relname", "s.indexrelname"},
		columns: []column{
			{family: n.Counter("pg_statio_user_indexes_idx_blks_read_total", "Blocks of an index read from disk.", labels...), sql: "s.idx_blks_read"},
			{family: n.Counter("pg_statio_user_indexes_idx_blks_hit_total", "Blocks of an index found in the buffers.", labels...), sql: "s.idx_blks_hit"},
		},
		from: fmt.Sprintf("FROM pg_statio_user_indexes s JOIN pg_class c ON c.oid = s.indexrelid ORDER BY c.relpages DESC, c.oid LIMIT %d", 2*o.Tables),
	}.statement()
}
