package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// confirmConfidence is how sure a confirm check is that the alert was false:
// it asks the same world as the alert, only later.
const confirmConfidence = 0.9

// decide takes a claimed run to the beginning of a step, or to the reason why
// not: hold, guards, confirm, assess, and the mode in the end.
func (c *carrier) decide(ctx context.Context) error {
	if err := c.refresh(ctx); err != nil {
		return err
	}
	switch c.in.State {
	case incident.FalsePositive, incident.Recovered, incident.Reported, incident.Closed:
		return c.drop(ctx, fmt.Sprintf("the incident is %s", c.in.State))
	}
	if held := c.in.OpenedAt.Add(c.plan.Hold); c.in.Firing && c.e.Now().Before(held) {
		return c.block(ctx, incident.Decision{Guard: "hold", Reason: fmt.Sprintf("it must still fire %s after it opened", c.plan.Hold), RetryAt: held})
	}
	mode, _, stopped := c.ask(ctx)
	if stopped != nil {
		return c.obey(ctx, *stopped)
	}
	if len(c.run.Steps) == 0 && c.run.ApprovedBy == "" {
		goesOn, err := c.confirm(ctx)
		if err != nil || !goesOn {
			return err
		}
		if err := c.assess(ctx); err != nil {
			return err
		}
	}
	return c.enter(ctx, mode)
}

// enter does what the mode says with a run that may act.
func (c *carrier) enter(ctx context.Context, mode incident.Mode) error {
	switch {
	case mode == incident.ModeAuto, mode == incident.ModeApprove && c.run.ApprovedBy != "":
		return c.move(ctx, "", incident.RunPrechecking)
	case mode == incident.ModeApprove:
		c.note(incident.EventNote, "waiting for approval of: "+c.intended(ctx))
		return c.move(ctx, "", incident.RunAwaitingApproval)
	case mode == incident.ModeOff:
		return c.drop(ctx, "mode off")
	}
	c.note(incident.EventNote, "dry run; this would have been done: "+c.intended(ctx))
	return c.move(ctx, "dry run", incident.RunSkipped)
}

// confirm asks whether the alert is real. It reports whether to go on.
func (c *carrier) confirm(ctx context.Context) (bool, error) {
	if c.in.State == incident.Notified || c.in.State == incident.Open {
		if err := c.apply(ctx, func(in incident.Incident) incident.Change {
			return incident.Change{IncidentTo: route(in.State, incident.Confirming)}
		}); err != nil {
			return false, err
		}
	}
	checks, err := renderChecks(c.plan.Confirm, c.data())
	if err != nil {
		return false, c.giveUp(ctx, "confirm cannot be asked: "+err.Error())
	}
	seen, err := c.e.watch(ctx, c.settings.Checker, checks)
	c.saw("confirm", seen)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err != nil {
		return false, c.block(ctx, incident.Decision{Guard: "confirm", Reason: "cannot tell whether the alert is real: " + err.Error()})
	}
	for _, s := range seen {
		if !s.finding.Holds {
			return false, c.deny(ctx, s)
		}
	}
	return true, nil
}

// deny ends the run: the world is not as the alert says. The alert was false
// unless another remediation has confirmed it.
func (c *carrier) deny(ctx context.Context, s sight) error {
	reason := "not confirmed: " + s.String()
	judged := false
	if err := c.apply(ctx, func(in incident.Incident) incident.Change {
		ch := incident.Change{RunTo: []incident.RunState{incident.RunSkipped}, Reason: reason}
		if judged = in.State == incident.Confirming; judged {
			ch.IncidentTo = []incident.State{incident.FalsePositive}
			ch.Judgement = incident.Judge(in.ID, false, incident.SourceConfirm, confirmConfidence, s.String(), c.e.Now())
		}
		return ch
	}); err != nil || !judged {
		return err
	}
	if err := c.e.conclude(ctx, c.in); err != nil {
		c.e.lost(ctx, "closing a false alert", c.in.ID, err) // the closer does it once it is resolved
	}
	return nil
}

// assess asks whether the system is available: if not, repairing comes first.
func (c *carrier) assess(ctx context.Context) error {
	if c.in.State != incident.Confirming && c.in.State != incident.Assessing {
		return nil // another run has
	}
	to := incident.Diagnosing
	if c.in.Priority == incident.P1 {
		to = incident.Emergency
	}
	if checks, err := renderChecks(c.plan.Available, c.data()); err == nil && len(checks) > 0 {
		seen, err := c.e.watch(ctx, c.settings.Checker, checks)
		c.saw("available", seen)
		if err == nil {
			to = incident.Diagnosing
			for _, s := range seen {
				if !s.finding.Holds {
					to = incident.Emergency
				}
			}
		}
	}
	return c.apply(ctx, func(in incident.Incident) incident.Change {
		path := route(in.State, incident.Assessing)
		if in.State == incident.Assessing || len(path) > 0 {
			path = append(path, to)
		}
		return incident.Change{IncidentTo: path}
	})
}

// drop ends a run that is not needed any more.
func (c *carrier) drop(ctx context.Context, reason string) error {
	to := incident.RunSkipped
	if len(c.run.Steps) > 0 {
		to = incident.RunCancelled
	}
	return c.move(ctx, reason, to)
}

// block lets the run wait for a guard or a check.
func (c *carrier) block(ctx context.Context, d incident.Decision) error {
	at := d.RetryAt
	if now := c.e.Now(); !at.After(now) {
		at = now.Add(c.e.RetryAfter)
	}
	if err := c.apply(ctx, func(incident.Incident) incident.Change {
		return incident.Change{RunTo: []incident.RunState{incident.RunBlocked}, Reason: d.Guard + ": " + d.Reason, RetryAt: at}
	}); err != nil {
		return err
	}
	c.e.noteRetry(at)
	return nil
}

// obey does what a guard that said no wants: wait, or end.
func (c *carrier) obey(ctx context.Context, d incident.Decision) error {
	if d.Final {
		return c.drop(ctx, d.Guard+": "+d.Reason)
	}
	return c.block(ctx, d)
}

// intended describes all steps as they would be done, for people.
func (c *carrier) intended(ctx context.Context) string {
	steps := describe(c.plan, c.target, c.data())
	ctx, cancel := context.WithTimeout(ctx, c.e.CheckTimeout)
	defer cancel()
	if r, err := c.request(); err == nil {
		if err := c.precheck(ctx, r); err != nil {
			steps += "; the precheck of the first step says no: " + err.Error()
		}
	}
	return steps
}

// describe puts the steps of a remediation into one sentence.
func describe(r Remediation, t incident.Target, d data) string {
	var out []string
	for _, s := range r.Steps {
		with, err := renderParams(s.With, d)
		if err != nil {
			out = append(out, s.Action+" on "+t.Name+", which cannot be rendered: "+err.Error())
			continue
		}
		text := s.Action + " on " + t.Name
		for _, key := range sortedKeys(with) {
			text += fmt.Sprintf(" %s=%q", key, with[key])
		}
		out = append(out, text)
	}
	return strings.Join(out, "; if that does not help: ")
}

func (c *carrier) data() data { return newData(c.in, c.target.Name, c.run.ID) }

func (c *carrier) note(kind, text string) {
	c.pending = append(c.pending, incident.Event{Kind: kind, At: c.e.Now(), Text: text})
}

// saw records what checks found.
func (c *carrier) saw(purpose string, seen []sight) {
	for _, s := range seen {
		c.pending = append(c.pending, incident.Event{
			Kind: incident.EventCheck, At: c.e.Now(), Text: purpose + ": " + s.String(),
			Data: map[string]string{"purpose": purpose, "query": s.check.Query, "holds": fmt.Sprint(s.finding.Holds), "took": s.took.Round(time.Millisecond).String()},
		})
	}
}
