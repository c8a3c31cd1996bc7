package postgres

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// idleBounds are the buckets, in seconds, in which idle sessions are counted.
func idleBounds() []float64 { return []float64{1, 2, 5, 15, 30, 60, 90, 120, 300} }

// activity counts sessions. The six states are there for every database, with
// 0 when no session is in them, since rules compare their sums.
func activity(n collect.Names) statement {
	n = n.From("pg_stat_activity")
	labels := []string{"datname", "state", "usename", "application_name", "backend_type", "wait_event_type", "wait_event"}
	count := n.Gauge("pg_stat_activity_count", "Sessions in this state.", labels...)
	oldest := n.Gauge("pg_stat_activity_max_tx_duration", "Age of the oldest transaction of sessions in this state, in seconds.", labels...)
	running := n.Gauge("pg_long_running_transactions", "Transactions of sessions that are not idle.")
	longest := n.Gauge("pg_long_running_transactions_oldest_timestamp_seconds", "Age of the oldest of them, in seconds.")
	idle := n.Histogram("pg_process_idle_seconds", "For how long sessions that are idle have been so.", "state", "application_name")
	var counts strings.Builder
	for _, bound := range idleBounds() {
		fmt.Fprintf(&counts, ", coalesce(a.idle_%g, 0)::float8", bound)
	}
	var filters strings.Builder
	for _, bound := range idleBounds() {
		fmt.Fprintf(&filters, ", count(*) FILTER (WHERE clock_timestamp() - state_change <= make_interval(secs => %g)) AS idle_%g", bound, bound)
	}
	return statement{
		name: "activity",
		sql: fixed(`SELECT d.datname::text, s.state, coalesce(a.usename::text, ''), coalesce(a.application_name, ''), coalesce(a.backend_type, ''),
				coalesce(a.wait_event_type, ''), coalesce(a.wait_event, ''), coalesce(a.sessions, 0)::float8, coalesce(a.oldest, 0)::float8,
				coalesce(a.transactions, 0)::float8, coalesce(a.idle, 0)::float8` + counts.String() + `
			FROM pg_database d
			CROSS JOIN (VALUES ('active'), ('idle'), ('idle in transaction'), ('idle in transaction (aborted)'),
				('fastpath function call'), ('disabled')) AS s (state)
			LEFT JOIN (
				SELECT datid, state, usename, application_name, backend_type, wait_event_type, wait_event,
					count(*) AS sessions, max(extract(epoch FROM now() - xact_start)) AS oldest,
					count(xact_start) AS transactions, sum(extract(epoch FROM clock_timestamp() - state_change)) AS idle` + filters.String() + `
				FROM pg_stat_activity GROUP BY 1, 2, 3, 4, 5, 6, 7
			) AS a ON a.datid = d.oid AND a.state = s.state
			WHERE d.datallowconn`),
		read: func(a *answer, rows pgx.Rows) error {
			type key struct{ state, application string }
			sleepers := map[key]*collect.Histogram{}
			var transactions, worst float64
			text := make([]string, len(labels))
			numbers := make([]float64, 4+len(idleBounds()))
			into := pointers(text, numbers)
			for rows.Next() {
				if err := rows.Scan(into...); err != nil {
					return collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
				}
				sessions, age := numbers[0], numbers[1]
				a.add(count, sessions, text...)
				a.add(oldest, age, text...)
				state, application, backend := text[1], text[3], text[4]
				if state != "idle" && backend != "autovacuum worker" {
					transactions += numbers[2]
					worst = max(worst, age)
				}
				if !strings.HasPrefix(state, "idle") || sessions == 0 {
					continue
				}
				h := sleepers[key{state, application}]
				if h == nil {
					h = &collect.Histogram{}
					for _, bound := range idleBounds() {
						h.Buckets = append(h.Buckets, collect.Bucket{UpperBound: bound})
					}
					sleepers[key{state, application}] = h
				}
				h.Count += uint64(sessions)
				h.Sum += numbers[3]
				for i := range h.Buckets {
					h.Buckets[i].Cumulative += uint64(numbers[4+i])
				}
			}
			for k, h := range sleepers {
				a.batch.AddHistogram(idle, h, k.state, k.application)
			}
			a.add(running, transactions)
			a.add(longest, worst)
			return rows.Err()
		},
	}
}

// pointers are what a row is scanned into.
func pointers(text []string, numbers []float64) []any {
	out := make([]any, 0, len(text)+len(numbers))
	for i := range text {
		out = append(out, &text[i])
	}
	for i := range numbers {
		out = append(out, &numbers[i])
	}
	return out
}
