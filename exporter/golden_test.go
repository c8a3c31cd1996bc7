package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

const goldenFile = "testdata/metrics.golden"

var update = flag.Bool("update", false, "write "+goldenFile+" again")

// golden is one line of the file: what a metric family is. Lines that end in
// ~ depend on the machine or the server's version: the family may be absent,
// but where it is published it looks like that.
type golden struct {
	name, kind, labels string
	optional           bool
}

func (g golden) String() string {
	text := strings.TrimSpace(fmt.Sprintf("%s %s %s", g.name, g.kind, g.labels))
	if g.optional {
		text += " ~"
	}
	return text
}

func parseGolden(line string) golden {
	var g golden
	line, g.optional = strings.CutSuffix(line, " ~")
	fields := strings.Fields(line)
	g.name, g.kind = fields[0], fields[1]
	if len(fields) > 2 {
		g.labels = fields[2]
	}
	return g
}

// varies tells names that the kernel, the server or the Go runtime gives: families
// of these kinds may come and go without a change of ours. The second list is
// what rules and dashboards need of them, on every machine.
func varies(name string) bool {
	prefixes := []string{"node_memory_", "node_netstat_", "node_sockstat_", "node_vmstat_", "node_disk_", "node_pressure_",
		"node_schedstat_", "node_nf_conntrack_", "node_network_speed_", "node_network_carrier", "node_softnet_", "node_entropy_",
		"pg_settings_", "pg_stat_bgwriter_buffers_backend", "pg_stat_database_active_time", "pg_process_idle_seconds", "go_", "process_", "promhttp_", "redis_"}
	needed := []string{"node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "node_memory_MemFree_bytes", "node_memory_SwapFree_bytes",
		"node_vmstat_pgmajfault", "node_netstat_Tcp_CurrEstab", "node_sockstat_TCP_inuse", "node_disk_io_time_seconds_total",
		"pg_settings_max_connections", "pg_settings_superuser_reserved_connections", "pg_settings_max_locks_per_transaction",
		"pg_settings_autovacuum", "pg_settings_shared_buffers_bytes", "go_goroutines", "process_open_fds",
		"redis_up", "redis_connected_clients", "redis_memory_used_bytes", "redis_memory_max_bytes", "redis_evicted_keys_total",
		"redis_rejected_connections_total", "redis_config_maxclients", "redis_instance_info", "redis_commands_total", "redis_db_keys"}
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) && !slices.Contains(needed, name)
}

// published lists the families of an exposition.
func published(families map[string]*dto.MetricFamily) []golden {
	var out []golden
	for name, f := range families {
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		names := make([]string, 0, len(labels))
		for l := range labels {
			names = append(names, l)
		}
		slices.Sort(names)
		out = append(out, golden{name, strings.ToLower(f.GetType().String()), strings.Join(names, ","), varies(name)})
	}
	slices.SortFunc(out, func(a, b golden) int { return strings.Compare(a.name, b.name) })
	return out
}

// watchAll runs an exporter with one of everything, a replication slot and a
// database of Redis among it, so that every name that can be published is.
func watchAll(t *testing.T) *bench {
	t.Helper()
	pg, rd := startPostgres(t), startRedis(t)
	fill(t, pg, rd)
	api := endpoint(t, func(http.ResponseWriter, *http.Request) {})
	b := newBench(t, quick(pg.URL, rd.Addr, api), nil)
	b.awaitValue(1, "pg_up")
	b.awaitValue(1, "redis_up")
	b.awaitValue(1, "api_up")
	b.awaitValue(1, "upkeep_collector_success", "collector", "postgres_slow")
	b.scrape() // promhttp counts a scrape once it is over
	return b
}

func TestMetricNames(t *testing.T) {
	t.Parallel()
	got := published(watchAll(t).scrape())
	if *update {
		var text strings.Builder
		text.WriteString("# Every metric family: name, type, labels. Lines that end in ~ depend on the machine or\n" +
			"# on a server's version. Written by: go test ./exporter -run TestMetricNames -update\n")
		for _, g := range got {
			text.WriteString(g.String() + "\n")
		}
		if err := os.WriteFile(goldenFile, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]golden{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			g := parseGolden(line)
			want[g.name] = g
		}
	}
	for _, g := range got {
		w, known := want[g.name]
		delete(want, g.name)
		switch {
		case !known && !g.optional:
			t.Errorf("%q is published but not in %s; if that is meant, run the test with -update", g, goldenFile)
		case known && (w.kind != g.kind || w.labels != g.labels):
			t.Errorf("%q is published, %s has %q", g, goldenFile, w)
		}
	}
	for _, g := range want {
		if !g.optional {
			t.Errorf("%q is not published any more", g)
		}
	}
}

// foreign are names that others chose, which dashboards and rules ask for as
// they are. Our own names have to pass the linter.
func foreign(name string) bool {
	for _, prefix := range []string{"node_", "pg_", "redis_", "go_", "process_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func TestOwnNamesPassTheLinter(t *testing.T) {
	t.Parallel()
	b := watchAll(t)
	_, text := b.get("/metrics")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !foreign(p.Metric) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		} else if strings.Contains(p.Text, "help") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}
