package action

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Limits of a program that is run.
const (
	killGrace   = 10 * time.Second       // between SIGTERM and SIGKILL
	strayOutput = 500 * time.Millisecond // waited for when a daemon it started keeps the output open
	groupPoll   = 20 * time.Millisecond
)

// execProgram runs a program: a list of arguments and no shell, in a process
// group of its own, with the alert as JSON on its standard input. Arguments:
// argv (a list, the first an absolute path), env (a list of NAME=value), dir,
// grace.
type execProgram struct{}

func (execProgram) Name() string { return "exec" }

func (execProgram) Precheck(_ context.Context, r incident.Request) error {
	if err := known(r.With, "argv", "env", "dir", "grace"); err != nil {
		return err
	}
	argv := r.With.List("argv")
	if len(argv) == 0 {
		return errors.New("argv is missing")
	}
	if !filepath.IsAbs(argv[0]) {
		return fmt.Errorf("program %q is not an absolute path", argv[0])
	}
	for _, text := range slices.Concat(argv, r.With.List("env")) {
		if strings.ContainsRune(text, 0) {
			return fmt.Errorf("argument %q holds a NUL", text)
		}
	}
	for _, pair := range r.With.List("env") {
		if name, _, ok := strings.Cut(pair, "="); !ok || name == "" {
			return fmt.Errorf("env %q is not of the form NAME=value", pair)
		}
	}
	if _, err := duration(r.With, "grace", killGrace); err != nil {
		return err
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return fmt.Errorf("finding program: %w", err)
	}
	return nil
}

func (a execProgram) Do(ctx context.Context, r incident.Request) (string, error) {
	if err := a.Precheck(ctx, r); err != nil {
		return "", err
	}
	grace, err := duration(r.With, "grace", killGrace)
	if err != nil {
		return "", err
	}
	alert, err := json.Marshal(r.Alert)
	if err != nil {
		return "", fmt.Errorf("writing the alert as JSON: %w", err)
	}
	argv := r.With.List("argv")
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(alert)
	cmd.Dir = r.With.Get("dir")
	cmd.Env = slices.Concat([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		"UPKEEP_RUN=" + r.Run, "UPKEEP_TARGET=" + r.Target.Name, "UPKEEP_INCIDENT=" + strconv.FormatInt(r.Incident, 10),
		"UPKEEP_STEP=" + strconv.Itoa(r.Step+1), "UPKEEP_ATTEMPT=" + strconv.Itoa(r.Attempt),
	}, r.With.List("env"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error { return signalGroup(cmd.Process, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	return run(ctx, cmd, grace)
}

// run runs the program to its end. What it leaves running when it ends by
// itself is its own affair, daemons are started that way; when it is cut off,
// nothing of its group survives.
func run(ctx context.Context, cmd *exec.Cmd, grace time.Duration) (string, error) {
	// The kernel ties "die with the parent" to the thread that forked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	output, finish, err := capture(cmd)
	if err != nil {
		return "", err
	}
	err = cmd.Start()
	if err == nil {
		err = cmd.Wait()
	}
	if ctx.Err() != nil && cmd.Process != nil {
		endGroup(cmd.Process, grace)
		err = fmt.Errorf("cut off: %w", context.Cause(ctx))
	}
	finish()
	if err != nil {
		err = fmt.Errorf("running %q: %w", cmd.Path, err)
	}
	return output.String(), err
}

// capture joins both outputs of the program in an excerpt. finish waits for
// the last of it, but not for a daemon that keeps the output open.
func capture(cmd *exec.Cmd) (output *excerpt, finish func(), err error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("making a pipe: %w", err)
	}
	output = &excerpt{}
	cmd.Stdout, cmd.Stderr = to, to
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(output, from) // ends with the last writer, or by the deadline below
	}()
	return output, func() {
		_ = to.Close()
		_ = from.SetReadDeadline(time.Now().Add(strayOutput))
		<-done
		_ = from.Close()
	}, nil
}

// endGroup waits until the group is empty and kills what is left after grace.
func endGroup(p *os.Process, grace time.Duration) {
	tick := time.NewTicker(groupPoll)
	defer tick.Stop()
	for end := time.Now().Add(grace); signalGroup(p, 0) == nil; <-tick.C {
		if time.Now().After(end) {
			_ = signalGroup(p, syscall.SIGKILL)
			return
		}
	}
}

func signalGroup(p *os.Process, sig syscall.Signal) error {
	err := syscall.Kill(-p.Pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

var _ Action = execProgram{}
