// Package ledger is the receiver's memory: incidents, runs, steps, verdicts
// and the append-only, hash-chained record of events, in SQLite.
//
// Whatever a method has accepted is on disk (fsync) when it returns; many
// writers share one commit. It never decides what is to be done about an
// incident and never talks to anything but its file. Intake, engine, pages and
// guards each see it through an interface of their own.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// readers is how many queries may run beside the one writer.
const readers = 4

// Options of a ledger.
type Options struct {
	Path       string // of the database file; it is made when absent
	Registerer prometheus.Registerer
}

// Ledger is an open database. Its methods may be called from many goroutines.
type Ledger struct {
	read    *sql.DB
	write   *sql.DB
	queue   chan *op
	closing chan struct{}
	closed  sync.WaitGroup
	once    sync.Once
	metrics *metrics
}

// Open opens the database at o.Path, brings its tables up to date and checks
// the end of the event chain.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	if o.Path == "" {
		return nil, errors.New("opening the ledger: no path is given")
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	l := &Ledger{queue: make(chan *op, batchMax), closing: make(chan struct{}), metrics: newMetrics(o.Registerer)}
	if l.write, err = open(path, "immediate", 1); err != nil {
		return nil, err
	}
	if err := migrate(ctx, l.write); err != nil {
		_ = l.write.Close()
		return nil, fmt.Errorf("opening the ledger %q: %w", path, err)
	}
	if l.read, err = open(path, "deferred", readers); err != nil {
		_ = l.write.Close()
		return nil, err
	}
	w, err := newWriter(ctx, l.write, l.metrics)
	if err != nil {
		_ = l.read.Close()
		_ = l.write.Close()
		return nil, fmt.Errorf("opening the ledger %q: %w", path, err)
	}
	l.closed.Go(func() { w.run(l.queue, l.closing) })
	return l, nil
}

// open makes one pool of connections.
func open(path, lock string, most int) (*sql.DB, error) {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "foreign_keys(1)", "temp_store(memory)",
	}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("opening the ledger %q: %w", path, err)
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db, nil
}

// Shutdown waits for what was accepted and closes the file. Later calls fail
// with incident.ErrDown.
func (l *Ledger) Shutdown() error {
	var err error
	l.once.Do(func() {
		close(l.closing)
		l.closed.Wait()
		err = errors.Join(l.read.Close(), l.write.Close())
	})
	return err
}

// down marks an error of the database, so that callers can tell it from a
// refusal.
func down(doing string, err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{incident.ErrNotFound, incident.ErrFenced, incident.ErrTransition, incident.ErrBudget, incident.ErrDown} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%s: %w: %w", doing, incident.ErrDown, err)
}

// stamp and instant keep times as nanoseconds since 1970, no time as NULL.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

func instant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}
