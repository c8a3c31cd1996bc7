package redis

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/servers"
)

func collector(t *testing.T, o Options) collect.Collector {
	t.Helper()
	o.Interval, o.Timeout = time.Second, 5*time.Second
	s, err := Source(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Collector.Close)
	return s.Collector
}

func start(t *testing.T, args ...string) *servers.Process {
	t.Helper()
	p, err := servers.Redis(t.Context(), servers.Options{Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func cli(t *testing.T, p *servers.Process, args ...string) string {
	t.Helper()
	host, port, _ := strings.Cut(p.Addr, ":")
	out, err := exec.CommandContext(t.Context(), "redis-cli", append([]string{"-h", host, "-p", port, "--no-auth-warning"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestCollectingCausesNoErrorsAndKeepsOneConnection(t *testing.T) {
	t.Parallel()
	p := start(t)
	cli(t, p, "SET", "key", "value", "EX", "1000")
	c := collector(t, Options{Name: "r", Addr: p.Addr})
	var text string
	for range 5 {
		found, err := collect.Once(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		text = found.Text()
	}
	for _, want := range []string{
		"redis_up 1\n", `redis_db_keys{db="db0"} 1` + "\n", `redis_db_keys_expiring{db="db0"} 1` + "\n", "redis_memory_max_bytes 0\n",
		"redis_config_maxclients ", "redis_slowlog_length 0\n", `redis_commands_total{cmd="set"} 1` + "\n", `redis_commands_total{cmd="info"} 4` + "\n",
		"redis_rdb_last_bgsave_status 1\n", "redis_total_system_memory_bytes ", "redis_start_time_seconds ", `role="master"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if stats := cli(t, p, "INFO", "stats"); !strings.Contains(stats, "total_error_replies:0") {
		t.Errorf("the server counts errors of ours:\n%s", stats)
	}
	if list := cli(t, p, "CLIENT", "LIST"); strings.Count(list, "name=upkeep-exporter") != 1 {
		t.Errorf("not one connection:\n%s", list)
	}
}

func TestWhatTheServerRefusesIsAskedOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	cli(t, p, "ACL", "SETUSER", "exporter", "on", ">hunter2", "+info", "+client", "+ping")
	c := collector(t, Options{Name: "r", Addr: p.Addr, Username: "exporter", Password: secret.New("hunter2")})
	for range 3 {
		found, err := collect.Once(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if text := found.Text(); !strings.Contains(text, "redis_up 1\n") || strings.Contains(text, "redis_slowlog") {
			t.Error(text)
		}
	}
	if stats := cli(t, p, "INFO", "errorstats"); !strings.Contains(stats, "errorstat_NOPERM:count=2") {
		t.Errorf("SLOWLOG LEN and GET were asked more than once:\n%s", stats)
	}
}

func TestFailuresHaveTheirCauseAndNoSecret(t *testing.T) {
	t.Parallel()
	p := start(t, "--requirepass", "letmein")
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := nobody.Addr().String() // accepts and says nothing
	t.Cleanup(func() { _ = nobody.Close() })
	for name, tc := range map[string]struct {
		options Options
		want    collect.Cause
	}{
		"wrong password": {Options{Addr: p.Addr, Password: secret.New("hunter2")}, collect.Auth},
		"no password":    {Options{Addr: p.Addr}, collect.Auth},
		"url":            {Options{URL: secret.New("redis://:hunter2@" + p.Addr + "/0")}, collect.Auth},
		"refused":        {Options{Addr: "127.0.0.1:1", Password: secret.New("hunter2")}, collect.Connect},
		"silent":         {Options{Addr: silent, Password: secret.New("hunter2")}, collect.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			c := collector(t, tc.options)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, err := collect.Once(ctx, c)
			if err == nil || collect.CauseOf(err) != tc.want {
				t.Fatalf("%v, cause %s, want %s", err, collect.CauseOf(err), tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
			if text := collect.Fill(0, c.Down).Text(); !strings.Contains(text, "redis_up 0\n") {
				t.Error(text)
			}
		})
	}
	if _, err := Source(Options{URL: secret.New("http://user:hunter2@host")}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a bad address gives %v", err)
	}
}
