package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/strictyaml"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// checker finds what is wrong with a decoded file.
type checker struct {
	*strictyaml.Places
	known func(action string) bool
}

func at(path ...any) []any { return path }

// readSecrets reads every secret file, and makes the parameters of targets.
func (v checker) readSecrets(c *Config) {
	read := func(path []any, file string) (s secret.Secret) {
		if file == "" {
			return s
		}
		s, err := secret.FromFile(file)
		if err != nil {
			v.Wrong(path, "%w", err)
		}
		return s
	}
	c.Webhook.BearerToken = read(at("webhook", "bearer_token_file"), c.Webhook.BearerTokenFile)
	for i := range c.Targets {
		t := &c.Targets[i]
		t.Params = map[string]string{}
		for name, value := range map[string]string{
			"id": t.ID, "unit": t.Unit, "url": t.URL, "dsn": read(at("targets", i, "dsn_file"), t.DSNFile).Reveal(),
		} {
			if value != "" {
				t.Params[name] = value
			}
		}
		if s := read(at("targets", i, "url_file"), t.URLFile); !s.Empty() {
			t.Params["url"] = s.Reveal()
		}
	}
}

func (v checker) config(c *Config) {
	v.mode(at("global", "mode"), c.Global.Mode)
	if c.Global.Prometheus != "" {
		v.address(at("global", "prometheus"), c.Global.Prometheus)
	}
	for i, a := range c.Global.Alertmanagers {
		v.address(at("global", "alertmanagers", i), a)
	}
	if _, err := c.StoragePath(); err != nil {
		v.Wrong(at("storage"), "%w", err)
	}
	names := v.targets(c.Targets)
	seen := map[string]bool{}
	for i := range c.Remediations {
		r := &c.Remediations[i]
		path := at("remediations", i)
		if r.Name == "" || seen[r.Name] {
			v.Wrong(append(path, "name"), "name %q must be present and unique", r.Name)
		}
		seen[r.Name] = true
		v.remediation(path, r, names, c.Global.Prometheus != "")
	}
}

func (v checker) mode(path []any, m incident.Mode) {
	if m.Rank() < 0 {
		v.Wrong(path, "mode %q is not one of off, dry_run, approve, auto", m)
	}
}

func (v checker) address(path []any, text string) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		v.Wrong(path, "%q is not of the form http://host:port", text)
	}
}

// needs says which parameter each kind of target must have.
func needs() map[string]string {
	return map[string]string{"container": "id", "unit": "unit", "postgres": "dsn", "redis": "url", "http": "url", "host": ""}
}

func (v checker) targets(targets []Target) []string {
	var names []string
	for i, t := range targets {
		path := at("targets", i)
		if t.Name == "" || slices.Contains(names, t.Name) {
			v.Wrong(append(path, "name"), "name %q must be present and unique", t.Name)
		}
		names = append(names, t.Name)
		need, ok := needs()[t.Kind]
		switch {
		case !ok:
			v.Wrong(append(path, "kind"), "kind %q is not one of container, unit, postgres, redis, http, host", t.Kind)
		case need != "" && t.Params[need] == "":
			key := need
			if need == "dsn" {
				key = "dsn_file"
			}
			v.Wrong(path, "target %q of kind %s needs %s", t.Name, t.Kind, key)
		case t.Kind == "http":
			v.address(append(path, "url"), t.URL)
		}
	}
	return names
}

func (v checker) remediation(path []any, r *Remediation, targets []string, prometheus bool) {
	if r.Mode != "" {
		v.mode(append(path, "mode"), r.Mode)
	}
	r.Match = v.matchers(append(path, "matchers"), r.Matchers)
	// A template gives its name when it is rendered; then it is looked up.
	if !strings.Contains(r.Target, "{{") && !slices.Contains(targets, r.Target) {
		v.Wrong(append(path, "target"), "target %q is not in targets, add it there or correct the name", r.Target)
	}
	for i, c := range r.Confirm {
		v.check(append(path, "confirm", i), c.Expr, c.HTTP, prometheus)
	}
	for i, c := range r.Available {
		v.check(append(path, "available", i), c.Expr, c.HTTP, prometheus)
	}
	if len(r.Steps) == 0 {
		v.Wrong(append(path, "steps"), "remediation %q has no steps", r.Name)
	}
	for i, s := range r.Steps {
		step := append(slices.Clone(path), "steps", i)
		if !v.known(s.Action) {
			v.Wrong(append(step, "action"), "action %q is not known", s.Action)
		}
		v.check(append(step, "verify"), s.Verify.Expr, s.Verify.HTTP, prometheus)
	}
}

// matchers are Alertmanager's own, so that they mean the same in both files.
func (v checker) matchers(path []any, texts []string) func(map[string]string) bool {
	if len(texts) == 0 {
		v.Wrong(path, "matchers are missing, it would match every alert")
	}
	var all labels.Matchers
	for i, text := range texts {
		ms, err := compat.Matchers(text, "receiver")
		if err != nil {
			v.Wrong(append(slices.Clone(path), i), "matcher %q: %w", text, err)
			continue
		}
		all = append(all, ms...)
	}
	return func(set map[string]string) bool {
		ls := make(model.LabelSet, len(set))
		for name, value := range set {
			ls[model.LabelName(name)] = model.LabelValue(value)
		}
		return all.Matches(ls)
	}
}

func (v checker) check(path []any, expr string, http *HTTP, prometheus bool) {
	switch {
	case expr == "" && http == nil:
		v.Wrong(path, "it needs expr or http: without a question there is no answer")
	case expr != "" && http != nil:
		v.Wrong(path, "it has expr and http, write two checks")
	case expr != "" && !prometheus:
		v.Wrong(path, "it asks an expression, and global.prometheus is not set")
	case http != nil && !strings.Contains(http.URL, "{{"):
		v.address(append(path, "http", "url"), http.URL)
	}
}
