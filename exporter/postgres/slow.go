package postgres

import "github.com/MNS-Vic/upkeep/exporter/collect"

// slowGroup is asked seldom: the server has to look at files for it.
func slowGroup(n collect.Names) group { return group{sizes(n)} }

// sizes are those of every database that the role may look at.
func sizes(n collect.Names) statement {
	return table{
		name:   "sizes",
		labels: []string{"datname"},
		columns: []column{
			{family: n.Gauge("pg_database_size_bytes", "Size of a database on disk.", "datname"),
				sql: "CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(oid) END"},
		},
		from: "FROM pg_database WHERE datallowconn",
	}.statement()
}
