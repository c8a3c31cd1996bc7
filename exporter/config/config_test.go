package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wanted holds the exact message of every bad file in testdata; the file's
// path stands for @.
var wanted = map[string]string{
	"unknown-key":            `@:2: unknown key "intervall", check its spelling and its indentation`,
	"duration":               `@:2: "5 seconds" is no duration above 0, write it as 500ms, 15s or 1m30s`,
	"interval-too-short":     `@:2: host.interval: 5ms is below 100ms`,
	"timeout-too-long":       `@:3: host.timeout: 6s is longer than the interval 5s`,
	"postgres-no-dsn":        `@:2: postgres[0].dsn_file: missing, name a file with the connection string`,
	"postgres-two-dsns":      `@:4: postgres[0].dsn: dsn and dsn_file exclude each other, keep dsn_file`,
	"postgres-no-name":       `@:2: postgres[0].name: missing, it becomes the label target`,
	"postgres-name-twice":    `@:4: postgres[1].name: "main" stands here again, names must differ`,
	"postgres-slow-interval": `@:4: postgres[0].slow_interval: 1s is shorter than the interval 10s`,
	"secret-missing":         `@:3: postgres[0].dsn_file: reading secret file: open testdata/nowhere: no such file or directory`,
	"secret-empty":           `@:4: redis[0].password_file: reading secret file "testdata/empty": the file is empty`,
	"redis-addr":             `@:3: redis[0].addr: "127.0.0.1" is no address, write it as host:port`,
	"redis-no-addr":          `@:2: redis[0].addr: "" is no address, write it as host:port`,
	"redis-db":               `@:4: redis[0].db: -1 is below 0`,
	"api-no-endpoint":        `@:3: api.targets[0].endpoint: missing, it becomes the label endpoint`,
	"api-url":                `@:4: api.targets[0].url: "api.binance.com/ping" is no http or https address`,
	"api-url-password":       `@:4: api.targets[0].url: holds a user or password, send an Authorization header instead`,
	"api-method":             `@:5: api.targets[0].method: "DELETE" is none of ["GET" "HEAD" "POST" "OPTIONS"]`,
	"api-status":             `@:5: api.targets[0].expect_status: 99 is no HTTP status`,
	"api-head-body":          `@:6: api.targets[0].body_contains: a HEAD request has no body, use GET`,
	"api-endpoint-twice":     `@:4: api.targets[1].endpoint: "ping" stands here again for exchange "okx", endpoints must differ`,
	"api-timeout":            `@:6: api.targets[0].timeout: 2s is longer than the interval 1s`,
	"limit":                  `@:2: limits.series_per_family: -5 is below 1`,
	"postgres-bloat":         `@:5: postgres[0].bloat_interval: 1m is shorter than slow_interval 5m`,
	"postgres-slow-timeout":  `@:5: postgres[0].slow_timeout: 2m is longer than slow_interval 1m`,
	"postgres-max-tables":    `@:4: postgres[0].max_tables: 10000 is not between 1 and 5000`,
	"postgres-tls-key":       `@:4: postgres[0].tls.cert_file: is of no use without key_file, name both`,
	"postgres-tls-missing":   `@:5: postgres[0].tls.ca_file: open testdata/nowhere: no such file or directory`,
	"postgres-label":         `@:5: postgres[0].labels.instance: the label "instance" is taken, choose another`,
	"postgres-label-name":    `@:5: postgres[0].labels.data-centre: "data-centre" is no name of a label, use letters, digits and _`,
	"two-mistakes":           "@:3: redis[0].addr: \"nowhere\" is no address, write it as host:port\n@:4: redis[0].db: -1 is below 0",
}

func TestEveryMistakeHasItsMessage(t *testing.T) {
	files, err := filepath.Glob("testdata/bad-*.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(wanted) {
		t.Errorf("%d bad files, %d messages", len(files), len(wanted))
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "bad-"), ".yml")
		t.Run(name, func(t *testing.T) {
			_, err := Load(file)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if diff := cmp.Diff(strings.ReplaceAll(wanted[name], "@", file), err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDefaultsFitTheInterval(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exporter.yml")
	text := `
host: {interval: 1s}
postgres: [{name: a, dsn_file: testdata/dsn}]
redis: [{name: b, addr: "127.0.0.1:6379", password_file: testdata/password, tls: {}}]
api:
  interval: 2s
  targets:
    - {endpoint: fast, url: "http://127.0.0.1/"}
    - {endpoint: slow, url: "http://127.0.0.1/", interval: 1m, expect_status: [204]}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got := []time.Duration{
		c.Host.Timeout.Std(), c.Postgres[0].Interval.Std(), c.Postgres[0].SlowInterval.Std(), c.Postgres[0].SlowTimeout.Std(), c.Postgres[0].BloatInterval.Std(), c.Redis[0].Timeout.Std(),
		c.API.Targets[0].Interval.Std(), c.API.Targets[0].Timeout.Std(), c.API.Targets[1].Timeout.Std(),
	}
	want := []time.Duration{
		time.Second, 10 * time.Second, time.Minute, 30 * time.Second, 15 * time.Minute, 3 * time.Second,
		2 * time.Second, 2 * time.Second, 10 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !c.HostEnabled() || c.Redis[0].TLS == nil || c.API.Targets[0].Method != "GET" || c.API.Targets[1].ExpectStatus[0] != 204 {
		t.Errorf("%+v", c)
	}
	if c.Postgres[0].Secret.Reveal() != "postgres://exporter:hunter2@127.0.0.1:5432/postgres" || c.Redis[0].Password.Reveal() != "hunter2" {
		t.Error("a secret was not read from its file")
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exporter.yml")
	text := "postgres: [{name: a, dsn: 'postgres://exporter:hunter2@127.0.0.1/x'}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if printed := fmt.Sprintf("%v %+v %#v", c, *c, *c); strings.Contains(printed, "hunter2") {
		t.Error("the password is printed")
	}
}

func TestTheEnvironmentNamesTheDatabases(t *testing.T) {
	env := map[string]string{"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://y"}
	c, err := FromEnvironment(func(k string) string { return env[k] })
	if err != nil || len(c.Postgres) != 1 || c.Postgres[0].Secret.Reveal() != "postgres://x" || len(c.Redis) != 1 || c.Redis[0].URL.Reveal() != "redis://y" {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = FromEnvironment(func(string) string { return "" })
	if err != nil || len(c.Postgres)+len(c.Redis)+len(c.API.Targets) != 0 || !c.HostEnabled() {
		t.Errorf("%+v, %v", c, err)
	}
	env = map[string]string{"DATABASE_URL_FILE": "testdata/dsn"}
	c, err = FromEnvironment(func(k string) string { return env[k] })
	if err != nil || len(c.Postgres) != 1 || c.Postgres[0].Secret.Empty() {
		t.Errorf("%+v, %v", c, err)
	}
	for want, env := range map[string]map[string]string{
		"reading the environment: REDIS_URL and REDIS_URL_FILE are both set, keep one":                                      {"REDIS_URL": "a", "REDIS_URL_FILE": "b"},
		"reading the environment: DATABASE_URL_FILE: reading secret file: open testdata/nowhere: no such file or directory": {"DATABASE_URL_FILE": "testdata/nowhere"},
	} {
		if _, err := FromEnvironment(func(k string) string { return env[k] }); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
