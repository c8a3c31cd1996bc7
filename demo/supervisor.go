package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/MNS-Vic/upkeep/internal/servers"
)

// supervisor keeps the sample service: the demo's stand-in for Docker or
// systemd, which are not everywhere. It restarts the service when it is asked
// to over HTTP, never by itself: repairing is the receiver's work.
type supervisor struct {
	binary string
	addr   string // where the sample listens, the same after every restart
	port   int
	server *http.Server
	listen net.Listener

	mu       sync.Mutex
	sample   *servers.Process
	restarts int
	hold     chan struct{} // when set, a restart waits for it: tests crash the receiver meanwhile
	arrived  chan struct{}
}

func newSupervisor(ctx context.Context, binary string) (*supervisor, error) {
	port, err := servers.FreePort()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for restarts: %w", err)
	}
	s := &supervisor{binary: binary, port: port, addr: fmt.Sprintf("127.0.0.1:%d", port), listen: l, arrived: make(chan struct{}, 8)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /restart", s.handle)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.server.Serve(l) }() // ends with Close, which waits for nothing else
	if err := s.restart(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *supervisor) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.restarts++
	hold := s.hold
	s.mu.Unlock()
	s.arrived <- struct{}{}
	if hold != nil {
		<-hold
	}
	// The one who asked may be gone by now; the restart goes on all the same.
	if err := s.restart(context.WithoutCancel(r.Context())); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "sample restarted, process %d\n", s.pid())
}

// restart ends the service if it runs, and starts it.
func (s *supervisor) restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sample != nil {
		if err := s.sample.Stop(); err != nil {
			return err
		}
	}
	p, err := servers.Program(ctx, "sample", s.binary, s.addr, "http://"+s.addr+"/health",
		servers.Options{Port: s.port, Args: []string{"--web.listen-address=" + s.addr}})
	if err != nil {
		return err
	}
	s.sample = p
	return nil
}

// kill is the fault: the service is gone, as after a crash.
func (s *supervisor) kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.sample.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing the sample service: %w", err)
	}
	<-s.sample.Exited()
	return nil
}

func (s *supervisor) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sample.PID()
}

// asked is how many restarts were asked for.
func (s *supervisor) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarts
}

func (s *supervisor) close() {
	_ = s.server.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sample != nil {
		_ = s.sample.Stop()
	}
}
