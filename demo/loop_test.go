package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// newTestStage builds and starts everything; the end of the test ends it.
func newTestStage(t *testing.T) *stage {
	t.Helper()
	if packages := missing(); len(packages) > 0 {
		t.Fatalf("the loop needs servers that are not installed; as root: apt-get install %s", strings.Join(packages, " "))
	}
	repo, err := checkout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := newStage(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func TestTheWholeLoopLeavesNothingBehind(t *testing.T) {
	s := newTestStage(t)
	var out bytes.Buffer
	err := play(t.Context(), s, newShow(&out, false), true, &out)
	s.close()
	if err != nil {
		t.Fatalf("%v\n%s\nthe receiver's log:\n%s", err, out.String(), s.receiver.Log())
	}
	if _, err := os.Stat(s.Root); !os.IsNotExist(err) {
		t.Errorf("the folder %s is left behind: %v", s.Root, err)
	}
	if left := processesNaming(t, s.Root); len(left) > 0 {
		t.Errorf("processes are left behind: %q", left)
	}
}

// The receiver dies while its action is being carried out. The action ends
// without it; the receiver that comes after must find out that the repair
// worked, and must not repeat it.
func TestAReceiverThatDiesInTheMiddleOfAnActionDoesNotRepeatIt(t *testing.T) {
	s := newTestStage(t)
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.awaitSeries(t.Context(), `api_up{endpoint="sample"} == 1`); err != nil {
		t.Fatal(err)
	}
	hold := make(chan struct{})
	s.supervisor.mu.Lock()
	s.supervisor.hold = hold
	s.supervisor.mu.Unlock()
	if err := s.supervisor.kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.supervisor.arrived:
	case <-t.Context().Done():
		t.Fatal("no action was begun")
	}
	if err := s.receiver.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.receiver.Exited()
	close(hold) // the restart goes on, its caller is gone
	if err := s.startReceiver(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := s.awaitIncident(t.Context(), "SampleDown", nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.awaitState(t.Context(), found.ID, "closed")
	if err != nil {
		t.Fatalf("%v\n%+v\n%s", err, d, s.receiver.Log())
	}
	if n := s.supervisor.asked(); n != 1 {
		t.Errorf("the restart was asked for %d times", n)
	}
	var passed []string
	for _, e := range d.Events {
		if e.Kind == "run" {
			passed = append(passed, e.To)
		}
	}
	if !strings.Contains(fmt.Sprint(passed), "interrupted verifying succeeded") {
		t.Errorf("the run went through %v, want it to be interrupted, then verified", passed)
	}
}

// processesNaming returns the command lines that name path.
func processesNaming(t *testing.T, path string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		t.Fatalf("reading the process list: %v", err)
	}
	var found []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue // it ended while we looked
		}
		if line := strings.ReplaceAll(string(data), "\x00", " "); strings.Contains(line, path) {
			found = append(found, line)
		}
	}
	return found
}
