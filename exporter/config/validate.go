package config

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// minInterval keeps a slip of the pen (5ms for 5m) from becoming a load test.
const minInterval = Duration(100 * time.Millisecond)

func (c *Config) validate(p *places) {
	p.schedule(c.Host.Interval, c.Host.Timeout, "host")
	names := map[string]bool{}
	for i, pg := range c.Postgres {
		p.name(names, pg.Name, "postgres", i)
		p.schedule(pg.Interval, pg.Timeout, "postgres", i)
		if pg.SlowInterval < pg.Interval {
			p.Wrong([]any{"postgres", i, "slow_interval"}, "%s is shorter than the interval %s", pg.SlowInterval, pg.Interval)
		}
	}
	names = map[string]bool{}
	for i, r := range c.Redis {
		p.name(names, r.Name, "redis", i)
		p.schedule(r.Interval, r.Timeout, "redis", i)
		if _, _, err := net.SplitHostPort(r.Addr); err != nil {
			p.Wrong([]any{"redis", i, "addr"}, "%q is no address, write it as host:port", r.Addr)
		}
		if r.DB < 0 {
			p.Wrong([]any{"redis", i, "db"}, "%d is below 0", r.DB)
		}
	}
	p.schedule(c.API.Interval, c.API.Timeout, "api")
	names = map[string]bool{}
	for i, t := range c.API.Targets {
		p.target(t, i)
		key := t.Exchange + "/" + t.Endpoint
		if names[key] {
			p.Wrong([]any{"api", "targets", i, "endpoint"}, "%q stands here again for exchange %q, endpoints must differ", t.Endpoint, t.Exchange)
		}
		names[key] = true
	}
}

func (p *places) name(seen map[string]bool, name string, list string, i int) {
	path := []any{list, i, "name"}
	switch {
	case name == "":
		p.Wrong(path, "missing, it becomes the label target")
	case seen[name]:
		p.Wrong(path, "%q stands here again, names must differ", name)
	}
	seen[name] = true
}

func (p *places) schedule(interval, timeout Duration, path ...any) {
	if interval < minInterval {
		p.Wrong(append(slices.Clone(path), "interval"), "%s is below %s", interval, minInterval)
	}
	if timeout > interval {
		p.Wrong(append(slices.Clone(path), "timeout"), "%s is longer than the interval %s", timeout, interval)
	}
}

func (p *places) target(t Target, i int) {
	at := func(key string) []any { return []any{"api", "targets", i, key} }
	if t.Endpoint == "" {
		p.Wrong(at("endpoint"), "missing, it becomes the label endpoint")
	}
	p.schedule(t.Interval, t.Timeout, "api", "targets", i)
	switch u, err := url.Parse(t.URL); {
	case strings.Contains(t.URL, "@") && (err != nil || u.User != nil): // not to be repeated in a message
		p.Wrong(at("url"), "holds a user or password, send an Authorization header instead")
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		p.Wrong(at("url"), "%q is no http or https address", t.URL)
	}
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions}
	if !slices.Contains(methods, t.Method) {
		p.Wrong(at("method"), "%q is none of %q", t.Method, methods)
	}
	for _, code := range t.ExpectStatus {
		if code < 100 || code > 599 {
			p.Wrong(at("expect_status"), "%d is no HTTP status", code)
		}
	}
	if t.BodyContains != "" && t.Method == http.MethodHead {
		p.Wrong(at("body_contains"), "a HEAD request has no body, use GET")
	}
}
