package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// fast asks one group on every interval over a kept connection.
type fast struct {
	link    *link
	group   group
	asker   asker
	up      collect.Family
	reports *reports
}

var _ collect.Collector = (*fast)(nil)

func newFast(n collect.Names, l *link) *fast {
	return &fast{
		link: l, group: fastGroup(n), reports: newReports(n),
		up: n.From("the exporter itself").Gauge("pg_up", "Whether the PostgreSQL server answers."),
	}
}

// fastGroup is at most eight statements.
func fastGroup(n collect.Names) group {
	return group{
		oneServer(n), settings(n), activity(n), databases(n), locks(n), writers(n), replicas(n), slots(n),
	}
}

// Collect asks the whole group in one round trip. A kept connection that has
// died meanwhile, because the server was restarted, is replaced once: that is
// no failure of the server's.
func (f *fast) Collect(ctx context.Context, b *collect.Batch) error {
	start := time.Now()
	kept := f.link.kept("")
	refused, err := f.try(ctx, b)
	if err != nil && kept && ctx.Err() == nil && broken(err) {
		b.Restart()
		refused, err = f.try(ctx, b)
	}
	if err != nil {
		b.Restart()
		return f.link.explain(err)
	}
	b.Add(f.up, 1)
	took := time.Since(start).Seconds()
	f.reports.note(f.group, &f.asker, took)
	f.reports.add(b, len(refused) > 0, took)
	if len(refused) > 0 {
		return f.link.explain(errors.Join(refused...))
	}
	return nil
}

func (f *fast) try(ctx context.Context, b *collect.Batch) (refused []error, err error) {
	conn, err := f.link.open(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	refused, err = f.asker.ask(ctx, conn, f.group, newAnswer(conn, b))
	if err != nil {
		f.link.drop(conn)
	}
	return refused, err
}

// Down is pg_up 0.
func (f *fast) Down(b *collect.Batch) {
	b.Add(f.up, 0)
	b.Add(f.reports.failed, 1)
}

// Close ends the kept connection.
func (f *fast) Close() { f.link.close() }
