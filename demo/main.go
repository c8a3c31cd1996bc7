// Command demo shows the whole loop on one machine, live: a service crashes,
// the alert is confirmed and the service repaired; a rule cries wolf, is
// judged, and its threshold is rewritten, committed and reloaded.
//
// Everything runs for real, on loopback, in a temporary folder, on ports of
// its own; nothing of it is left behind. It imports none of the programs: it
// builds and runs them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in, out *os.File) error {
	app := kingpin.New("demo", "Show the whole loop on this machine, live.")
	once := app.Flag("once", "End by itself; exit 0 only if every act happened.").Bool()
	yes := app.Flag("yes", "Install what is missing without asking.").Bool()
	app.UsageWriter(out)
	if _, err := app.Parse(args); err != nil {
		return err
	}
	if err := install(ctx, *yes, in, out); err != nil {
		return err
	}
	repo, err := checkout(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Building the programs...")
	stage, err := newStage(ctx, repo)
	if err != nil {
		return err
	}
	defer stage.close()
	return play(ctx, stage, newShow(out, isTerminal(out)), *once, out)
}

// play starts everything, tells the story, and stays up until it is interrupted.
func play(ctx context.Context, st *stage, sh *show, once bool, out io.Writer) error {
	fmt.Fprintln(out, "Starting PostgreSQL, Redis, Prometheus, Alertmanager, the exporter, the receiver and a sample service...")
	sh.begin()
	if err := st.start(ctx); err != nil {
		return err
	}
	s := &story{stage: st, show: sh}
	if !once {
		s.pages()
	}
	if err := s.tell(ctx); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted before the end of the story; everything is cleaned up")
		}
		return err
	}
	fmt.Fprintln(out, "\nThe loop is closed.")
	if once {
		return nil
	}
	s.pages()
	fmt.Fprintln(out, "\nEverything stays up until Ctrl-C.")
	<-ctx.Done()
	fmt.Fprintln(out, "\nCleaning up.")
	return nil
}

// checkout finds the folder of the module, from whichever of its folders the
// demo is run.
func checkout(ctx context.Context) (string, error) {
	path, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("finding the checkout: %w", err)
	}
	dir := filepath.Dir(strings.TrimSpace(string(path)))
	if _, err := os.Stat(filepath.Join(dir, "receiver")); err != nil {
		return "", fmt.Errorf("finding the checkout: %q is not Upkeep's; run the demo in a checkout of Upkeep", dir)
	}
	return dir, nil
}
