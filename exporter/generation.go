package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/api"
	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/exporter/config"
	"github.com/MNS-Vic/upkeep/exporter/host"
	"github.com/MNS-Vic/upkeep/exporter/postgres"
	"github.com/MNS-Vic/upkeep/exporter/redis"
)

// generation is what one configuration watches.
type generation struct {
	set    *collect.Set
	prober *api.Prober
}

func (a *App) newGeneration(c *config.Config) (*generation, error) {
	sources, err := sourcesOf(c, naming{aliases: c.AliasesWanted()})
	if err != nil {
		return nil, err
	}
	logger := a.options.Logger.With("component", "collect")
	return &generation{
		set:    collect.NewSet(collect.Options{Sources: sources, Metrics: a.collectors, Logger: logger, SeriesLimit: c.Limits.SeriesPerFamily}),
		prober: api.New(api.Options{Targets: targetsOf(c), Metrics: a.probes, Collectors: a.collectors, Logger: logger}),
	}, nil
}

// run watches until ctx is done.
func (g *generation) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { _ = g.set.Run(ctx) }) // neither ever returns an error
	wg.Go(func() { _ = g.prober.Run(ctx) })
	wg.Wait()
}

func (g *generation) status() []collect.Status {
	return slices.Concat(g.set.Status(), g.prober.Status())
}

// warm waits until everything has been tried, but not for long: a source that
// does not answer must not hold up a reload.
func (g *generation) warm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, warmTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for slices.ContainsFunc(g.status(), func(s collect.Status) bool { return !s.Tried }) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

const warmTimeout = 3 * time.Second

// forget drops the series of g's sources that after does not have.
func (g *generation) forget(after *generation, metrics *collect.Metrics) {
	kept := map[string]bool{}
	for _, s := range after.set.Status() {
		kept[s.Name+"/"+s.Target] = true
	}
	for _, s := range g.set.Status() {
		if !kept[s.Name+"/"+s.Target] {
			metrics.Forget(s.Name, s.Target)
		}
	}
	g.prober.Forget(after.prober)
}

// sourcesOf makes the sources that are collected in the background. Series
// are labelled with their target only where there are several of a kind.
func sourcesOf(c *config.Config, n naming) ([]collect.Source, error) {
	var out []collect.Source
	if c.HostEnabled() {
		source, err := host.Source(host.Options{
			ProcFS: c.Host.ProcFS, SysFS: c.Host.SysFS, RootFS: c.Host.RootFS,
			Interval: c.Host.Interval.Std(), Timeout: c.Host.Timeout.Std(), Names: n.of("", nil),
		})
		if err != nil {
			return nil, fmt.Errorf("host: %w", err)
		}
		out = append(out, source)
	}
	for _, p := range c.Postgres {
		o := postgres.Options{
			Name: p.Name, Names: n.of(several(len(c.Postgres), p.Name), p.Labels), DSN: p.Secret, Password: p.Password,
			Interval: p.Interval.Std(), Timeout: p.Timeout.Std(),
			SlowInterval: p.SlowInterval.Std(), SlowTimeout: p.SlowTimeout.Std(), BloatInterval: p.BloatInterval.Std(),
			Databases: p.Databases, ExcludeDatabases: p.ExcludeDatabases,
			Tables: p.MaxTables, Statements: p.MaxStatements, StatementText: p.StatementText,
		}
		if t := p.TLS; t != nil {
			o.TLS = &postgres.TLS{CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify}
		}
		sources, err := postgres.Sources(o)
		if err != nil {
			return nil, fmt.Errorf("postgres %q: %w", p.Name, err)
		}
		out = append(out, sources...)
	}
	for _, r := range c.Redis {
		o := redis.Options{
			Name: r.Name, Names: n.of(several(len(c.Redis), r.Name), r.Labels), URL: r.URL, Addr: r.Addr, Username: r.Username, Password: r.Password, DB: r.DB,
			Interval: r.Interval.Std(), Timeout: r.Timeout.Std(),
		}
		if r.TLS != nil {
			o.TLS = &redis.TLS{CAFile: r.TLS.CAFile, ServerName: r.TLS.ServerName, InsecureSkipVerify: r.TLS.InsecureSkipVerify}
		}
		source, err := redis.Source(o)
		if err != nil {
			return nil, fmt.Errorf("redis %q: %w", r.Name, err)
		}
		out = append(out, source)
	}
	return out, nil
}

func targetsOf(c *config.Config) []api.Target {
	var out []api.Target
	for _, t := range c.API.Targets {
		out = append(out, api.Target{
			Exchange: t.Exchange, Endpoint: t.Endpoint, URL: t.URL, Method: t.Method, Headers: t.Headers,
			ExpectStatus: t.ExpectStatus, BodyContains: t.BodyContains, Interval: t.Interval.Std(), Timeout: t.Timeout.Std(),
		})
	}
	return out
}

// naming makes the names of every target in one way.
type naming struct {
	aliases bool
	catalog *collect.Catalog // nil but for the reference
}

func (n naming) of(target string, labels map[string]string) collect.Names {
	return collect.NewNames(collect.Naming{Target: target, Labels: labels, Aliases: n.aliases, Catalog: n.catalog})
}

// several is the name of a target where there are others of its kind.
func several(count int, name string) string {
	if count > 1 {
		return name
	}
	return ""
}
