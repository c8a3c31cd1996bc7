package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"

	"github.com/MNS-Vic/upkeep/exporter/api"
	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/exporter/config"
	"github.com/MNS-Vic/upkeep/internal/httpd"
	"github.com/MNS-Vic/upkeep/internal/rungroup"
)

// Options of the program.
type Options struct {
	ConfigFile    string // empty: the host, DATABASE_URL and REDIS_URL
	ListenAddress string // default :9470
	WebConfigFile string
	TelemetryPath string           // default /metrics
	DebugAddress  string           // where profiles are served; empty for nowhere
	Reload        <-chan os.Signal // each value reloads the configuration, as SIGHUP does
	Getenv        func(string) string
	Logger        *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.ListenAddress == "" {
		o.ListenAddress = ":9470"
	}
	if o.TelemetryPath == "" {
		o.TelemetryPath = "/metrics"
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	if o.TelemetryPath[0] != '/' || o.TelemetryPath == "/" {
		return fmt.Errorf("telemetry path %q must begin with / and be longer than that", o.TelemetryPath)
	}
	return nil
}

// load reads the configuration, wherever it is.
func (o Options) load() (*config.Config, error) {
	if o.ConfigFile == "" {
		return config.FromEnvironment(o.Getenv)
	}
	return config.Load(o.ConfigFile)
}

// App is the exporter: one registry, one listener, and the sources of the
// configuration that is in force.
type App struct {
	options    Options
	registry   *prometheus.Registry
	collectors *collect.Metrics
	probes     *api.Metrics
	reloads    *reloadMetrics
	server     *httpd.Server
	debug      *httpd.Server // nil where none is wanted

	first   *generation
	current atomic.Pointer[generation]
	reload  chan chan error // requests, answered by keepCurrent
	stopped chan struct{}
}

// New reads the configuration, makes the sources and opens the listener.
// Nothing is collected and nothing is served before Run.
func New(o Options) (*App, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("upkeep"),
	)
	a := &App{
		options: o, registry: reg, collectors: collect.NewMetrics(reg), probes: api.NewMetrics(reg), reloads: newReloadMetrics(reg),
		reload: make(chan chan error), stopped: make(chan struct{}),
	}
	if a.first, err = a.newGeneration(c); err != nil {
		return nil, err
	}
	a.current.Store(a.first)
	a.reloads.succeeded(time.Now())
	if a.server, err = httpd.Listen(httpd.Options{
		ListenAddress: o.ListenAddress, ConfigFile: o.WebConfigFile, Handler: a.handler(), Logger: o.Logger,
	}); err != nil {
		return nil, err
	}
	if o.DebugAddress != "" {
		if a.debug, err = httpd.Listen(httpd.Options{
			ListenAddress: o.DebugAddress, ConfigFile: o.WebConfigFile, Handler: profiles(), Logger: o.Logger,
		}); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Addr is the address that the program listens on.
func (a *App) Addr() string { return a.server.Addr() }

// Run collects and serves until ctx is done.
func (a *App) Run(ctx context.Context) error {
	a.options.Logger.Info("the exporter is listening", "address", a.Addr(), "sources", len(a.first.status()))
	var g rungroup.Group
	g.Add("collecting", a.keepCurrent)
	g.Add("serving", a.server.Run)
	g.Add("signals", a.watchReload)
	if a.debug != nil {
		g.Add("profiles", a.debug.Run)
	}
	return g.Run(ctx)
}

// ready is nil once every source has been tried.
func (a *App) ready() error {
	for _, s := range a.current.Load().status() {
		if !s.Tried {
			return fmt.Errorf("source %s %q has not been tried yet", s.Name, s.Target)
		}
	}
	return nil
}
