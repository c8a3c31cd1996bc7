package config

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// minInterval keeps a slip of the pen (5ms for 5m) from becoming a load test.
const minInterval = Duration(100 * time.Millisecond)

func (c *Config) validate(p *places) {
	if c.Limits.SeriesPerFamily < 1 {
		p.Wrong([]any{"limits", "series_per_family"}, "%d is below 1", c.Limits.SeriesPerFamily)
	}
	p.schedule(c.Host.Interval, c.Host.Timeout, "host")
	names := map[string]bool{}
	for i, pg := range c.Postgres {
		p.name(names, pg.Name, "postgres", i)
		p.schedule(pg.Interval, pg.Timeout, "postgres", i)
		p.postgres(pg, i)
	}
	names = map[string]bool{}
	for i, r := range c.Redis {
		p.name(names, r.Name, "redis", i)
		p.schedule(r.Interval, r.Timeout, "redis", i)
		p.tls(r.TLS, "redis", i)
		p.labels(r.Labels, "redis", i)
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

func (p *places) postgres(pg Postgres, i int) {
	at := func(key string) []any { return []any{"postgres", i, key} }
	if pg.SlowInterval < pg.Interval {
		p.Wrong(at("slow_interval"), "%s is shorter than the interval %s", pg.SlowInterval, pg.Interval)
	}
	if pg.SlowTimeout > pg.SlowInterval {
		p.Wrong(at("slow_timeout"), "%s is longer than slow_interval %s", pg.SlowTimeout, pg.SlowInterval)
	}
	if pg.BloatInterval < pg.SlowInterval {
		p.Wrong(at("bloat_interval"), "%s is shorter than slow_interval %s", pg.BloatInterval, pg.SlowInterval)
	}
	for key, n := range map[string]int{"max_tables": pg.MaxTables, "max_statements": pg.MaxStatements} {
		if n < 0 || n > mostRows {
			p.Wrong(at(key), "%d is not between 1 and %d", n, mostRows)
		}
	}
	p.tls(pg.TLS, "postgres", i)
	p.labels(pg.Labels, "postgres", i)
}

// mostRows bounds what one statement may publish of a server.
const mostRows = 5000

// tls checks that certificates can be read; they are read again when a
// connection is made.
func (p *places) tls(t *TLS, path ...any) {
	if t == nil {
		return
	}
	at := func(key string) []any { return append(slices.Clone(path), "tls", key) }
	for key, file := range map[string]string{"ca_file": t.CAFile, "cert_file": t.CertFile, "key_file": t.KeyFile} {
		if file == "" {
			continue
		}
		if _, err := os.ReadFile(file); err != nil {
			p.Wrong(at(key), "%w", err)
		}
	}
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		p.Wrong(at("cert_file"), "is of no use without key_file, name both")
	case t.CertFile == "" && t.KeyFile != "":
		p.Wrong(at("key_file"), "is of no use without cert_file, name both")
	}
}

// labels checks the labels that are put on every series of a target.
func (p *places) labels(labels map[string]string, path ...any) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		at := append(slices.Clone(path), "labels", name)
		switch {
		case !model.LegacyValidation.IsValidLabelName(name) || strings.HasPrefix(name, "__"):
			p.Wrong(at, "%q is no name of a label, use letters, digits and _", name)
		case slices.Contains(reservedLabels(), name):
			p.Wrong(at, "the label %q is taken, choose another", name)
		}
	}
}

// reservedLabels are those that Prometheus gives, and that tell our own targets
// apart.
func reservedLabels() []string { return []string{"job", "instance", "target", "le", "quantile"} }

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
