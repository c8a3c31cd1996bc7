package guard

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixedSwitch is a kill switch that answers as told: a ledger cannot be made
// to fail at will.
type fixedSwitch struct {
	paused bool
	err    error
}

func (s fixedSwitch) Paused(context.Context) (bool, error) { return s.paused, s.err }

type fixedAlerts struct {
	standing Standing
	err      error
}

func (a fixedAlerts) Standing(context.Context, incident.Incident) (Standing, error) {
	return a.standing, a.err
}

func intent() incident.Intent {
	return incident.Intent{
		Incident:    incident.Incident{Firing: true, LastSeenAt: now.Add(-time.Minute)},
		Remediation: "restart-web", Target: incident.Target{Name: "web", Kind: "container"},
		Mode: incident.ModeAuto, First: true, Now: now,
	}
}

func TestDecisions(t *testing.T) {
	soon := 15 * time.Second
	for name, tc := range map[string]struct {
		guard   Guard
		change  func(*incident.Intent)
		allowed bool
		final   bool
		reason  string
	}{
		"not paused":           {guard: killSwitch{fixedSwitch{}, soon}, allowed: true, reason: "not paused"},
		"paused":               {guard: killSwitch{fixedSwitch{paused: true}, soon}, reason: "paused by a person"},
		"ledger down":          {guard: killSwitch{fixedSwitch{err: errors.New("disk full")}, soon}, reason: "cannot tell whether all is paused: disk full"},
		"ceiling":              {guard: modeCeiling{incident.ModeApprove}, allowed: true, reason: "mode auto under the ceiling approve is approve"},
		"ceiling off":          {guard: modeCeiling{incident.ModeOff}, final: true, reason: "does nothing"},
		"no mode":              {guard: modeCeiling{incident.ModeAuto}, change: func(in *incident.Intent) { in.Mode = "on" }, final: true, reason: `mode "on"`},
		"fires, as received":   {guard: stillFiring{nil, soon}, allowed: true, reason: "received 1m0s ago"},
		"resolved":             {guard: stillFiring{nil, soon}, change: func(in *incident.Intent) { in.Incident.Firing = false }, final: true, reason: "no longer firing"},
		"fires, asked now":     {guard: stillFiring{fixedAlerts{standing: Standing{Active: true}}, soon}, allowed: true, reason: "fires now"},
		"silenced":             {guard: stillFiring{fixedAlerts{standing: Standing{Muted: true, MutedBy: []string{"s-1"}}}, soon}, reason: "muted by s-1"},
		"forgotten":            {guard: stillFiring{fixedAlerts{}, soon}, reason: "does not know it"},
		"alertmanager down":    {guard: stillFiring{fixedAlerts{err: errors.New("refused")}, soon}, reason: "cannot tell whether it still fires: refused"},
		"known target":         {guard: targetKnown{}, allowed: true, reason: "web is a container"},
		"unknown target":       {guard: targetKnown{}, change: func(in *incident.Intent) { in.Target.Name = "" }, final: true, reason: "unknown target"},
		"an impossible budget": {guard: budget{}, change: func(in *incident.Intent) { in.Budgets = []incident.Budget{{Max: 0, Per: time.Hour}} }, final: true, reason: "budget 0/1h0m0s"},
	} {
		in := intent()
		if tc.change != nil {
			tc.change(&in)
		}
		d := tc.guard.Decide(t.Context(), in)
		if d.Allowed != tc.allowed || d.Final != tc.final || !strings.Contains(d.Reason, tc.reason) {
			t.Errorf("%s: got %+v", name, d)
		}
		if waits := !tc.allowed && !tc.final; waits != d.RetryAt.Equal(now.Add(soon)) {
			t.Errorf("%s: asked again at %v", name, d.RetryAt)
		}
	}
}

func TestWhatIsToBeSpent(t *testing.T) {
	for name, tc := range map[string]struct {
		guard  Guard
		change func(*incident.Intent)
		want   []incident.Budget
	}{
		"at once": {guard: atOnce{2}, want: []incident.Budget{{Scope: "target", Key: "web", Max: 1}, {Scope: "all", Max: 2}}},
		"cooldown by default": {guard: cooldown{}, want: []incident.Budget{
			{Scope: "target", Key: "web", Remediation: "restart-web", Max: 1, Per: 15 * time.Minute},
		}},
		"cooldown of its own": {guard: cooldown{}, change: func(in *incident.Intent) { in.Cooldown = time.Second }, want: []incident.Budget{
			{Scope: "target", Key: "web", Remediation: "restart-web", Max: 1, Per: time.Second},
		}},
		"no cooldown":           {guard: cooldown{}, change: func(in *incident.Intent) { in.Cooldown = -1 }},
		"cooldown, second step": {guard: cooldown{}, change: func(in *incident.Intent) { in.First = false }},
		"budget by default": {guard: budget{}, want: []incident.Budget{
			{Scope: "target", Key: "web", Max: 3, Per: time.Hour}, {Scope: "target", Key: "web", Max: 6, Per: 24 * time.Hour},
			{Scope: "remediation", Key: "restart-web", Max: 10, Per: time.Hour}, {Scope: "all", Max: 20, Per: time.Hour},
		}},
		"budget of its own": {guard: budget{}, change: func(in *incident.Intent) { in.Budgets = []incident.Budget{{Max: 1, Per: time.Minute}} }, want: []incident.Budget{
			{Scope: "target", Key: "web", Max: 1, Per: time.Minute},
			{Scope: "remediation", Key: "restart-web", Max: 10, Per: time.Hour}, {Scope: "all", Max: 20, Per: time.Hour},
		}},
	} {
		in := intent()
		if tc.change != nil {
			tc.change(&in)
		}
		d := tc.guard.Decide(t.Context(), in)
		if diff := cmp.Diff(tc.want, d.Budget); diff != "" || !d.Allowed {
			t.Errorf("%s: allowed %t\n%s", name, d.Allowed, diff)
		}
	}
}

func TestDefaultAsksInOrder(t *testing.T) {
	guards, err := Default(Options{Switch: fixedSwitch{}, Ceiling: incident.ModeAuto})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range guards {
		names = append(names, g.Name())
	}
	if diff := cmp.Diff([]string{"kill_switch", "mode_ceiling", "still_firing", "target_known", "at_once", "cooldown", "budget"}, names); diff != "" {
		t.Error(diff)
	}
	if _, err := Default(Options{Ceiling: "on"}); err == nil || !strings.Contains(err.Error(), `Ceiling "on"`) {
		t.Errorf("got %v", err)
	}
	if _, err := Default(Options{AtOnce: -1}); err == nil || !strings.Contains(err.Error(), "AtOnce is -1") {
		t.Errorf("got %v", err)
	}
	// Nothing said is dry run.
	guards, _ = Default(Options{})
	if d := guards[0].Decide(t.Context(), intent()); d.Mode != incident.ModeDryRun {
		t.Errorf("without a ceiling the mode is %q", d.Mode)
	}
}
