// Package postgres reads one PostgreSQL server, 12 or newer: activity, locks,
// databases, replication, settings, tables, statements, sizes and bloat, under
// the names that postgres_exporter's dashboards and rules ask for.
//
// It is a guest that cannot do harm: sessions are read-only, wait at most
// 100 ms for a lock and at most the deadline for an answer, and a server never
// sees more than two of them, however long it is stopped or locked. Three
// sources share the work:
//
//   - postgres asks on every interval, over a kept connection, at most eight
//     statements in one pipelined round trip;
//   - postgres_slow visits every database in turn over a second connection:
//     tables, indexes, statements, sizes;
//   - postgres_bloat estimates, seldom, what could be won back, and takes turns
//     with postgres_slow.
//
// A statement that the server refuses, for want of rights or because an
// extension differs, is left out for a while and reported; the others go on.
// The role needs CONNECT and pg_monitor, nothing else. The exporter program
// makes the sources of every configured server.
package postgres

import (
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/internal/secret"
)

// Options of one server's sources.
type Options struct {
	Name     string        // label target of the collector's own metrics
	Names    collect.Names // of every series
	DSN      secret.Secret // URL or keyword/value connection string
	Password secret.Secret // instead of one in the connection string
	TLS      *TLS          // instead of the connection string's sslmode and certificates

	Interval      time.Duration // of the fast group
	Timeout       time.Duration
	SlowInterval  time.Duration // of tables, statements and sizes
	SlowTimeout   time.Duration
	BloatInterval time.Duration // of the estimates

	Databases        []string // whose tables are read; empty means all
	ExcludeDatabases []string
	Tables           int  // at most, of each database, the largest ones
	Statements       int  // at most, those that took most time
	StatementText    bool // publish the text of statements too
}

// Bounds where Options say nothing.
const (
	defaultTables     = 500
	defaultStatements = 100
	maxDatabases      = 50
)

func (o Options) withDefaults() Options {
	if o.Tables == 0 {
		o.Tables = defaultTables
	}
	if o.Statements == 0 {
		o.Statements = defaultStatements
	}
	if o.SlowTimeout == 0 {
		o.SlowTimeout = o.Timeout
	}
	if o.BloatInterval == 0 {
		o.BloatInterval = o.SlowInterval
	}
	return o
}

// Sources makes the sources of one server. Nothing is connected yet.
func Sources(o Options) ([]collect.Source, error) {
	o = o.withDefaults()
	fastLink, err := newLink(o, o.Timeout)
	if err != nil {
		return nil, err
	}
	slowLink, err := newLink(o, o.SlowTimeout)
	if err != nil {
		return nil, err
	}
	n := o.Names
	fast := newFast(n, fastLink)
	turn := make(chan struct{}, 1)
	slow := &walker{
		options: o, link: slowLink, turn: turn, perServer: slowGroup(o), perDatabase: tableGroup(o), statements: newStatements(o), reports: fast.reports,
	}
	bloat := &walker{options: o, link: slowLink, turn: turn, perDatabase: bloatGroup(o), reports: fast.reports}
	return []collect.Source{
		{Name: "postgres", Target: o.Name, Interval: o.Interval, Timeout: o.Timeout, Collector: fast},
		{Name: "postgres_slow", Target: o.Name, Interval: o.SlowInterval, Timeout: o.SlowTimeout, Collector: slow},
		{Name: "postgres_bloat", Target: o.Name, Interval: o.BloatInterval, Timeout: o.SlowTimeout, Collector: bloat},
	}, nil
}
