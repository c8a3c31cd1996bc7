package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/action"
	"github.com/MNS-Vic/upkeep/receiver/check"
	"github.com/MNS-Vic/upkeep/receiver/config"
	"github.com/MNS-Vic/upkeep/receiver/engine"
	"github.com/MNS-Vic/upkeep/receiver/guard"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// settings makes of a configuration what the engine works with. A nil
// killSwitch leaves that guard out, for a preview without a ledger.
func settings(c *config.Config, actions map[string]action.Action, killSwitch guard.Switch) (engine.Settings, error) {
	checks, err := check.New(check.Options{Prometheus: c.Global.Prometheus})
	if err != nil {
		return engine.Settings{}, err
	}
	var alerts guard.Alerts
	if len(c.Global.Alertmanagers) > 0 {
		if alerts, err = guard.NewAlertmanagers(c.Global.Alertmanagers, nil); err != nil {
			return engine.Settings{}, err
		}
	}
	guards, err := guard.Default(guard.Options{Switch: killSwitch, Alerts: alerts, Ceiling: c.Global.Mode})
	if err != nil {
		return engine.Settings{}, err
	}
	s := engine.Settings{ConfigHash: c.Hash, Checker: checks, Actions: map[string]engine.Action{}}
	for _, g := range guards {
		s.Guards = append(s.Guards, g)
	}
	for name, a := range actions {
		s.Actions[name] = a
	}
	for _, t := range c.Targets {
		s.Targets = append(s.Targets, incident.Target{Name: t.Name, Kind: t.Kind, Params: t.Params, Group: t.Group})
	}
	for _, r := range c.Remediations {
		s.Remediations = append(s.Remediations, remediation(r))
	}
	return s, nil
}

func remediation(r config.Remediation) engine.Remediation {
	out := engine.Remediation{
		Name: r.Name, Match: r.Match, Target: r.Target, Mode: r.Mode, Hold: given(r.Hold), Cooldown: given(r.Guards.Cooldown),
		Confirm: checks(r.Confirm), Available: checks(r.Available),
	}
	if r.Guards.Budget != nil {
		out.Budgets = *r.Guards.Budget
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, engine.Step{
			Action: s.Action, With: incident.Params(s.With), Timeout: s.Timeout.Std(), Idempotent: s.Idempotent,
			Verify: engine.Verify{
				Checks: checks([]config.Check{{Expr: s.Verify.Expr, HTTP: s.Verify.HTTP}}), Within: s.Verify.Within.Std(), Hold: s.Verify.Hold.Std(),
			},
		})
	}
	return out
}

// given tells "0s", which means none, from absence, which means the default:
// the engine takes a negative duration for none and 0 for its default.
func given(d *config.Duration) time.Duration {
	if d != nil && d.Std() == 0 {
		return -1
	}
	return d.Std()
}

func checks(in []config.Check) []incident.Check {
	var out []incident.Check
	for _, c := range in {
		if c.HTTP != nil {
			expect := c.HTTP.Status
			if expect == "" {
				expect = fmt.Sprint(http.StatusOK)
			}
			out = append(out, incident.Check{Kind: incident.CheckHTTP, Query: c.HTTP.URL, Expect: expect, For: c.For.Std()})
			continue
		}
		out = append(out, incident.Check{Kind: incident.CheckPromQL, Query: c.Expr, For: c.For.Std()})
	}
	return out
}

// load reads and checks a configuration file as a whole; no path is the
// configuration that acts on nothing.
func load(path string, actions map[string]action.Action) (*config.Config, error) {
	if path == "" {
		return config.Default(), nil
	}
	c, err := config.Load(path, func(name string) bool { return actions[name] != nil })
	if err != nil {
		return nil, err
	}
	// What only the engine knows, such as whether templates can be parsed.
	s, err := settings(c, actions, nil)
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
