package action

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/internal/servers"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// as is the server's address for another user and application.
func as(url, user, app string) string {
	return strings.Replace(url, "postgres@", user+"@", 1) + "&application_name=" + app
}

// session opens a transaction and leaves it idle, or a query and leaves it running.
func session(t *testing.T, dsn, query string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { <-done; _ = conn.Close(context.WithoutCancel(t.Context())) })
	if query == "" {
		close(done)
		if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	go func() {
		defer close(done)
		_, _ = conn.Exec(t.Context(), query)
	}()
	return conn
}

func TestTerminateBackendsAtARealServer(t *testing.T) {
	server, err := servers.Postgres(t.Context(), servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	admin, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	for _, sql := range []string{
		"CREATE ROLE app LOGIN", "CREATE ROLE other LOGIN", "CREATE ROLE copier LOGIN REPLICATION",
		"CREATE ROLE keeper LOGIN", "GRANT pg_signal_backend, pg_monitor TO keeper",
	} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	a := All(Options{})["postgres.terminate_backends"]
	target := incident.Target{Name: "db", Kind: "postgres", Params: map[string]string{"dsn": as(server.URL, "keeper", "x")}}
	do := func(with incident.Params) (string, error) {
		return a.Do(t.Context(), incident.Request{Target: target, With: with})
	}
	count := func(where string) (n int) {
		t.Helper()
		if err := admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE "+where).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	await := func(where string, want int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); count(where) != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %d sessions, want %d", where, count(where), want)
			}
		}
	}
	for range 3 {
		session(t, as(server.URL, "app", "web"), "")
	}
	session(t, as(server.URL, "app", "batch"), "")
	session(t, as(server.URL, "other", "web"), "")
	session(t, as(server.URL, "copier", "web"), "")
	session(t, as(server.URL, "postgres", "web"), "")
	session(t, as(server.URL, "app", "report"), "SELECT pg_sleep(300)")
	old := "state_change < clock_timestamp() - interval '1.1 s'"
	await("state = 'idle in transaction' AND "+old, 7)
	await("application_name = 'report' AND state = 'active' AND query_start < clock_timestamp() - interval '1.1 s'", 1)

	r := incident.Request{Target: target, With: incident.Params{"state": {"idle in transaction"}, "min_age": {"1s"}}}
	if err := a.Precheck(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if out, err := do(incident.Params{"state": {"idle in transaction"}, "min_age": {"1h"}}); err != nil || out != "no session matches" {
		t.Errorf("too young: %q, %v", out, err)
	}
	out, err := do(incident.Params{"state": {"idle in transaction"}, "min_age": {"1s"}, "user": {"app"}, "app": {"web"}, "limit": {"2"}})
	if err != nil || strings.Count(out, "ended session") != 2 {
		t.Errorf("got %q, %v", out, err)
	}
	await("usename = 'app' AND application_name = 'web'", 1)
	// A query that stops when it is asked to costs nobody a session.
	out, err = do(incident.Params{"state": {"active"}, "min_age": {"1s"}})
	if err != nil || strings.Count(out, "cancelled session") != 1 || strings.Contains(out, "ended") {
		t.Errorf("got %q, %v", out, err)
	}
	await("application_name = 'report' AND state = 'idle'", 1)
	// Without a user all are meant; superusers and replication still are not.
	if out, err = do(incident.Params{"state": {"idle in transaction"}, "min_age": {"1s"}}); err != nil || strings.Count(out, "ended session") != 3 {
		t.Errorf("got %q, %v", out, err)
	}
	await("state = 'idle in transaction'", 2)
	await("state = 'idle in transaction' AND usename IN ('copier', 'postgres')", 2)

	for want, with := range map[string]incident.Params{
		`state "" is not one of`:  {"min_age": {"1m"}},
		`must be at least 1s`:     {"state": {"idle"}},
		`limit "1000" is not`:     {"state": {"idle"}, "min_age": {"1m"}, "limit": {"1000"}},
		`"database" is not known`: {"state": {"idle"}, "min_age": {"1m"}, "database": {"x"}},
	} {
		if _, err := do(with); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	r.Target.Params = map[string]string{"dsn": as(server.URL, "other", "x")}
	if err := a.Precheck(t.Context(), r); err == nil || !strings.Contains(err.Error(), "pg_signal_backend") {
		t.Errorf("a user without rights: %v", err)
	}
	r.Target.Params = map[string]string{"dsn": "postgres://u:hunter2@h:x/"}
	if err := a.Precheck(t.Context(), r); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
