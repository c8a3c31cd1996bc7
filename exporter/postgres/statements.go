package postgres

import (
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// maxStatementRows is how many statements are compared with the walk before;
// the extension itself keeps 5,000 by default.
const maxStatementRows = 5000

// maxTextLength bounds the text of a statement in a label, in characters.
const maxTextLength = 200

// statements reads pg_stat_statements: the dearest ones as they are, and all of
// them as a distribution of how long statements take. The extension keeps only
// sums, so the distribution counts the calls of a statement since the walk
// before at their mean.
type statements struct {
	options                             Options
	calls, seconds, rows, reads, writes collect.Family
	text                                collect.Family
	duration                            collect.Family
	seen                                map[statementKey]totals
	distributions                       map[string]*collect.Histogram // by database
}

type statementKey struct{ user, database, id string }

type totals struct{ calls, seconds float64 }

// durationBounds are in seconds.
func durationBounds() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

func newStatements(o Options) *statements {
	n := o.Names.From("pg_stat_statements")
	labels := []string{"user", "datname", "queryid"}
	s := &statements{
		options:  o,
		calls:    n.Counter("pg_stat_statements_calls_total", "Calls of a statement.", labels...),
		seconds:  n.Counter("pg_stat_statements_seconds_total", "Seconds spent in a statement.", labels...),
		rows:     n.Counter("pg_stat_statements_rows_total", "Rows that a statement has returned or changed.", labels...),
		reads:    n.Counter("pg_stat_statements_block_read_seconds_total", "Seconds spent reading blocks for a statement.", labels...),
		writes:   n.Counter("pg_stat_statements_block_write_seconds_total", "Seconds spent writing blocks for a statement.", labels...),
		duration: n.Histogram("pg_statement_duration_seconds", "How long statements take, each at the mean of its calls since the collection before.", "datname"),

		distributions: map[string]*collect.Histogram{},
	}
	if o.StatementText || o.Names.Catalogued() {
		s.text = n.Gauge("pg_stat_statements_query_id", "Text of a statement, cut short. Only with statement_text.", "queryid", "query")
	}
	return s
}

// group is the statement for one version of the extension.
func (s *statements) group(d discovery) group {
	if s == nil || d.statements == "" {
		return nil
	}
	spent, read, write := "total_exec_time", "blk_read_time", "blk_write_time"
	if d.extension < 108 {
		spent = "total_time"
	}
	if d.extension >= 111 {
		read, write = "shared_blk_read_time", "shared_blk_write_time"
	}
	text, withText := "''", "false"
	if s.options.StatementText {
		text, withText = fmt.Sprintf("left(min(s.query), %d)", maxTextLength), "true"
	}
	return group{{
		name: "statements",
		sql: fixed(`SELECT pg_get_userbyid(s.userid)::text, d.datname::text, s.queryid::text, ` + text + `,
				sum(s.calls)::float8, sum(s.` + spent + `)::float8 / 1000, sum(s.rows)::float8,
				sum(s.` + read + `)::float8 / 1000, sum(s.` + write + `)::float8 / 1000
			FROM pg_stat_statements(` + withText + `) s JOIN pg_database d ON d.oid = s.dbid
			WHERE s.queryid IS NOT NULL GROUP BY s.userid, d.datname, s.queryid ORDER BY 6 DESC LIMIT ` + fmt.Sprint(maxStatementRows)),
		read: s.read,
	}}
}

func (s *statements) read(a *answer, rows pgx.Rows) error {
	labels := make([]string, 4)
	numbers := make([]float64, 5)
	into := pointers(labels, numbers)
	seen := make(map[statementKey]totals, len(s.seen))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
		}
		key := statementKey{labels[0], labels[1], labels[2]}
		if len(seen) < s.options.Statements {
			for i, f := range []collect.Family{s.calls, s.seconds, s.rows, s.reads, s.writes} {
				a.add(f, numbers[i], labels[:3]...)
			}
			if s.options.StatementText {
				a.add(s.text, 1, labels[2], strings.Join(strings.Fields(labels[3]), " "))
			}
		}
		seen[key] = totals{numbers[0], numbers[1]}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if s.seen != nil {
		for key, now := range seen {
			s.observe(key, now)
		}
	}
	s.seen = seen
	for datname, h := range s.distributions {
		a.batch.AddHistogram(s.duration, h, datname)
	}
	return nil
}

// observe adds a statement's calls since the walk before. Histograms that were
// handed out are not touched again.
func (s *statements) observe(key statementKey, now totals) {
	before := s.seen[key]
	if now.calls < before.calls || now.seconds < before.seconds {
		before = totals{} // the server has forgotten it in between
	}
	calls, seconds := now.calls-before.calls, now.seconds-before.seconds
	if calls < 1 {
		return
	}
	h := &collect.Histogram{}
	if old := s.distributions[key.database]; old != nil {
		*h = collect.Histogram{Count: old.Count, Sum: old.Sum, Buckets: append([]collect.Bucket(nil), old.Buckets...)}
	} else {
		for _, bound := range durationBounds() {
			h.Buckets = append(h.Buckets, collect.Bucket{UpperBound: bound})
		}
	}
	mean := seconds / calls
	h.Count += uint64(calls)
	h.Sum += seconds
	for i := range h.Buckets {
		if mean <= h.Buckets[i].UpperBound || math.IsInf(h.Buckets[i].UpperBound, 1) {
			h.Buckets[i].Cumulative += uint64(calls)
		}
	}
	s.distributions[key.database] = h
}
