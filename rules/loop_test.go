package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/internal/promapi"
	"github.com/MNS-Vic/upkeep/internal/servers"
)

// The command line of the demo, with a real Prometheus that has the very rule
// files: after it, Prometheus evaluates the new number.
func TestApplyCommitsAndReloadsPrometheus(t *testing.T) {
	dir := repository(t)
	conf := "rule_files: [" + dir + "/rules/sample.yml]\n"
	path, err := servers.WriteFile(t.TempDir(), "prometheus.yml", conf)
	if err != nil {
		t.Fatal(err)
	}
	prom, err := servers.Prometheus(t.Context(), path, servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = prom.Stop() })
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer tok" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, falsePages("QueueLong", 2, `"false_positive"`))
	}))
	t.Cleanup(receiver.Close)
	write(t, dir, "token", "tok\n")
	args := []string{
		"apply", "--strategy=seed", "--now=2026-01-20T00:00:00Z", "--rules=" + dir + "/rules/*.yml", "--tuning=" + dir + "/rules/tuning.yml",
		"--receiver.url=" + receiver.URL, "--receiver.token-file=" + dir + "/token", "--prometheus.url=" + prom.URL, "--commit", "--reload",
	}
	var out bytes.Buffer
	if code := run(t.Context(), args, nil, &out, &out); code != exitChanged {
		t.Fatalf("exit %d\n%s", code, out.String())
	}
	client, err := promapi.New(prom.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := client.Rules(t.Context())
	if err != nil || len(groups) != 1 || groups[0].Rules[0].Query != "sample_queue_length > 120" {
		t.Errorf("%+v, %v", groups, err)
	}
	if got := git(t, dir, "show", "--format=", "--numstat", "HEAD"); got != "1\t1\trules/sample.yml\n" {
		t.Errorf("the commit holds %q", got)
	}
}

// What fails after a switch of branches goes back to where the person was.
func TestAFailedCommitGoesBackToTheBranch(t *testing.T) {
	for name, prepare := range map[string]func(dir string) string{
		"a hook refuses on a new branch": func(dir string) string {
			write(t, dir, ".git/hooks/pre-commit", "#!/bin/sh\necho not today\nexit 1\n")
			if err := os.Chmod(dir+"/.git/hooks/pre-commit", 0o755); err != nil {
				t.Fatal(err)
			}
			return "not today"
		},
		"the branch has another file": func(dir string) string {
			git(t, dir, "switch", "-q", "-c", "tune")
			write(t, dir, "rules/sample.yml", ruleFile+"# more\n")
			git(t, dir, "commit", "-q", "-a", "-m", "more")
			git(t, dir, "switch", "-q", "main")
			return "the branch has another one"
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repository(t)
			want := prepare(dir)
			before := git(t, dir, "branch")
			code, out := invoke(t, dir, "apply", "--commit", "--branch=tune")
			if code != exitError || !strings.Contains(out, want) {
				t.Errorf("exit %d\n%s", code, out)
			}
			if after := git(t, dir, "branch") + git(t, dir, "status", "--porcelain", "-uno"); after != before || read(t, dir, "rules/sample.yml") != ruleFile {
				t.Errorf("branches before\n%safter\n%s", before, after)
			}
		})
	}
}

// watch applies by itself, says what fails, goes on, and ends with a signal.
func TestWatchGoesOnUntilItIsStopped(t *testing.T) {
	dir := repository(t)
	good := read(t, dir, "history.jsonl")
	write(t, dir, "history.jsonl", "{\n")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out shared
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{
			"watch", "--interval=10ms", "--strategy=seed", "--now=2026-01-20T00:00:00Z", "--history=" + dir + "/history.jsonl",
			"--rules=" + dir + "/rules/*.yml", "--tuning=" + dir + "/rules/tuning.yml",
		}, nil, &out, &out)
	}()
	until(t, &out, func() bool { return strings.Contains(out.String(), "history line 1") })
	write(t, filepath.Dir(dir), "next", good) // replaced at once, so that no run reads half of it
	if err := os.Rename(filepath.Join(filepath.Dir(dir), "next"), dir+"/history.jsonl"); err != nil {
		t.Fatal(err)
	}
	until(t, &out, func() bool { return strings.Contains(read(t, dir, "rules/sample.yml"), "> 120 ") })
	stop()
	select {
	case code := <-done:
		if code != exitNothing {
			t.Errorf("exit %d\n%s", code, out.String())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it did not stop")
	}
}

func until(t *testing.T, out *shared, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it has not come to that:\n%s", out.String())
		}
	}
}

// shared is a buffer that is read while it is written.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
