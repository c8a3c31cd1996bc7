// Package httpd is the HTTP listener that both daemons share: TLS, basic auth
// and client certificates from a web configuration file as in the rest of the
// Prometheus family, time limits on every request, the health endpoints, and a
// stop that lets running requests finish.
//
// It never logs a request and never serves anything that it was not given.
package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// Limits of every listener. A request header must arrive within
// ReadHeaderTimeout, a whole request within ReadTimeout.
const (
	ReadHeaderTimeout = 5 * time.Second
	ReadTimeout       = 15 * time.Second
	IdleTimeout       = 2 * time.Minute
	ShutdownTimeout   = 10 * time.Second
	maxHeaderBytes    = 64 << 10
)

// Options says what to serve and where.
type Options struct {
	ListenAddress string // host:port; port 0 picks a free one
	ConfigFile    string // web configuration file (TLS, basic auth); empty for none
	Handler       http.Handler
	Logger        *slog.Logger
}

// Server is one listener. Its address is known as soon as it exists, so that
// callers can ask for port 0.
type Server struct {
	listener net.Listener
	options  Options
}

// Listen opens the listener and checks the web configuration file, without
// serving yet.
func Listen(o Options) (*Server, error) {
	if o.ConfigFile != "" {
		if err := web.Validate(o.ConfigFile); err != nil {
			return nil, fmt.Errorf("checking web configuration file %q: %w", o.ConfigFile, err)
		}
	}
	l, err := net.Listen("tcp", o.ListenAddress)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", o.ListenAddress, err)
	}
	return &Server{listener: l, options: o}, nil
}

// Addr is the address the server listens on, with the real port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close gives the address back when Run will not be called.
func (s *Server) Close() error { return s.listener.Close() }

// Run serves until ctx is done, then lets running requests finish within
// ShutdownTimeout.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler:           s.options.Handler,
		ReadHeaderTimeout: ReadHeaderTimeout,
		ReadTimeout:       ReadTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() {
		// One address, given as a flag that is already parsed: the toolkit's
		// own flag type wants pointers.
		systemd := false
		addresses := []string{s.options.ListenAddress}
		served <- web.Serve(s.listener, srv, &web.FlagConfig{
			WebListenAddresses: &addresses,
			WebSystemdSocket:   &systemd,
			WebConfigFile:      &s.options.ConfigFile,
		}, s.options.Logger)
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), ShutdownTimeout)
	defer cancel()
	err := srv.Shutdown(shutdown)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
