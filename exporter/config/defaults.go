package config

import (
	"net/http"
	"slices"
	"time"
)

// Defaults of intervals and deadlines. The host is cheap to read and its rates
// are looked at closely; database sizes are dear and change slowly.
const (
	hostInterval         = Duration(5 * time.Second)
	hostTimeout          = Duration(3 * time.Second)
	postgresInterval     = Duration(10 * time.Second)
	postgresTimeout      = Duration(5 * time.Second)
	postgresSlowInterval = Duration(time.Minute)
	postgresSlowTimeout  = Duration(30 * time.Second)
	postgresBloat        = Duration(15 * time.Minute)
	maxTables            = 500
	maxStatements        = 100
	seriesPerFamily      = 5000
	redisInterval        = Duration(10 * time.Second)
	redisTimeout         = Duration(3 * time.Second)
	apiInterval          = Duration(15 * time.Second)
	apiTimeout           = Duration(10 * time.Second)
)

// withDefaults returns a copy with every unset value filled in. A timeout that
// was not set never exceeds the interval that was.
func (c Config) withDefaults() Config {
	c.Limits.SeriesPerFamily = or(c.Limits.SeriesPerFamily, seriesPerFamily)
	c.Host.Interval = or(c.Host.Interval, hostInterval)
	c.Host.Timeout = or(c.Host.Timeout, min(hostTimeout, c.Host.Interval))
	c.Host.ProcFS = or(c.Host.ProcFS, "/proc")
	c.Host.SysFS = or(c.Host.SysFS, "/sys")
	c.Host.RootFS = or(c.Host.RootFS, "/")

	c.Postgres = slices.Clone(c.Postgres)
	for i := range c.Postgres {
		p := &c.Postgres[i]
		p.Interval = or(p.Interval, postgresInterval)
		p.Timeout = or(p.Timeout, min(postgresTimeout, p.Interval))
		p.SlowInterval = or(p.SlowInterval, max(postgresSlowInterval, p.Interval))
		p.SlowTimeout = or(p.SlowTimeout, min(postgresSlowTimeout, p.SlowInterval))
		p.BloatInterval = or(p.BloatInterval, max(postgresBloat, p.SlowInterval))
		p.MaxTables = or(p.MaxTables, maxTables)
		p.MaxStatements = or(p.MaxStatements, maxStatements)
	}
	c.Redis = slices.Clone(c.Redis)
	for i := range c.Redis {
		r := &c.Redis[i]
		r.Interval = or(r.Interval, redisInterval)
		r.Timeout = or(r.Timeout, min(redisTimeout, r.Interval))
	}
	c.API.Interval = or(c.API.Interval, apiInterval)
	c.API.Targets = slices.Clone(c.API.Targets)
	for i := range c.API.Targets {
		t := &c.API.Targets[i]
		t.Interval = or(t.Interval, c.API.Interval)
		t.Timeout = or(t.Timeout, or(c.API.Timeout, min(apiTimeout, t.Interval)))
		t.Method = or(t.Method, http.MethodGet)
		if len(t.ExpectStatus) == 0 {
			t.ExpectStatus = []int{http.StatusOK}
		}
	}
	c.API.Timeout = or(c.API.Timeout, min(apiTimeout, c.API.Interval))
	return c
}

// AliasesWanted says whether older and differently spelt names are published.
func (c Config) AliasesWanted() bool { return c.Aliases == nil || *c.Aliases }

// HostEnabled says whether this machine is watched.
func (c Config) HostEnabled() bool { return c.Host.Enabled == nil || *c.Host.Enabled }

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
