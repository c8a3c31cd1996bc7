package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Settings are the part of the options that a reload replaces as a whole. A
// run in progress keeps those it was claimed under.
type Settings struct {
	ConfigHash   string
	Targets      []incident.Target
	Remediations []Remediation // all that match an incident get a run
	Guards       []Guard       // in the order they are asked
	Actions      map[string]Action
	Checker      Checker
}

// Remediation is what is done about the alerts it matches.
type Remediation struct {
	Name   string
	Match  func(labels map[string]string) bool
	Target string        // a name or a template such as {{ .Labels.service }}, which must give one
	Mode   incident.Mode // empty means dry run
	Hold   time.Duration // it must still fire so long after it opened; 0 means 30s, negative none

	Confirm   []incident.Check // all must hold, else the alert is false; none confirms at once
	Available []incident.Check // all hold: the system is available; none: decided by priority

	Cooldown time.Duration     // as in incident.Intent
	Budgets  []incident.Budget // as in incident.Intent

	Steps []Step // tried in order until one verifies
}

// Step is one thing to try.
type Step struct {
	Action     string
	With       incident.Params // templates, each rendered on its own
	Timeout    time.Duration   // 0 means 90s
	Idempotent bool            // may be begun again when a crash interrupted it
	Verify     Verify          // required: nothing is believed to have helped by itself
}

// Verify says when a step has helped: all checks hold at the latest after
// Within, and go on holding for Hold.
type Verify struct {
	Checks []incident.Check
	Within time.Duration // 0 means 5m
	Hold   time.Duration
}

// Defaults of a remediation and its steps.
const (
	defaultHold    = 30 * time.Second
	defaultTimeout = 90 * time.Second
	defaultWithin  = 5 * time.Minute
)

func (r Remediation) withDefaults() Remediation {
	if r.Mode == "" {
		r.Mode = incident.ModeDryRun
	}
	if r.Hold == 0 {
		r.Hold = defaultHold
	}
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		if r.Steps[i].Timeout == 0 {
			r.Steps[i].Timeout = defaultTimeout
		}
		if r.Steps[i].Verify.Within == 0 {
			r.Steps[i].Verify.Within = defaultWithin
		}
	}
	return r
}

func (s Settings) withDefaults() Settings {
	s.Remediations = slices.Clone(s.Remediations)
	for i, r := range s.Remediations {
		s.Remediations[i] = r.withDefaults()
	}
	return s
}

// Validate reports the first thing that is wrong with the settings.
func (s Settings) Validate() error { return s.withDefaults().validate() }

func (s Settings) validate() error {
	seen := map[string]bool{}
	for i, t := range s.Targets {
		if t.Name == "" || seen[t.Name] {
			return fmt.Errorf("target %d: name %q must be present and unique", i+1, t.Name)
		}
		seen[t.Name] = true
	}
	clear(seen)
	for i, r := range s.Remediations {
		if r.Name == "" || seen[r.Name] {
			return fmt.Errorf("remediation %d: name %q must be present and unique", i+1, r.Name)
		}
		seen[r.Name] = true
		if err := s.validateOne(r); err != nil {
			return fmt.Errorf("remediation %q: %w", r.Name, err)
		}
	}
	return nil
}

func (s Settings) validateOne(r Remediation) error {
	if r.Match == nil {
		return fmt.Errorf("matchers are missing, it would match every alert")
	}
	if r.Mode.Rank() < 0 {
		return fmt.Errorf("mode %q is not one of off, dry_run, approve, auto", r.Mode)
	}
	if r.Target == "" {
		return fmt.Errorf("target is missing")
	}
	if err := parse(r.Target); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if (len(r.Confirm) > 0 || len(r.Available) > 0 || len(r.Steps) > 0) && s.Checker == nil {
		return fmt.Errorf("it has checks, and there is nothing to evaluate them")
	}
	if err := validChecks("confirm", r.Confirm); err != nil {
		return err
	}
	if err := validChecks("available", r.Available); err != nil {
		return err
	}
	if len(r.Steps) == 0 {
		return fmt.Errorf("steps are missing")
	}
	for i, step := range r.Steps {
		if err := s.validateStep(step); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (s Settings) validateStep(step Step) error {
	if s.Actions[step.Action] == nil {
		return fmt.Errorf("action %q is not known", step.Action)
	}
	for key, values := range step.With {
		for _, v := range values {
			if err := parse(v); err != nil {
				return fmt.Errorf("with %s: %w", key, err)
			}
		}
	}
	if step.Timeout < 0 || step.Verify.Within < 0 || step.Verify.Hold < 0 {
		return fmt.Errorf("timeout %s, within %s and hold %s must not be negative", step.Timeout, step.Verify.Within, step.Verify.Hold)
	}
	if len(step.Verify.Checks) == 0 {
		return fmt.Errorf("verify is missing: without it nobody knows whether the step helped")
	}
	return validChecks("verify", step.Verify.Checks)
}

func validChecks(what string, checks []incident.Check) error {
	for i, c := range checks {
		if c.Query == "" || c.For < 0 {
			return fmt.Errorf("%s %d: query %q must be present and for %s not negative", what, i+1, c.Query, c.For)
		}
		if err := parse(c.Query); err != nil {
			return fmt.Errorf("%s %d: %w", what, i+1, err)
		}
	}
	return nil
}

func (s Settings) target(name string) (incident.Target, bool) {
	i := slices.IndexFunc(s.Targets, func(t incident.Target) bool { return t.Name == name })
	if i < 0 {
		return incident.Target{}, false
	}
	return s.Targets[i], true
}

func (s Settings) remediation(name string) (Remediation, bool) {
	i := slices.IndexFunc(s.Remediations, func(r Remediation) bool { return r.Name == name })
	if i < 0 {
		return Remediation{}, false
	}
	return s.Remediations[i], true
}
