// Package servers starts real PostgreSQL, Redis, Prometheus and Alertmanager
// processes on free loopback ports, in folders of their own, for tests and for
// the demo. A server that is not installed is an error that says how to get
// it; nothing is downloaded or installed here, and nothing that this package
// did not start is ever stopped.
package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits of starting and stopping one server.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
	pollInterval = 20 * time.Millisecond
	logKept      = 64 << 10
)

// Options of one server. The zero value is a temporary folder and a free port.
type Options struct {
	Dir  string   // its data; "" makes a temporary folder that Stop removes
	Port int      // 0 picks a free one
	Args []string // further command-line arguments
}

// Process is one running server.
type Process struct {
	Name string
	Addr string // host:port
	URL  string // http://..., postgres://... or redis://...
	Dir  string

	cmd     *exec.Cmd
	output  *tail
	exited  chan struct{}
	waitErr error
	ownsDir bool
	ending  syscall.Signal
	once    sync.Once
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log is the end of what the server has printed.
func (p *Process) Log() string { return p.output.String() }

// Signal sends a signal to the server and its children, as the fault tests do.
func (p *Process) Signal(sig syscall.Signal) error {
	return syscall.Kill(-p.PID(), sig)
}

// Exited is closed once the process is gone.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stop ends the server, waits until it is gone and removes its folder when
// Start made it. It may be called more than once.
func (p *Process) Stop() error {
	var err error
	p.once.Do(func() {
		_ = p.Signal(syscall.SIGCONT)
		_ = p.cmd.Process.Signal(p.ending)
		select {
		case <-p.exited:
		case <-time.After(stopTimeout):
			_ = p.Signal(syscall.SIGKILL)
			<-p.exited
		}
		_ = p.Signal(syscall.SIGKILL) // children that outlived it
		if p.ownsDir {
			err = os.RemoveAll(p.Dir)
		}
	})
	return err
}

// spec is how one kind of server is started.
type spec struct {
	name    string
	program string
	args    []string
	dir     string
	ownsDir bool
	addr    string
	url     string
	user    *syscall.Credential // nil keeps ours
	ending  syscall.Signal
	ready   func(context.Context) error
}

// start runs the process and waits until it is ready.
func start(ctx context.Context, s spec) (*Process, error) {
	p := &Process{
		Name: s.name, Addr: s.addr, URL: s.url, Dir: s.dir, ownsDir: s.ownsDir,
		ending: s.ending, output: &tail{}, exited: make(chan struct{}),
	}
	p.cmd = exec.Command(s.program, s.args...) // not CommandContext: Stop ends it, in order
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = s.dir, p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.user}
	dieWithParent(p.cmd.SysProcAttr)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	go func() {
		p.waitErr = p.cmd.Wait()
		close(p.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := p.await(ctx, s.ready); err != nil {
		_ = p.Stop()
		return nil, fmt.Errorf("starting %s: %w\n%s", s.name, err, p.Log())
	}
	return p, nil
}

// await polls ready until it succeeds, the process is gone or ctx is done.
func (p *Process) await(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("it ended at once: %v", p.waitErr)
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w", err)
		case <-tick.C:
		}
	}
}

// Find returns the path of a program, looking where Debian puts it as well as
// in PATH. The error says which package has it.
//
// UPKEEP_POSTGRES_BIN names a folder with another version's postgres and
// initdb, for tests against it.
func Find(program string) (string, error) {
	if dir := os.Getenv("UPKEEP_POSTGRES_BIN"); dir != "" && Package(program) == "postgresql" {
		if path := filepath.Join(dir, program); executable(path) {
			return path, nil
		}
	}
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/sbin/", "/usr/local/bin/"} {
		found, _ := filepath.Glob(pattern + program)
		if len(found) > 0 {
			return found[len(found)-1], nil // the newest version sorts last
		}
	}
	return "", fmt.Errorf("finding %q: it is not installed; on Debian or Ubuntu: apt-get install %s", program, Package(program))
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Package names the Debian package that holds a program.
func Package(program string) string {
	switch program {
	case "prometheus", "promtool":
		return "prometheus"
	case "prometheus-alertmanager", "alertmanager", "amtool":
		return "prometheus-alertmanager"
	case "postgres", "initdb", "psql", "pg_ctl":
		return "postgresql"
	case "redis-server", "redis-cli":
		return "redis-server"
	}
	return program
}

// FreePort returns a loopback port that was free a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// place fills in the folder and the port.
func (o Options) place(name string) (dir string, owns bool, port int, err error) {
	dir, port = o.Dir, o.Port
	if port == 0 {
		if port, err = FreePort(); err != nil {
			return "", false, 0, err
		}
	}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "upkeep-"+name+"-"); err != nil {
			return "", false, 0, fmt.Errorf("making a folder for %s: %w", name, err)
		}
		return dir, true, port, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", false, 0, fmt.Errorf("making a folder for %s: %w", name, err)
	}
	return dir, false, port, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, b...)
	if extra := len(t.data) - logKept; extra > 0 {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.data))
}

var errNotReady = errors.New("no answer yet")
