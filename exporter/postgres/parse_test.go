package postgres

import (
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

func TestParseSetting(t *testing.T) {
	for _, tc := range []struct {
		name, value, unit, kind string
		metric                  string
		want                    float64
	}{
		{"fsync", "on", "", "bool", "pg_settings_fsync", 1},
		{"fsync", "off", "", "bool", "pg_settings_fsync", 0},
		{"max_connections", "100", "", "integer", "pg_settings_max_connections", 100},
		{"shared_buffers", "16384", "8kB", "integer", "pg_settings_shared_buffers_bytes", 134217728},
		{"work_mem", "4096", "kB", "integer", "pg_settings_work_mem_bytes", 4194304},
		{"wal_segment_size", "16777216", "B", "integer", "pg_settings_wal_segment_size_bytes", 16777216},
		{"statement_timeout", "1500", "ms", "integer", "pg_settings_statement_timeout_seconds", 1.5},
		{"log_min_duration_statement", "-1", "ms", "integer", "pg_settings_log_min_duration_statement_seconds", -1},
		{"log_rotation_age", "1440", "min", "integer", "pg_settings_log_rotation_age_seconds", 86400},
		{"random_page_cost", "1.1", "", "real", "pg_settings_random_page_cost", 1.1},
		{"ext.size", "2", "MB", "integer", "pg_settings_ext_size_bytes", 2097152},
	} {
		metric, v, ok := parseSetting(tc.name, tc.value, tc.unit, tc.kind)
		if !ok || metric != tc.metric || v != tc.want {
			t.Errorf("%+v: got %s %v %v", tc, metric, v, ok)
		}
	}
	for _, unit := range []string{"parsec", "8", "kilo"} {
		if metric, _, ok := parseSetting("a", "1", unit, "integer"); ok && unit != "8" {
			t.Errorf("unit %q gives %s", unit, metric)
		}
	}
}

func TestVersions(t *testing.T) {
	for text, want := range map[string]int{"15.6 (Debian 15.6-0+deb12u1)": 150006, "17beta1": 170000, "9.6.24": 90006, "": 0, "devel": 0} {
		if got := versionOf(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
	if got := shortVersion("15.6 (Debian)"); got != "15.6.0" {
		t.Errorf("got %s", got)
	}
}

func TestStatementsFitTheServersVersion(t *testing.T) {
	all := func(version int) string {
		var b strings.Builder
		for _, s := range fastGroup(collect.NewNames(collect.Naming{})) {
			b.WriteString(s.sql(version))
		}
		return b.String()
	}
	old, now, next := all(130000), all(150000), all(170000)
	for what, bad := range map[string]bool{
		"13 has no waitstart":            strings.Contains(old, "waitstart"),
		"13 has no active_time":          strings.Contains(old, "active_time"),
		"15 has no checkpointer view":    strings.Contains(now, "pg_stat_checkpointer"),
		"17 has the checkpointer view":   !strings.Contains(next, "pg_stat_checkpointer"),
		"17 has no backend buffers":      strings.Contains(next, "buffers_backend"),
		"17 has no checkpoints_timed":    strings.Contains(next, "b.checkpoints_timed"),
		"15 counts the active time":      !strings.Contains(now, "active_time"),
		"15 knows when a wait has begun": !strings.Contains(now, "l.waitstart"),
	} {
		if bad {
			t.Error(what)
		}
	}
}
