package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Limits of ending sessions.
const (
	defaultBackends = 10
	mostBackends    = 100
	cancelGrace     = 2 * time.Second // between asking a session to stop and ending it
	backendPoll     = 100 * time.Millisecond
)

// victims finds sessions of clients that match, the oldest first. Sessions of
// superusers, of replication and of our own are never among them, whatever the
// arguments say.
const victims = `
SELECT a.pid, a.backend_start, a.usename::text, coalesce(a.application_name, ''), coalesce(a.state, ''),
       extract(epoch FROM clock_timestamp() - CASE WHEN a.state = 'active' THEN a.query_start ELSE a.state_change END)::float8
FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
  AND NOT r.rolsuper AND NOT r.rolreplication AND a.application_name <> 'upkeep-receiver'
  AND a.state = $1
  AND CASE WHEN a.state = 'active' THEN a.query_start ELSE a.state_change END <= clock_timestamp() - make_interval(secs => $2)
  AND ($3 = '' OR a.usename = $3) AND ($4 = '' OR a.application_name = $4)
  AND ($5 = 0 OR a.pid = $5)
ORDER BY 6 DESC LIMIT $6`

// terminateBackends ends sessions of a PostgreSQL server: it cancels the query
// of a busy one first, and ends it if that does not help. Arguments: state and min_age (required), user,
// app, limit.
type terminateBackends struct{}

func (terminateBackends) Name() string { return "postgres.terminate_backends" }

type selection struct {
	state     string
	age       time.Duration
	user, app string
	limit     int
}

func (terminateBackends) Precheck(ctx context.Context, r incident.Request) error {
	if _, err := selectionOf(r.With); err != nil {
		return err
	}
	conn, err := openPostgres(ctx, r.Target)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var may bool
	if err := conn.QueryRow(ctx, `SELECT pg_has_role(current_user, 'pg_signal_backend', 'usage') OR rolsuper
		FROM pg_roles WHERE rolname = current_user`).Scan(&may); err != nil {
		return fmt.Errorf("asking for our rights: %w", err)
	}
	if !may {
		return errors.New("our user may not end sessions of others: GRANT pg_signal_backend, pg_monitor TO it")
	}
	return nil
}

func (terminateBackends) Do(ctx context.Context, r incident.Request) (string, error) {
	s, err := selectionOf(r.With)
	if err != nil {
		return "", err
	}
	conn, err := openPostgres(ctx, r.Target)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := s.find(ctx, conn, 0)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "no session matches", nil
	}
	var out []string
	for _, b := range found {
		word, err := s.end(ctx, conn, b)
		out = append(out, fmt.Sprintf("%s session %d of %s (%s, %s for %s)", word, b.pid, b.user, b.app, b.state, b.age.Round(time.Second)))
		if err != nil {
			return strings.Join(out, "\n"), err
		}
	}
	return strings.Join(out, "\n"), nil
}

type backend struct {
	pid              int32
	began            time.Time
	user, app, state string
	age              time.Duration
}

// find lists the sessions that match; only the one with pid unless that is 0.
func (s selection) find(ctx context.Context, conn *pgx.Conn, pid int32) ([]backend, error) {
	rows, err := conn.Query(ctx, victims, s.state, s.age.Seconds(), s.user, s.app, pid, s.limit)
	if err != nil {
		return nil, fmt.Errorf("looking for sessions: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (backend, error) {
		var b backend
		var seconds float64
		err := row.Scan(&b.pid, &b.began, &b.user, &b.app, &b.state, &seconds)
		b.age = time.Duration(seconds * float64(time.Second))
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for sessions: %w", err)
	}
	return found, nil
}

// end asks a session that is busy to stop, and ends it if it goes on matching.
// A session that is idle has nothing to stop.
func (s selection) end(ctx context.Context, conn *pgx.Conn, b backend) (string, error) {
	if s.state == "active" {
		gone, err := s.cancel(ctx, conn, b)
		if err != nil || gone {
			return "cancelled", err
		}
	}
	ok, err := s.signal(ctx, conn, b, "pg_terminate_backend")
	if err != nil || !ok {
		return "spared", err
	}
	return "ended", nil
}

// cancel reports whether the session no longer matches after its query was cancelled.
func (s selection) cancel(ctx context.Context, conn *pgx.Conn, b backend) (bool, error) {
	if ok, err := s.signal(ctx, conn, b, "pg_cancel_backend"); err != nil || !ok {
		return !ok, err
	}
	tick := time.NewTicker(backendPoll)
	defer tick.Stop()
	for end := time.Now().Add(cancelGrace); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-tick.C:
		}
		if ok, err := s.matches(ctx, conn, b); err != nil || !ok {
			return !ok, err
		}
	}
	return false, nil
}

// matches says whether the very session found before still fits: its process
// id may have gone to another one.
func (s selection) matches(ctx context.Context, conn *pgx.Conn, b backend) (bool, error) {
	now, err := s.find(ctx, conn, b.pid)
	return slices.ContainsFunc(now, func(n backend) bool { return n.began.Equal(b.began) }), err
}

// signal calls one of the two functions on a session that still fits.
func (s selection) signal(ctx context.Context, conn *pgx.Conn, b backend, function string) (bool, error) {
	if ok, err := s.matches(ctx, conn, b); err != nil || !ok {
		return false, err
	}
	var done bool
	err := conn.QueryRow(ctx, "SELECT coalesce((SELECT "+function+"(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2), false)", b.pid, b.began).Scan(&done)
	if err != nil {
		return false, fmt.Errorf("calling %s for session %d: %w", function, b.pid, err)
	}
	return done, nil
}

func selectionOf(with incident.Params) (selection, error) {
	if err := known(with, "state", "min_age", "user", "app", "limit"); err != nil {
		return selection{}, err
	}
	s := selection{state: with.Get("state"), user: with.Get("user"), app: with.Get("app")}
	states := []string{"idle", "idle in transaction", "idle in transaction (aborted)", "active"}
	if !slices.Contains(states, s.state) {
		return selection{}, fmt.Errorf("state %q is not one of %s", s.state, strings.Join(states, ", "))
	}
	var err error
	if s.age, err = duration(with, "min_age", 0); err != nil {
		return selection{}, err
	}
	if s.age < time.Second {
		return selection{}, fmt.Errorf("min_age %q must be at least 1s", with.Get("min_age"))
	}
	s.limit, err = number(with, "limit", defaultBackends, mostBackends)
	return s, err
}

func openPostgres(ctx context.Context, t incident.Target) (*pgx.Conn, error) {
	dsn, err := param(t, "postgres", "dsn")
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the dsn of target %q cannot be read", t.Name) // the cause could hold the password
	}
	config.RuntimeParams["application_name"] = "upkeep-receiver"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to postgres: %w", err)
	}
	return conn, nil
}

var _ Action = terminateBackends{}
