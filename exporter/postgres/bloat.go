package postgres

import "fmt"

// bloatGroup is asked in every database, seldom.
func bloatGroup(o Options) group { return group{tableBloat(o), indexBloat(o), indexSizes(o)} }

// The estimates compare the pages that a table or index has with those that
// its rows would fill: the mean width of a row, as the last ANALYZE saw it,
// aligned to 8 bytes, with 24 bytes of header and 4 of pointer, in pages that
// keep 24 bytes for themselves and are filled as far as the fill factor says.
// They are of the right order, not exact, and are left out where the role may
// not see the statistics of columns (it can with pg_read_all_data) or where
// the last ANALYZE is missing. Small relations say nothing and are left out.
const (
	smallPages = 128 // 1 MiB

	widths = `SELECT schemaname, tablename, sum((1 - null_frac) * avg_width) AS width FROM pg_stats GROUP BY 1, 2`
)

func tableBloat(o Options) statement {
	n := o.Names.From("pg_class and pg_stats")
	labels := []string{"datname", "schemaname", "relname"}
	return table{
		name:   "bloat_tables",
		labels: []string{"current_database()", "e.nspname", "e.relname"},
		columns: []column{
			{family: n.Gauge("pg_bloat_table_bloat_pct", "Estimate of the share of a table that holds no live rows, in percent.", labels...),
				sql: "greatest(0, 100.0 * (e.relpages - e.needed) / e.relpages)"},
			{family: n.Gauge("pg_bloat_table_real_size", "Size of a table's main part as of its last vacuum, in bytes.", labels...), sql: "e.relpages::float8 * e.page"},
		},
		from: fmt.Sprintf(`FROM (
				SELECT n.nspname, c.relname, c.relpages, b.page,
					ceil(c.reltuples * (28 + ceil(w.width / 8) * 8) /
						((b.page - 24) * coalesce((SELECT option_value::float8 FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 100) / 100)) AS needed
				FROM pg_class c
				JOIN pg_namespace n ON n.oid = c.relnamespace
				JOIN (%s) AS w ON w.schemaname = n.nspname AND w.tablename = c.relname
				CROSS JOIN (SELECT current_setting('block_size')::float8 AS page) AS b
				WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.reltuples >= 0 AND c.relpages >= %d
					AND n.nspname NOT IN ('pg_catalog', 'information_schema')
			) AS e ORDER BY e.relpages - e.needed DESC LIMIT %d`, widths, smallPages, o.Tables),
	}.statement()
}

func indexBloat(o Options) statement {
	n := o.Names.From("pg_index and pg_stats")
	labels := []string{"datname", "schemaname", "relname", "idxname"}
	return table{
		name:   "bloat_indexes",
		labels: []string{"current_database()", "e.nspname", "e.relname", "e.idxname"},
		columns: []column{
			{family: n.Gauge("pg_bloat_btree_bloat_pct", "Estimate of the share of a B-tree index that could be won back, in percent.", labels...),
				sql: "greatest(0, 100.0 * (e.relpages - e.needed) / e.relpages)"},
			{family: n.Gauge("pg_bloat_btree_real_size", "Size of a B-tree index as of its last vacuum, in bytes.", labels...), sql: "e.relpages::float8 * e.page"},
		},
		from: fmt.Sprintf(`FROM (
				SELECT n.nspname, t.relname, c.relname AS idxname, c.relpages, b.page,
					1 + ceil(c.reltuples * (12 + ceil(sum((1 - s.null_frac) * s.avg_width) / 8) * 8) /
						((b.page - 40) * coalesce((SELECT option_value::float8 FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 90) / 100)) AS needed
				FROM pg_index i
				JOIN pg_class c ON c.oid = i.indexrelid
				JOIN pg_class t ON t.oid = i.indrelid
				JOIN pg_namespace n ON n.oid = c.relnamespace
				JOIN pg_am am ON am.oid = c.relam AND am.amname = 'btree'
				JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
				JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = k.attname
				CROSS JOIN (SELECT current_setting('block_size')::float8 AS page) AS b
				WHERE i.indexprs IS NULL AND c.reltuples >= 0 AND c.relpages >= %d AND n.nspname NOT IN ('pg_catalog', 'information_schema')
				GROUP BY n.nspname, t.relname, c.relname, c.relpages, c.reltuples, c.reloptions, b.page
			) AS e ORDER BY e.relpages - e.needed DESC LIMIT %d`, smallPages, o.Tables),
	}.statement()
}

// indexSizes are the largest indexes, and those that a concurrent build has
// left behind, whatever their size.
func indexSizes(o Options) statement {
	n := o.Names.From("pg_class")
	labels := []string{"datname", "schemaname", "relname", "indexrelname"}
	return table{
		name:   "index_size",
		labels: []string{"current_database()", "n.nspname", "t.relname", "c.relname"},
		columns: []column{
			{family: n.Gauge("pg_general_index_info_pg_relation_size", "Size of an index as of its last vacuum, in bytes.", labels...),
				sql: "c.relpages::float8 * current_setting('block_size')::float8"},
		},
		from: fmt.Sprintf(`FROM pg_index i
			JOIN pg_class c ON c.oid = i.indexrelid
			JOIN pg_class t ON t.oid = i.indrelid
			JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind = 'i'
			ORDER BY i.indisvalid, c.relpages DESC, c.oid LIMIT %d`, o.Tables),
	}.statement()
}
