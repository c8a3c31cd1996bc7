package main

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// reloadMetrics say how the newest reload went.
type reloadMetrics struct {
	successful prometheus.Gauge
	timestamp  prometheus.Gauge
}

func newReloadMetrics(reg prometheus.Registerer) *reloadMetrics {
	m := &reloadMetrics{
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "upkeep_config_last_reload_successful", Help: "Whether the newest attempt to load the configuration succeeded."}),
		timestamp: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "upkeep_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last loaded, in Unix time."}),
	}
	reg.MustRegister(m.successful, m.timestamp)
	return m
}

func (m *reloadMetrics) succeeded(at time.Time) {
	m.successful.Set(1)
	m.timestamp.Set(float64(at.UnixMilli()) / 1000)
}

// keepCurrent runs the generation in force and, on a reload, replaces it.
// While the new one collects for the first time, the old one's snapshots are
// still served; the two never ask a server at the same time.
func (a *App) keepCurrent(ctx context.Context) error {
	defer close(a.stopped)
	stop := start(ctx, a.first)
	defer func() { stop() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case answer := <-a.reload:
			next, err := a.loadNext()
			if err == nil {
				stop()
				stop = start(ctx, next)
				next.warm(ctx)
				a.current.Swap(next).forget(next, a.collectors)
				a.reloads.succeeded(time.Now())
				a.options.Logger.Info("the configuration was reloaded", "file", a.options.ConfigFile)
			} else {
				a.reloads.successful.Set(0)
				a.options.Logger.Error("the configuration was not reloaded, the old one stays in force", "file", a.options.ConfigFile, "err", err)
			}
			answer <- err
		}
	}
}

func (a *App) loadNext() (*generation, error) {
	c, err := a.options.load()
	if err != nil {
		return nil, err
	}
	return a.newGeneration(c)
}

// start runs a generation; the result stops it and waits for its end.
func start(ctx context.Context, g *generation) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// Reload loads the configuration again and returns what is wrong with it.
func (a *App) Reload() error {
	answer := make(chan error, 1)
	select {
	case a.reload <- answer:
		return <-answer
	case <-a.stopped:
		return errors.New("the exporter is stopping")
	}
}

// watchReload turns signals into reloads.
func (a *App) watchReload(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.options.Reload:
			_ = a.Reload() // has been logged
		}
	}
}
