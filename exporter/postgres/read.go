package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// column is one number of a row and the family it belongs to.
type column struct {
	family collect.Family
	sql    string // its value, an expression
	since  int    // first server version that has it, 0 for all
	from17 string // the expression from version 17 on, where it differs
	labels []int  // which of the table's labels it has; nil means all
	server bool   // and the server's address as the last one
	heavy  bool   // has to look at the relation itself, and to wait for its lock
}

// since17 is the first version that counts checkpoints in a view of its own.
const since17 = 170000

func (c column) in(version int) string {
	switch {
	case version < c.since:
		return "NULL"
	case version >= since17 && c.from17 != "":
		return c.from17
	default:
		return c.sql
	}
}

// table is the usual statement: label columns, number columns and where they
// come from. A number that is NULL is left out.
type table struct {
	name    string
	labels  []string // expressions
	columns []column
	from    string
	from17  string           // the same from version 17 on, where it differs
	before  map[int][]string // the labels of servers older than a version
}

func (t table) statement() statement {
	return statement{
		name: t.name,
		sql: func(version int) string {
			var exprs []string
			labels := t.labels
			for newer, older := range t.before {
				if version < newer {
					labels = older
				}
			}
			for _, l := range labels {
				exprs = append(exprs, "coalesce(("+l+")::text, '')")
			}
			for _, c := range t.columns {
				exprs = append(exprs, "("+c.in(version)+")::float8")
			}
			from := t.from
			if version >= since17 && t.from17 != "" {
				from = t.from17
			}
			return "SELECT " + strings.Join(exprs, ", ") + " " + from
		},
		read: t.read,
	}
}

// without is the table with NULL in place of what needs a lock.
func (t table) without() table {
	t.columns = slices.Clone(t.columns)
	for i, c := range t.columns {
		if c.heavy {
			t.columns[i].sql = "NULL"
		}
	}
	return t
}

func (t table) read(a *answer, rows pgx.Rows) error {
	labels := make([]string, len(t.labels))
	values := make([]*float64, len(t.columns))
	into := make([]any, 0, len(labels)+len(values))
	for i := range labels {
		into = append(into, &labels[i])
	}
	for i := range values {
		into = append(into, &values[i])
	}
	some := make([]string, 0, len(labels)+1)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
		}
		for i, c := range t.columns {
			if values[i] == nil {
				continue
			}
			some = append(some[:0], labels...)
			if c.labels != nil {
				some = some[:0]
				for _, l := range c.labels {
					some = append(some, labels[l])
				}
			}
			if c.server {
				some = append(some, a.endpoint)
			}
			a.add(c.family, *values[i], some...)
		}
	}
	return rows.Err()
}

// fixed is a statement that is the same for every server version.
func fixed(sql string) func(int) string { return func(int) string { return sql } }
