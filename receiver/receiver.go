package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/MNS-Vic/upkeep/internal/httpd"
	"github.com/MNS-Vic/upkeep/internal/rungroup"
	"github.com/MNS-Vic/upkeep/receiver/action"
	"github.com/MNS-Vic/upkeep/receiver/config"
	"github.com/MNS-Vic/upkeep/receiver/engine"
	"github.com/MNS-Vic/upkeep/receiver/intake"
	"github.com/MNS-Vic/upkeep/receiver/ledger"
	"github.com/MNS-Vic/upkeep/receiver/report"
	"github.com/MNS-Vic/upkeep/receiver/web"
)

// Options of the receiver.
type Options struct {
	ConfigFile    string // empty: record, ask for verdicts, act on nothing
	Storage       string // overrides the file's storage
	ListenAddress string
	WebConfigFile string
	Logger        *slog.Logger
	Reload        <-chan os.Signal // SIGHUP, as a channel so that tests need no signal
}

// App is the receiver: webhook -> intake -> ledger -> engine -> report, and
// the pages and the API that read the ledger.
type App struct {
	options  Options
	actions  map[string]action.Action
	ledger   *ledger.Ledger
	engine   *engine.Engine
	server   *httpd.Server
	metrics  *metrics
	stopping atomic.Bool

	mu     sync.Mutex // one reload at a time
	config *config.Config
}

// New opens the ledger and the listener; nothing is served or done before Run.
func New(ctx context.Context, o Options) (_ *App, err error) {
	a := &App{options: o, actions: action.All(action.Options{})}
	if a.config, err = load(o.ConfigFile, a.actions); err != nil {
		return nil, err
	}
	if o.Storage != "" {
		a.config.Storage = o.Storage
	}
	path, err := a.config.StoragePath()
	if err != nil {
		return nil, err
	}
	registry := newRegistry()
	if a.ledger, err = ledger.Open(ctx, ledger.Options{Path: path, Registerer: registry}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.ledger.Shutdown())
		}
	}()
	a.metrics = newMetrics(registry, a.ledger)
	s, err := settings(a.config, a.actions, a.ledger)
	if err != nil {
		return nil, err
	}
	if a.engine, err = engine.New(engine.Options{
		Store: a.ledger, Reporter: reporter{a.ledger, a.config.Global.ReportsDir}, Settings: s, Registry: registry,
		Logger: o.Logger.With("component", "engine"), Owner: owner(),
	}); err != nil {
		return nil, err
	}
	handler, err := a.handler(registry)
	if err != nil {
		return nil, err
	}
	a.metrics.reloaded(a.config, time.Now())
	a.server, err = httpd.Listen(httpd.Options{ListenAddress: o.ListenAddress, ConfigFile: o.WebConfigFile, Handler: handler, Logger: o.Logger})
	return a, err
}

// owner names this process in leases: two receivers, or one before and after
// a restart, are never the same.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%d", host, os.Getpid(), time.Now().UnixNano())
}

// handler is everything that is served on the one listener.
func (a *App) handler(registry *prometheus.Registry) (http.Handler, error) {
	mux := http.NewServeMux()
	in, err := intake.New(intake.Options{
		Store: a.ledger, BearerToken: a.config.Webhook.BearerToken, MaxBody: int64(a.config.Webhook.MaxBody),
		Registerer: registry, Logger: a.options.Logger.With("component", "intake"), Accepted: a.engine.Wake,
	})
	if err != nil {
		return nil, err
	}
	mux.Handle("/api/v1/webhook", in)
	mux.Handle("/api/v1/webhook/", in)
	pages, err := web.New(web.Options{Store: a.ledger, Reports: web.Reports{Markdown: report.Markdown, JSON: report.JSON}, Logger: a.options.Logger.With("component", "web"), Wake: a.engine.Wake})
	if err != nil {
		return nil, err
	}
	pages.Register(mux)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(a.options.Logger.Handler(), slog.LevelWarn),
	}))
	httpd.Health(mux, "upkeep-receiver", a.ready, a.Reload)
	return mux, nil
}

// ready is the answer to /-/ready.
func (a *App) ready() error {
	if a.stopping.Load() {
		return errors.New("it is stopping")
	}
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	_, err := a.ledger.Paused(ctx)
	return err
}

// Addr is the address that is served, with the real port.
func (a *App) Addr() string { return a.server.Addr() }

// Run serves and works until ctx is done, then closes the ledger.
func (a *App) Run(ctx context.Context) error {
	a.options.Logger.Info("the receiver is ready", "address", a.Addr(), "mode", string(a.config.Global.Mode), "remediations", len(a.config.Remediations))
	defer context.AfterFunc(ctx, func() { a.stopping.Store(true) })()
	var g rungroup.Group
	g.Add("web server", a.server.Run)
	g.Add("engine", a.engine.Run)
	g.Add("reload", func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-a.options.Reload:
				_ = a.Reload() // it has said what is wrong, and the old configuration stays
			}
		}
	})
	return errors.Join(g.Run(ctx), a.ledger.Shutdown())
}

// Reload reads the configuration file again. A bad file changes nothing. The
// storage and the webhook's settings are read at start only.
func (a *App) Reload() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := load(a.options.ConfigFile, a.actions)
	if err == nil {
		var s engine.Settings
		if s, err = settings(c, a.actions, a.ledger); err == nil {
			err = a.engine.Update(s)
		}
	}
	if err != nil {
		a.metrics.reloadFailed()
		a.options.Logger.Error("the new configuration is refused, the old one stays", "file", a.options.ConfigFile, "err", err)
		return err
	}
	if c.Storage != a.config.Storage && a.options.Storage == "" || c.Webhook != a.config.Webhook || c.Global.ReportsDir != a.config.Global.ReportsDir {
		a.options.Logger.Warn("storage, webhook and reports_dir are read at start only, restart to change them")
	}
	a.config = c
	a.metrics.reloaded(c, time.Now())
	a.options.Logger.Info("the configuration was read again", "file", a.options.ConfigFile)
	return nil
}
