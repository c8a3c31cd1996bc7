package ledger

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// crashPath tells the test program that it is the process to be killed, and
// where its ledger is.
const crashPath = "UPKEEP_TEST_CRASH_LEDGER"

// A process that is killed in the middle of group commits loses nothing that
// it has accepted, and leaves no half of anything.
func TestAKilledProcessLosesNothingItAccepted(t *testing.T) {
	if path := os.Getenv(crashPath); path != "" {
		acceptForEver(t, path)
	}
	const least = 100
	path := filepath.Join(t.TempDir(), "receiver.db")
	for round := range 3 { // on the same file: a crash is also recovered from after a crash
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), crashPath+"="+path, fmt.Sprintf("%s_ROUND=%d", crashPath, round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var accepted []string
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			// What was written before the end counts, also when read after it.
			accepted = append(accepted, lines.Text())
			if len(accepted) == least+round*7 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		if len(accepted) < least {
			t.Fatalf("the process ended by itself after %q", accepted)
		}
		l := reopen(t, path)
		incidents, copies := int64(0), map[string]int{}
		if err := l.History(t.Context(), time.Time{}, "", func(in incident.Incident) error {
			incidents++
			copies[in.Alertname]++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, name := range accepted {
			if copies[name] != 1 {
				t.Errorf("%s was accepted; after the crash there are %d incidents of it", name, copies[name])
			}
		}
		if n, err := l.VerifyChain(t.Context()); err != nil || n != incidents {
			t.Fatalf("%d incidents have %d events, %v", incidents, n, err)
		}
		if err := l.Shutdown(); err != nil {
			t.Fatal(err)
		}
	}
}

// acceptForEver opens incidents from many goroutines and names each that the
// ledger has accepted.
func acceptForEver(t *testing.T, path string) {
	l := reopen(t, path)
	round := os.Getenv(crashPath + "_ROUND")
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 100_000 {
				name := fmt.Sprintf("Down-%s-%d-%d", round, g, i)
				if err := l.Accept(t.Context(), []incident.Alert{firing(name, day())}); err != nil {
					t.Error(err)
					return
				}
				if _, err := fmt.Println(name); err != nil {
					return // nobody listens any more
				}
			}
		})
	}
	wg.Wait()
}
