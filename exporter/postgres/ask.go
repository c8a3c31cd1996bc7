package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// group is what is asked in one round trip.
type group []statement

// statement is one question and how its answer becomes metrics.
type statement struct {
	name string
	sql  func(version int) string // of the server, as server_version_num
	// light is asked instead when a lock was in the way; nil for none.
	light func(version int) string
	read  func(*answer, pgx.Rows) error
}

// answer is what a round trip has found so far.
type answer struct {
	endpoint string // host:port, label server
	database string
	batch    *collect.Batch
}

func (a *answer) add(f collect.Family, value float64, labels ...string) {
	a.batch.Add(f, value, labels...)
}

// restFor is how long a refused statement is left out.
const restFor = 10 * time.Minute

// asker asks groups and remembers what was refused.
type asker struct {
	resting map[string]time.Time // until when, by name
	causes  map[string]error
}

// ask asks what is not resting, in one round trip, and what is left in a
// further one when the server refuses a statement. The error is of the
// connection; what was refused, now or a while ago, is returned apart.
func (k *asker) ask(ctx context.Context, conn *pgx.Conn, g group, a *answer) (refused []error, err error) {
	now := time.Now()
	var todo group
	for _, st := range g {
		if k.rests(st.name, now) {
			refused = append(refused, k.causes[st.name])
		} else {
			todo = append(todo, st)
		}
	}
	for len(todo) > 0 {
		done, err := roundTrip(ctx, conn, todo, a)
		todo = todo[done:]
		switch {
		case err == nil:
		case !refuses(err):
			return nil, err
		case codeOf(err) == lockTimedOut && todo[0].light != nil:
			todo[0].sql, todo[0].light = todo[0].light, nil // todo is a copy of the group
		default:
			if k.resting == nil {
				k.resting, k.causes = map[string]time.Time{}, map[string]error{}
			}
			k.resting[todo[0].name], k.causes[todo[0].name] = now.Add(restFor), err
			refused = append(refused, err)
			todo = todo[1:]
		}
	}
	return refused, nil
}

func (k *asker) rests(name string, now time.Time) bool { return now.Before(k.resting[name]) }

// roundTrip returns how many statements were answered; the error is of the
// next one.
func roundTrip(ctx context.Context, conn *pgx.Conn, g group, a *answer) (done int, err error) {
	version := versionOf(conn.PgConn().ParameterStatus("server_version"))
	var batch pgx.Batch
	for _, st := range g {
		batch.Queue(st.sql(version))
	}
	results := conn.SendBatch(ctx, &batch)
	for i, st := range g {
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
			return i, fmt.Errorf("asking for %s: %w", st.name, err)
		}
	}
	if err := results.Close(); err != nil {
		return len(g), fmt.Errorf("ending the round trip: %w", err)
	}
	return len(g), nil
}

// lockTimedOut is the SQLSTATE of a lock that was not to be had in time.
const lockTimedOut = "55P03"

func codeOf(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func newAnswer(conn *pgx.Conn, b *collect.Batch) *answer {
	c := conn.Config()
	return &answer{endpoint: fmt.Sprintf("%s:%d", c.Host, c.Port), database: c.Database, batch: b}
}

// refuses tells a statement that this server will not answer from one that was
// cut off, and from a connection that is gone.
func refuses(err error) bool {
	code := codeOf(err)
	if code == "" {
		return false
	}
	switch causeOfCode(code) {
	case collect.Query, collect.Auth:
		return true
	default:
		return code == lockTimedOut // only this statement's
	}
}
