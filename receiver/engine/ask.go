package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// ask puts the intent to every guard, in order, up to the first that says no.
// It returns the most that all allow and the budgets to be spent.
func (c *carrier) ask(ctx context.Context) (incident.Mode, []incident.Budget, *incident.Decision) {
	in := c.settings.intent(c.plan, c.target, c.in, c.e.Now())
	in.Run, in.Mode, in.First = c.run.ID, c.plan.Mode, len(c.run.Steps) == 0
	in.Action = c.plan.Steps[c.run.Step].Action
	mode, budgets, decisions := decisionsOf(ctx, c.settings.Guards, in)
	for _, d := range decisions {
		c.e.metrics.decided(d)
		c.pending = append(c.pending, incident.Event{
			Kind: incident.EventGuard, At: in.Now, Text: d.Guard + ": " + d.Reason, Data: decisionData(d),
		})
	}
	if n := len(decisions); n > 0 && !decisions[n-1].Allowed {
		return mode, budgets, &decisions[n-1]
	}
	return mode, budgets, nil
}

func (s Settings) intent(r Remediation, t incident.Target, in incident.Incident, now time.Time) incident.Intent {
	return incident.Intent{
		Incident: in, Remediation: r.Name, Target: t, Mode: r.Mode, First: true, Action: r.Steps[0].Action,
		Cooldown: r.Cooldown, Budgets: r.Budgets, Now: now,
	}
}

// decisionsOf asks guards in order; the last decision is the only one that may
// say no.
func decisionsOf(ctx context.Context, guards []Guard, in incident.Intent) (incident.Mode, []incident.Budget, []incident.Decision) {
	mode := in.Mode
	var budgets []incident.Budget
	var decisions []incident.Decision
	for _, g := range guards {
		d := decideOne(ctx, g, in)
		decisions = append(decisions, d)
		if !d.Allowed {
			break
		}
		if d.Mode != "" {
			mode = mode.Ceiling(d.Mode)
		}
		in.Mode = mode
		budgets = append(budgets, d.Budget...)
	}
	return mode, budgets, decisions
}

// decideOne asks one guard; a guard that breaks does not allow.
func decideOne(ctx context.Context, g Guard, in incident.Intent) (d incident.Decision) {
	defer func() {
		if v := recover(); v != nil {
			d = incident.Decision{Reason: fmt.Sprintf("cannot tell, the guard broke: %v", v)}
		}
		d.Guard = g.Name()
	}()
	return g.Decide(ctx, in)
}

func decisionData(d incident.Decision) map[string]string {
	data := map[string]string{"guard": d.Guard, "allowed": fmt.Sprint(d.Allowed)}
	if !d.RetryAt.IsZero() {
		data["retry_at"] = d.RetryAt.UTC().Format(time.RFC3339)
	}
	return data
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
