package action

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func program(argv ...string) incident.Request {
	return incident.Request{
		Target: incident.Target{Name: "web", Kind: "host"}, Run: "r1", Incident: 7, Attempt: 1,
		With: incident.Params{"argv": argv}, Alert: incident.Alert{Labels: map[string]string{"alertname": "Down\n\x00\"$(x)"}},
	}
}

func TestExecPassesArgumentsAsTheyAre(t *testing.T) {
	r := program("/usr/bin/printf", "%s|", "a b", "$(id)", "*", "; true")
	out, err := execProgram{}.Do(t.Context(), r)
	if err != nil || out != "a b|$(id)|*|; true|" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestExecGivesTheAlertAndLittleElse(t *testing.T) {
	t.Setenv("SECRET_OF_OURS", "hunter2")
	r := program("/bin/sh", "-c", "cat; echo; env; pwd")
	r.With["env"] = []string{"EXTRA=1"}
	r.With["dir"] = []string{"/"}
	out, err := execProgram{}.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"alertname":"Down\n\u0000\"$(x)"`, "UPKEEP_RUN=r1", "UPKEEP_INCIDENT=7", "UPKEEP_TARGET=web", "EXTRA=1", "\n/\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in %s", want, out)
		}
	}
	if strings.Contains(out, "hunter2") {
		t.Error("our environment was passed on")
	}
}

func TestExecKeepsTheEndsOfAnOutput(t *testing.T) {
	out, err := execProgram{}.Do(t.Context(), program("/bin/sh", "-c", "echo first; head -c 1000000 /dev/zero; echo last >&2"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out, "first\n") || !strings.HasSuffix(out, "last\n") || !strings.Contains(out, "bytes left out") {
		t.Errorf("got %d bytes, %.20q", len(out), out)
	}
	if strings.ContainsRune(out, 0) || len(out) > 8*excerptHalf {
		t.Errorf("%d bytes, not text", len(out))
	}
}

func TestExecSaysHowAProgramFailed(t *testing.T) {
	out, err := execProgram{}.Do(t.Context(), program("/bin/sh", "-c", "echo why; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || out != "why\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

// A program that is cut off takes everything of its group with it, also what
// does not care for SIGTERM.
func TestExecLeavesNoGrandchildrenAfterATimeout(t *testing.T) {
	for name, script := range map[string]string{
		"all listen":              `sleep 300 & echo $! > "$0/pid"; echo $$ >> "$0/pid"; wait`,
		"the grandchild does not": `(trap "" TERM; while :; do sleep 0.1; done) & echo $! > "$0/pid"; echo $$ >> "$0/pid"; wait`,
		"nobody does":             `trap "" TERM; (while :; do sleep 0.1; done) & echo $! > "$0/pid"; echo $$ >> "$0/pid"; while :; do sleep 0.1; done`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := program("/bin/sh", "-c", script, dir)
			r.With["grace"] = []string{"300ms"}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() { // cut off once all of them run
				for ctx.Err() == nil && len(pidsIn(dir)) < 2 {
					time.Sleep(5 * time.Millisecond)
				}
				cancel(context.DeadlineExceeded)
			}()
			began := time.Now()
			_, err := execProgram{}.Do(ctx, r)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			pids := pidsIn(dir)
			if len(pids) != 2 {
				t.Fatalf("pids %v", pids)
			}
			for _, pid := range pids {
				for end := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("process %d is left", pid)
					}
				}
			}
		})
	}
}

// What a program starts on purpose and leaves, such as a service, is not
// waited for, and lives.
func TestExecDoesNotWaitForADaemon(t *testing.T) {
	dir := t.TempDir()
	began := time.Now()
	out, err := execProgram{}.Do(t.Context(), program("/bin/sh", "-c", `sleep 300 & echo $! > "$0/pid"; echo started`, dir))
	if err != nil || out != "started\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	pid := pidsIn(dir)[0]
	if !alive(pid) {
		t.Error("the daemon was killed")
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func TestExecRefuses(t *testing.T) {
	for want, with := range map[string]incident.Params{
		"argv is missing":      {},
		"not an absolute path": {"argv": {"rm", "-rf"}},
		"holds a NUL":          {"argv": {"/bin/true", "a\x00b"}},
		"not of the form NAME": {"argv": {"/bin/true"}, "env": {"PATH"}},
		`"shell" is not known`: {"argv": {"/bin/true"}, "shell": {"true"}},
		"finding program":      {"argv": {"/no/such/program"}},
		"grace \"x\" is not":   {"argv": {"/bin/true"}, "grace": {"x"}},
	} {
		r := incident.Request{With: with}
		if err := (execProgram{}).Precheck(t.Context(), r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := (execProgram{}).Do(t.Context(), r); err == nil {
			t.Errorf("%s: it ran", want)
		}
	}
}

func pidsIn(dir string) []int {
	data, _ := os.ReadFile(filepath.Join(dir, "pid"))
	var pids []int
	for _, field := range strings.Fields(string(data)) {
		if n, err := strconv.Atoi(field); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}

// alive reports whether a process runs; a zombie that nobody reaps does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}
