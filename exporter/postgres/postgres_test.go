package postgres

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/servers"
)

func start(t *testing.T, args ...string) *servers.Process {
	t.Helper()
	p, err := servers.Postgres(t.Context(), servers.Options{Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

// sources are the fast and the slow collector of one server.
func sources(t *testing.T, dsn string) (quick, slow collect.Collector) {
	t.Helper()
	s, err := Sources(Options{Name: "p", DSN: secret.New(dsn), Interval: time.Second, Timeout: 5 * time.Second, SlowInterval: time.Minute, Names: collect.NewNames(collect.Naming{Aliases: true})})
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range s {
		t.Cleanup(source.Collector.Close)
	}
	return s[0].Collector, s[1].Collector
}

func connect(t *testing.T, p *servers.Process) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func query[T any](t *testing.T, conn *pgx.Conn, sql string) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func collected(t *testing.T, c collect.Collector) string {
	t.Helper()
	found, err := collect.Once(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return found.Text()
}

func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestWhatIsPublished(t *testing.T) {
	t.Parallel()
	p := start(t)
	quick, slow := sources(t, p.URL)
	text := collected(t, quick)
	contains(t, text,
		"pg_up 1\n", "pg_settings_max_connections 100\n", "pg_settings_superuser_reserved_connections 3\n", "pg_settings_shared_buffers_bytes 3.3554432e+07\n",
		"pg_settings_lock_timeout_seconds 0.1\n", "pg_settings_fsync 0\n",
		`pg_stat_activity_count{application_name="",backend_type="",datname="postgres",state="idle in transaction",usename="",wait_event="",wait_event_type=""} 0`+"\n",
		`pg_stat_activity_count{application_name="upkeep-exporter",backend_type="client backend",datname="postgres",state="active",usename="postgres",wait_event="",wait_event_type=""} 1`+"\n",
		`pg_stat_database_deadlocks{datid="`, `pg_locks_waiting_count{datname="postgres",mode="accessexclusivelock"} 0`+"\n",
		`pg_blocked_sessions{datname="postgres"} 0`+"\n", "pg_replication_is_replica 0\n", "pg_stat_bgwriter_checkpoints_timed_total ",
		`pg_static{server="`+p.Addr+`",short_version="`, "pg_postmaster_start_time_seconds 1.",
	)
	if strings.Contains(text, `datname="template0"`) && strings.Contains(text, `pg_locks_count{datname="template0"`) {
		t.Error("a database that nobody can use is counted")
	}
	contains(t, collected(t, slow), `pg_database_size_bytes{datname="postgres"} `)
}

func TestAnOrdinaryRoleIsEnough(t *testing.T) {
	t.Parallel()
	p := start(t)
	run(t, connect(t, p), "CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
	quick, slow := sources(t, strings.Replace(p.URL, "postgres@", "watcher@", 1))
	contains(t, collected(t, quick), "pg_up 1\n")
	contains(t, collected(t, slow), `pg_database_size_bytes{datname="postgres"} `)
}

func TestTwoConnectionsAreKeptAndGuarded(t *testing.T) {
	t.Parallel()
	p := start(t)
	conn := connect(t, p)
	quick, slow := sources(t, p.URL)
	if n := len(quick.(*fast).group); n > 8 {
		t.Errorf("the fast group has %d statements", n)
	}
	collected(t, quick)
	collected(t, slow)
	const ours = "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE application_name = 'upkeep-exporter'"
	kept := query[string](t, conn, ours)
	if n := len(strings.Fields(kept)); n != 2 {
		t.Errorf("%d connections are kept, want 2", n)
	}
	for range 3 {
		collected(t, quick)
		collected(t, slow)
	}
	if again := query[string](t, conn, ours); again != kept {
		t.Errorf("the connections %s became %s", kept, again)
	}
	own := quick.(*fast).link.conn
	for setting, want := range map[string]string{
		"default_transaction_read_only": "on", "statement_timeout": "5s", "lock_timeout": "100ms", "idle_in_transaction_session_timeout": "5s",
	} {
		if got := query[string](t, own, "SHOW "+setting); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	if _, err := own.Exec(t.Context(), "CREATE TABLE t ()"); err == nil {
		t.Error("the session can write")
	}
}

func TestARowLockIsSeenWhereTheSessionWaits(t *testing.T) {
	t.Parallel()
	p := start(t)
	holder, waiter := connect(t, p), connect(t, p)
	run(t, holder, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
	run(t, holder, "BEGIN; UPDATE t SET id = 2")
	done := make(chan error, 1)
	go func() { _, err := waiter.Exec(context.Background(), "UPDATE t SET id = 3"); done <- err }()
	quick, _ := sources(t, p.URL)
	deadline := time.Now().Add(10 * time.Second)
	for {
		text := collected(t, quick)
		if strings.Contains(text, `pg_blocked_sessions{datname="postgres"} 1`+"\n") {
			contains(t, text, `pg_locks_waiting_count{datname="postgres",mode="sharelock"} 1`+"\n")
			if strings.Contains(text, `pg_lock_wait_max_seconds{datname="postgres"} 0`+"\n") {
				t.Error("the wait has no length")
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the wait is not seen:\n%s", text)
		}
	}
	run(t, holder, "COMMIT")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestALockedTableChangesNothing(t *testing.T) {
	t.Parallel()
	p := start(t)
	holder := connect(t, p)
	run(t, holder, "CREATE TABLE t (id int)")
	run(t, holder, "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
	quick, slow := sources(t, p.URL)
	contains(t, collected(t, quick), "pg_up 1\n", `pg_locks_count{datname="postgres",mode="accessexclusivelock"} 1`+"\n")
	contains(t, collected(t, slow), `pg_database_size_bytes{datname="postgres"} `)
}

func TestTheConnectionSurvivesARestartOfItsServer(t *testing.T) {
	t.Parallel()
	p := start(t)
	quick, _ := sources(t, p.URL)
	collected(t, quick)
	run(t, connect(t, p), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upkeep-exporter'")
	contains(t, collected(t, quick), "pg_up 1\n") // not one false alarm
}

func TestFailuresHaveTheirCauseAndNoSecret(t *testing.T) {
	t.Parallel()
	p := start(t, "-c", "max_connections=10", "-c", "superuser_reserved_connections=1")
	admin := connect(t, p)
	run(t, admin, "CREATE ROLE watcher LOGIN PASSWORD 'x'")
	for range 8 {
		connect(t, p)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	dsn := func(user, addr, db string) string {
		return fmt.Sprintf("postgres://%s:hunter2@%s/%s?sslmode=disable", user, addr, db)
	}
	for name, tc := range map[string]struct {
		dsn  string
		want collect.Cause
	}{
		"no connection left": {dsn("watcher", p.Addr, "postgres"), collect.Limit},
		"no such role":       {dsn("nobody", p.Addr, "postgres"), collect.Auth},
		"refused":            {dsn("postgres", "127.0.0.1:1", "postgres"), collect.Connect},
		"silent":             {dsn("postgres", silent.Addr().String(), "postgres"), collect.Timeout},
		"no such host":       {dsn("postgres", "nowhere.invalid:1", "postgres"), collect.DNS},
	} {
		t.Run(name, func(t *testing.T) {
			quick, _ := sources(t, tc.dsn)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, err := collect.Once(ctx, quick)
			if err == nil || collect.CauseOf(err) != tc.want {
				t.Fatalf("%v, cause %s, want %s", err, collect.CauseOf(err), tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
			contains(t, collect.Fill(0, quick.Down).Text(), "pg_up 0\n")
			if quick.(*fast).link.socket != nil {
				t.Error("a socket is left")
			}
		})
	}
	if _, err := Sources(Options{DSN: secret.New("postgres://u:hunter2@host:port/")}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a bad connection string gives %v", err)
	}
}
