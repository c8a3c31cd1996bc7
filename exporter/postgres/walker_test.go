package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/servers"
)

// all are the three collectors of one server.
func all(t *testing.T, o Options) (quick, slow, bloat collect.Collector) {
	t.Helper()
	o.Name, o.Interval, o.Timeout, o.SlowInterval = "p", time.Second, 5*time.Second, time.Minute
	o.Names = collect.NewNames(collect.Naming{Aliases: true})
	s, err := Sources(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range s {
		t.Cleanup(source.Collector.Close)
	}
	return s[0].Collector, s[1].Collector, s[2].Collector
}

func into(t *testing.T, p *servers.Process, database string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.Database = database
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// number finds the value of one series.
func number(t *testing.T, text, series string) float64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is missing in:\n%s", series, text)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheTablesOfEveryDatabase(t *testing.T) {
	t.Parallel()
	p := start(t)
	run(t, connect(t, p), "CREATE DATABASE second")
	run(t, connect(t, p), "CREATE DATABASE left_out")
	run(t, into(t, p, "second"), "CREATE TABLE t2 (id int PRIMARY KEY); INSERT INTO t2 SELECT generate_series(1, 100)")
	run(t, into(t, p, "left_out"), "CREATE TABLE t3 (id int)")
	run(t, connect(t, p), `CREATE TABLE t1 (id int); CREATE TABLE "odd "" name" (id int)`)
	_, slow, _ := all(t, Options{DSN: secret.New(p.URL), ExcludeDatabases: []string{"left_out"}})
	text := collected(t, slow)
	contains(t, text,
		`pg_stat_user_tables_seq_scan{datname="postgres",relname="t1",schemaname="public"} `,
		`pg_stat_user_tables_seq_scan{datname="postgres",relname="odd \" name",schemaname="public"} `,
		`pg_stat_user_tables_table_size_bytes{datname="second",relname="t2",schemaname="public"} `,
		`pg_statio_user_tables_heap_blocks_hit{datname="second",relname="t2",schemaname="public"} `,
		`pg_statio_user_indexes_idx_blks_hit_total{datname="second",indexrelname="t2_pkey",relname="t2",schemaname="public"} `,
		`pg_database_size_bytes{datname="left_out"} `, "pg_wal_segments ", "pg_wal_size_bytes ", `pg_roles_connection_limit{rolname="postgres"} -1`+"\n",
	)
	if strings.Contains(text, "t3") {
		t.Error("a database that is excluded was visited")
	}
	if size := number(t, text, `pg_stat_user_tables_index_size_bytes{datname="second",relname="t2",schemaname="public"}`); size != 16384 {
		t.Errorf("the index of t2 has %v bytes", size)
	}
	if slow.(*walker).link.conn != nil {
		t.Error("a connection to one of several databases is kept")
	}
	if again := collected(t, slow); !strings.Contains(again, `relname="t2"`) {
		t.Error("the second walk has not visited the second database")
	}
}

func TestATableThatIsLockedKeepsItsCountersAndLosesItsSize(t *testing.T) {
	t.Parallel()
	p := start(t)
	holder := connect(t, p)
	run(t, holder, "CREATE TABLE locked (id int); CREATE TABLE free (id int)")
	_, slow, _ := all(t, Options{DSN: secret.New(p.URL)})
	run(t, holder, "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
	text := collected(t, slow)
	contains(t, text,
		`pg_stat_user_tables_n_live_tup{datname="postgres",relname="locked",schemaname="public"} 0`+"\n",
		`pg_stat_user_tables_table_size_bytes{datname="postgres",relname="free",schemaname="public"} 0`+"\n",
	)
	if strings.Contains(text, `pg_stat_user_tables_table_size_bytes{datname="postgres",relname="locked"`) {
		t.Error("the size of a locked table was asked for")
	}
}

// A lock that is taken between looking and measuring: the statement is asked
// again without what waits for it. The race is made by a view of locks that
// never shows any.
func TestALockInTheWayLeavesOutTheSizesOnly(t *testing.T) {
	t.Parallel()
	p := start(t)
	holder := connect(t, p)
	run(t, holder, "CREATE TABLE locked (id int)")
	run(t, holder, `CREATE SCHEMA blind; CREATE VIEW blind.pg_locks AS SELECT * FROM pg_catalog.pg_locks WHERE false;
		ALTER DATABASE postgres SET search_path = blind, pg_catalog, public`)
	_, slow, _ := all(t, Options{DSN: secret.New(p.URL)})
	run(t, holder, "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
	text := collected(t, slow)
	contains(t, text, `pg_stat_user_tables_n_live_tup{datname="postgres",relname="locked",schemaname="public"} 0`+"\n", "pg_wal_segments ",
		`pg_statio_user_tables_heap_blocks_hit{datname="postgres",relname="locked",schemaname="public"} 0`+"\n")
	if strings.Contains(text, "table_size_bytes") {
		t.Error("sizes are published")
	}
}

func TestWhatIsRefusedIsLeftOutAndReported(t *testing.T) {
	t.Parallel()
	p := start(t)
	admin := connect(t, p)
	run(t, admin, "CREATE ROLE watcher LOGIN; CREATE TABLE t (id int)") // not even pg_monitor
	dsn := secret.New(strings.Replace(p.URL, "postgres@", "watcher@", 1))
	quick, slow, _ := all(t, Options{DSN: dsn})
	for range 2 {
		found, err := collect.Once(t.Context(), slow)
		if err == nil || collect.CauseOf(err) != collect.Auth || !strings.Contains(err.Error(), "asking for wal") {
			t.Errorf("error %v", err)
		}
		contains(t, found.Text(), `pg_stat_user_tables_seq_scan{datname="postgres",relname="t",schemaname="public"} `, "pg_roles_connection_limit")
	}
	contains(t, collected(t, quick), "pg_up 1\n", "pg_exporter_last_scrape_error 0\n",
		`pg_scrape_collector_success{collector="wal"} 0`+"\n", `pg_scrape_collector_success{collector="tables"} 1`+"\n")
}

func TestStatementsAndHowLongTheyTake(t *testing.T) {
	t.Parallel()
	p := start(t, "-c", "shared_preload_libraries=pg_stat_statements", "-c", "track_io_timing=on")
	conn := connect(t, p)
	run(t, conn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE t (id int)")
	_, slow, _ := all(t, Options{DSN: secret.New(p.URL), Statements: 3, StatementText: true})
	text := collected(t, slow)
	if n := strings.Count(text, "\npg_stat_statements_calls_total{"); n != 3 {
		t.Errorf("%d statements, want 3", n)
	}
	contains(t, text, `{query="`)
	if strings.Contains(text, "pg_statement_duration_seconds_count") {
		t.Error("the first walk has nothing to compare with")
	}
	for range 5 {
		run(t, conn, "INSERT INTO t VALUES (1)")
	}
	run(t, conn, "SELECT pg_sleep(0.3)")
	text = collected(t, slow)
	count := number(t, text, `pg_statement_duration_seconds_count{datname="postgres"}`)
	fastOnes := number(t, text, `pg_statement_duration_seconds_bucket{datname="postgres",le="0.25"}`)
	if count < 6 || count-fastOnes != 1 {
		t.Errorf("%v statements, %v of them within 0.25 s", count, fastOnes)
	}
	if sum := number(t, text, `pg_statement_duration_seconds_sum{datname="postgres"}`); sum < 0.3 {
		t.Errorf("they took %v s in all", sum)
	}
	run(t, conn, "SELECT pg_stat_statements_reset()")
	text = collected(t, slow)
	if again := number(t, text, `pg_statement_duration_seconds_count{datname="postgres"}`); again < count {
		t.Errorf("after a reset the counter went from %v to %v", count, again)
	}
}

func TestBloatIsEstimated(t *testing.T) {
	t.Parallel()
	p := start(t)
	conn := connect(t, p)
	run(t, conn, `CREATE TABLE tight (id int PRIMARY KEY, text text); INSERT INTO tight SELECT g, repeat('x', 100) FROM generate_series(1, 50000) g;
		CREATE TABLE loose (id int PRIMARY KEY, text text); INSERT INTO loose SELECT g, repeat('x', 100) FROM generate_series(1, 50000) g;
		DELETE FROM loose WHERE id % 10 <> 0`)
	run(t, conn, "VACUUM ANALYZE")
	_, _, bloat := all(t, Options{DSN: secret.New(p.URL)})
	text := collected(t, bloat)
	pct := func(name, labels, table string) float64 {
		return number(t, text, fmt.Sprintf(`%s{datname="postgres"%s,relname="%s",schemaname="public"}`, name, labels, table))
	}
	if v := pct("pg_bloat_table_bloat_pct", "", "tight"); v > 10 {
		t.Errorf("a table without bloat is said to have %v %%", v)
	}
	if v := pct("pg_bloat_table_bloat_pct", "", "loose"); v < 80 || v > 95 {
		t.Errorf("a table of which nine rows in ten are gone is said to have %v %%", v)
	}
	if v := pct("pg_bloat_btree_bloat_pct", `,idxname="tight_pkey"`, "tight"); v > 15 {
		t.Errorf("an index without bloat is said to have %v %%", v)
	}
	if v := pct("pg_bloat_btree_bloat_pct", `,idxname="loose_pkey"`, "loose"); v < 75 {
		t.Errorf("an index of which nine entries in ten are gone is said to have %v %%", v)
	}
	contains(t, text, `pg_general_index_info_pg_relation_size{datname="postgres",indexrelname="tight_pkey",relname="tight",schemaname="public"} `,
		`pg_bloat_table_real_size{datname="postgres",relname="loose",schemaname="public"} `)
}

func TestASubscriberOfTheLogIsSeenOnBothSides(t *testing.T) {
	t.Parallel()
	p := start(t, "-c", "wal_level=replica")
	primary := connect(t, p)
	run(t, primary, "SELECT pg_create_physical_replication_slot('standby', true)")
	standby := replica(t, p)
	text := waitFor(t, p, `pg_stat_replication_pg_wal_lsn_diff{application_name="walreceiver",client_addr="127.0.0.1",slot_name="standby",state="streaming"} `)
	contains(t, text, `pg_replication_slots_active{database="",slot_name="standby"} 1`+"\n", `pg_replication_slot_slot_is_active{slot_name="standby",slot_type="physical"} 1`+"\n",
		`pg_replication_slots_pg_wal_lsn_diff{database="",slot_name="standby"} `,
		`pg_replication_slots_wal_status{database="",slot_name="standby",wal_status="reserved"} 1`+"\n")
	text = waitFor(t, standby, `pg_stat_wal_receiver_status{slot_name="standby",upstream_host="127.0.0.1"} 2`)
	contains(t, text, "pg_replication_is_replica 1\n", "pg_replication_lag ", "pg_replication_lag_seconds ", "pg_txid_current ",
		`pg_stat_wal_receiver_flushed_lsn{slot_name="standby",upstream_host="127.0.0.1"} `)
}

// waitFor collects until a line is there.
func waitFor(t *testing.T, p *servers.Process, line string) string {
	t.Helper()
	quick, _, _ := all(t, Options{DSN: secret.New(p.URL)})
	deadline := time.Now().Add(20 * time.Second)
	for {
		text := collected(t, quick)
		if strings.Contains(text, line) {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is missing in:\n%s", line, text)
		}
	}
}

// replica starts a standby of p.
func replica(t *testing.T, p *servers.Process) *servers.Process {
	t.Helper()
	dir := shared(t)
	host, port, _ := strings.Cut(p.Addr, ":")
	program, err := servers.Find("pg_basebackup")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "-D", dir+"/data", "-h", host, "-p", port, "-U", "postgres",
		"-R", "-S", "standby", "-X", "stream", "-c", "fast").CombinedOutput()
	if err != nil {
		t.Fatalf("copying the primary: %v\n%s", err, out)
	}
	give(t, dir)
	standby, err := servers.Postgres(t.Context(), servers.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = standby.Stop() })
	return standby
}

func TestTLSWithClientCertificates(t *testing.T) {
	t.Parallel()
	dir := shared(t)
	certificates(t, dir)
	give(t, dir)
	p := start(t, "-c", "ssl=on", "-c", "ssl_cert_file="+dir+"/server.crt", "-c", "ssl_key_file="+dir+"/server.key", "-c", "ssl_ca_file="+dir+"/ca.crt")
	admin := connect(t, p)
	run(t, admin, "CREATE ROLE watcher LOGIN")
	hba := query[string](t, admin, "SHOW hba_file")
	if err := os.WriteFile(hba, []byte("host all postgres 127.0.0.1/32 trust\nhostssl all watcher 127.0.0.1/32 cert\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, admin, "SELECT pg_reload_conf()")
	dsn := "postgres://watcher@" + p.Addr + "/postgres"
	ca, cert, key := dir+"/ca.crt", dir+"/client.crt", dir+"/client.key"
	for name, tc := range map[string]struct {
		options Options
		want    collect.Cause // "" for success
	}{
		"keys of our own":         {Options{DSN: secret.New(dsn), TLS: &TLS{CAFile: ca, CertFile: cert, KeyFile: key, ServerName: "localhost"}}, ""},
		"the connection string's": {Options{DSN: secret.New(dsn + "?sslmode=verify-ca&sslrootcert=" + ca + "&sslcert=" + cert + "&sslkey=" + key)}, ""},
		"no certificate":          {Options{DSN: secret.New(dsn), TLS: &TLS{CAFile: ca, ServerName: "localhost"}}, collect.Auth},
		"unknown authority":       {Options{DSN: secret.New(dsn), TLS: &TLS{CertFile: cert, KeyFile: key, ServerName: "localhost"}}, collect.TLS},
		"another name":            {Options{DSN: secret.New(dsn), TLS: &TLS{CAFile: ca, CertFile: cert, KeyFile: key, ServerName: "elsewhere"}}, collect.TLS},
		"without TLS":             {Options{DSN: secret.New(dsn + "?sslmode=disable")}, collect.Auth},
	} {
		t.Run(name, func(t *testing.T) {
			quick, _, _ := all(t, tc.options)
			found, err := collect.Once(t.Context(), quick)
			if tc.want != "" {
				if err == nil || collect.CauseOf(err) != tc.want {
					t.Fatalf("%v, cause %s, want %s", err, collect.CauseOf(err), tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			contains(t, found.Text(), "pg_up 1\n")
			if !query[bool](t, quick.(*fast).link.conn, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") {
				t.Error("the session is not encrypted")
			}
		})
	}
	if _, err := Sources(Options{DSN: secret.New(dsn), TLS: &TLS{CAFile: dir + "/nowhere"}}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a missing authority gives %v", err)
	}
}

// certificates makes an authority, a server's and a client's certificate.
func certificates(t *testing.T, dir string) {
	t.Helper()
	openssl := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
	}
	openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
	for name, subject := range map[string]string{"server": "localhost", "client": "watcher"} {
		openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN="+subject, "-addext", "subjectAltName=DNS:"+subject,
			"-keyout", name+".key", "-out", name+".csr")
		openssl("x509", "-req", "-in", name+".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", name+".crt")
	}
}

// shared is a folder that a server which runs as another user can reach.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "upkeep-postgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// give makes everything in dir the server's, which runs as the system user
// postgres when we are root.
func give(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	if err != nil {
		t.Fatal(err)
	}
}
