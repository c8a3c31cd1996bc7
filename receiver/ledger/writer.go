package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// batchMax is how many writers share one commit at the most.
const batchMax = 256

// op is one caller's write: all of it happens, or none.
type op struct {
	ctx  context.Context
	do   func(*tx) error
	done chan error
}

// update runs do in the next commit and returns once it is on disk.
func (l *Ledger) update(ctx context.Context, doing string, do func(*tx) error) error {
	o := &op{ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case <-l.closing:
		return fmt.Errorf("%s: %w: it is closed", doing, incident.ErrDown)
	default:
	}
	select {
	case l.queue <- o:
	case <-l.closing:
		return fmt.Errorf("%s: %w: it is closed", doing, incident.ErrDown)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// From here the write may happen, so its result is waited for even when
	// the caller's time is up: the writer skips what it has not begun.
	select {
	case err := <-o.done:
		return down(doing, err)
	case <-l.closing:
		// The writer answers what it took before it ends.
		l.closed.Wait()
		select {
		case err := <-o.done:
			return down(doing, err)
		default:
			return fmt.Errorf("%s: %w: it is closed", doing, incident.ErrDown)
		}
	}
}

// tx is the open transaction as writes see it.
type tx struct {
	*writer
	ctx context.Context
}

// writer owns the one connection that writes.
type writer struct {
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	metrics *metrics
	seq     int64  // of the last event
	hash    string // of the last event
}

func newWriter(ctx context.Context, db *sql.DB, m *metrics) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, stmts: map[string]*sql.Stmt{}, metrics: m}
	return w, w.readChain(ctx)
}

// readChain finds where the chain of events ends.
func (w *writer) readChain(ctx context.Context) error {
	w.seq, w.hash = 0, ""
	err := w.conn.QueryRowContext(ctx, "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").Scan(&w.seq, &w.hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("reading the end of the event chain: %w", err)
	}
	return nil
}

// run takes writes and commits them together until closing; what is in the
// queue by then is still written.
func (w *writer) run(queue <-chan *op, closing <-chan struct{}) {
	defer w.conn.Close()
	for {
		select {
		case o := <-queue:
			w.commit(collect(o, queue))
		case <-closing:
			for {
				select {
				case o := <-queue:
					w.commit(collect(o, queue))
				default:
					return
				}
			}
		}
	}
}

// collect takes what waits beside first, up to batchMax.
func collect(first *op, queue <-chan *op) []*op {
	batch := []*op{first}
	for len(batch) < batchMax {
		select {
		case o := <-queue:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch. A write that refuses is undone alone; a commit that
// fails fails for all.
func (w *writer) commit(batch []*op) {
	began := time.Now()
	ctx := context.Background() // callers' contexts end their own writes, not the batch
	results := make([]error, len(batch))
	err := w.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		for i, o := range batch {
			results[i] = w.one(ctx, o)
		}
		err = w.exec(ctx, "COMMIT")
	}
	if err != nil {
		w.metrics.writeErrors.Inc()
		_ = w.exec(ctx, "ROLLBACK")
		// The events of this batch are gone; should this fail too, the next
		// event meets the seq of an old one and is refused.
		_ = w.readChain(ctx)
	}
	w.metrics.writeSeconds.Observe(time.Since(began).Seconds())
	for i, o := range batch {
		if err != nil {
			results[i] = err
		}
		o.done <- results[i]
	}
}

// one runs a single write inside a savepoint.
func (w *writer) one(ctx context.Context, o *op) error {
	if o.ctx.Err() != nil {
		return context.Cause(o.ctx)
	}
	if err := w.exec(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	seq, hash := w.seq, w.hash
	err := o.do(&tx{writer: w, ctx: ctx})
	if err != nil {
		w.seq, w.hash = seq, hash
		if undo := w.exec(ctx, "ROLLBACK TO one"); undo != nil {
			return errors.Join(err, undo)
		}
	}
	return errors.Join(err, w.exec(ctx, "RELEASE one"))
}

func (w *writer) exec(ctx context.Context, text string) error {
	s, err := w.stmt(ctx, text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx)
	return err
}

// stmt prepares each text once. Texts are constants of this package, so the
// map is bounded.
func (w *writer) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if s := w.stmts[text]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	w.stmts[text] = s
	return s, nil
}

// exec and the two queries run one of the package's statements in the
// transaction.
func (t *tx) exec(text string, args ...any) (sql.Result, error) {
	s, err := t.stmt(t.ctx, text)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(t.ctx, args...)
}

func (t *tx) query(text string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(t.ctx, text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(t.ctx, args...)
}

func (t *tx) row(text string, args ...any) scanner {
	s, err := t.stmt(t.ctx, text)
	if err != nil {
		return failed{err}
	}
	return s.QueryRowContext(t.ctx, args...)
}

// scanner is a row, or what stands for it when there is none.
type scanner interface{ Scan(dest ...any) error }

type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }
