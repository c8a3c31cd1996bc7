package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/internal/servers"
)

// fill gives the servers something to tell: a replication slot, a key, and an
// error reply.
func fill(t *testing.T, pg, rd *servers.Process) {
	t.Helper()
	psql(t, pg, `SELECT pg_create_physical_replication_slot('golden', true)`)
	host, port, _ := strings.Cut(rd.Addr, ":")
	for _, args := range [][]string{{"SET", "key", "value"}, {"NONSENSE"}} {
		if out, err := exec.CommandContext(t.Context(), "redis-cli", append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("redis-cli %q: %v\n%s", args, err, out)
		}
	}
}

// psql runs one statement.
func psql(t *testing.T, pg *servers.Process, sql string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "psql", "-XAtq", "-d", pg.URL, "-c", sql).CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}
