// Package postgres reads one PostgreSQL server: activity, locks, databases,
// replication, settings and sizes, under the names that postgres_exporter's
// dashboards and rules ask for.
//
// It is a guest that cannot do harm: sessions are read-only, wait at most
// 100 ms for a lock and at most the deadline for an answer; each of the two
// groups has one connection, so a server never sees more than two, however
// long it is stopped or locked. The fast group is one pipelined round trip of
// at most eight statements over a kept connection; the slow group asks for
// sizes, seldom, and keeps nothing open. The exporter program makes the
// sources of every configured server.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/internal/secret"
)

// Options of one server's sources.
type Options struct {
	Name         string        // label target of the collector's own metrics
	Names        collect.Names // of every series
	DSN          secret.Secret // URL or keyword/value connection string
	Interval     time.Duration
	Timeout      time.Duration
	SlowInterval time.Duration
}

// Sources makes the two sources of one server.
func Sources(o Options) ([]collect.Source, error) {
	names := o.Names
	fast, err := newServer(o, fastGroup(names))
	if err != nil {
		return nil, err
	}
	slow, err := newServer(o, slowGroup(names))
	if err != nil {
		return nil, err
	}
	up := names.Gauge("pg_up", "Whether the PostgreSQL server answers.")
	fast.up, fast.keep = &up, true
	return []collect.Source{
		{Name: "postgres", Target: o.Name, Interval: o.Interval, Timeout: o.Timeout, Collector: fast},
		{Name: "postgres_slow", Target: o.Name, Interval: o.SlowInterval, Timeout: o.Timeout, Collector: slow},
	}, nil
}

// group is what is asked in one round trip.
type group []statement

// statement is one question and how its answer becomes metrics.
type statement struct {
	name string
	sql  func(version int) string // of the server, as server_version_num
	read func(*answer, pgx.Rows) error
}

// answer is what a group has found so far.
type answer struct {
	endpoint string // host:port, label server
	batch    *collect.Batch
}

func (a *answer) add(f collect.Family, value float64, labels ...string) {
	a.batch.Add(f, value, labels...)
}

// server asks one group of one server over one connection.
type server struct {
	link  *link
	group group
	up    *collect.Family // only one group publishes it
	keep  bool            // the connection, between collections
}

var _ collect.Collector = (*server)(nil)

func newServer(o Options, g group) (*server, error) {
	l, err := newLink(o.DSN, o.Timeout)
	if err != nil {
		return nil, err
	}
	return &server{link: l, group: g}, nil
}

// Collect asks the whole group in one round trip. A kept connection that has
// died meanwhile, because the server was restarted, is replaced once: that is
// no failure of the server's.
func (s *server) Collect(ctx context.Context, b *collect.Batch) error {
	kept := s.link.kept()
	a, err := s.try(ctx, b)
	if err != nil && kept && ctx.Err() == nil && broken(err) {
		a, err = s.try(ctx, b)
	}
	if err != nil {
		return s.link.explain(err)
	}
	if s.up != nil {
		a.add(*s.up, 1)
	}
	return nil
}

func (s *server) try(ctx context.Context, b *collect.Batch) (*answer, error) {
	conn, err := s.link.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	a, err := ask(ctx, conn, s.group, b)
	if err != nil {
		s.link.drop(conn)
		return nil, err
	}
	if !s.keep {
		s.link.leave(ctx)
	}
	return a, nil
}

func ask(ctx context.Context, conn *pgx.Conn, g group, b *collect.Batch) (*answer, error) {
	a := &answer{endpoint: fmt.Sprintf("%s:%d", conn.Config().Host, conn.Config().Port), batch: b}
	version := versionOf(conn.PgConn().ParameterStatus("server_version"))
	var batch pgx.Batch
	for _, st := range g {
		batch.Queue(st.sql(version))
	}
	results := conn.SendBatch(ctx, &batch)
	for _, st := range g {
		rows, err := results.Query()
		if err == nil {
			err = st.read(a, rows)
			rows.Close()
		}
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			_ = results.Close() // repeats the same error
			return nil, fmt.Errorf("asking for %s: %w", st.name, err)
		}
	}
	if err := results.Close(); err != nil {
		return nil, fmt.Errorf("ending the round trip: %w", err)
	}
	return a, nil
}

// Down is pg_up 0.
func (s *server) Down(b *collect.Batch) {
	if s.up != nil {
		b.Add(*s.up, 0)
	}
}

// Close ends the kept connection.
func (s *server) Close() { s.link.close() }
