package engine

import (
	"context"
	"fmt"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// verifyConfidence is how sure a repair that helped is that there was
// something to repair: it could have got better by itself.
const verifyConfidence = 0.8

// result is what a verification found.
type result int

const (
	helped result = iota
	didNotHelp
	cannotTell
)

// verify asks whether the step that has just acted helped.
func (c *carrier) verify(ctx context.Context) error {
	found, text, err := c.ascertain(ctx)
	if err != nil {
		return err
	}
	switch found {
	case helped:
		return c.succeed(ctx, incident.RunSucceeded)
	case cannotTell: // to go on acting without knowing would be acting blind
		return c.giveUp(ctx, "nobody can tell whether the action helped: "+text)
	}
	return c.apply(ctx, func(incident.Incident) incident.Change {
		return incident.Change{RunTo: []incident.RunState{incident.RunIneffective}, Reason: text, Step: c.lastStep(incident.RunIneffective, text)}
	})
}

// reconcile goes on with a run that a crash cut off in the middle of an
// action. Nobody knows whether the action has run; the world tells whether it
// is still needed. Only what is declared harmless to repeat is repeated.
func (c *carrier) reconcile(ctx context.Context) error {
	found, text, err := c.ascertain(ctx)
	if err != nil {
		return err
	}
	switch {
	case found == helped:
		return c.succeed(ctx, incident.RunVerifying, incident.RunSucceeded)
	case found == didNotHelp && c.plan.Steps[c.run.Step].Idempotent && c.attempts() < maxAttempts:
		c.note(incident.EventNote, "interrupted, and not better: the step is idempotent and begins again")
		return c.move(ctx, "", incident.RunPrechecking)
	}
	return c.giveUp(ctx, "interrupted: the action may or may not have run; "+text)
}

// ascertain evaluates the verification of the current step and records it.
func (c *carrier) ascertain(ctx context.Context) (result, string, error) {
	v := c.plan.Steps[c.run.Step].Verify
	checks, err := renderChecks(v.Checks, c.data())
	if err != nil {
		return cannotTell, err.Error(), nil
	}
	ok, seen, err := c.e.await(ctx, c.settings.Checker, checks, v.Within, v.Hold)
	if ctx.Err() != nil {
		return cannotTell, "", context.Cause(ctx)
	}
	c.saw("verify", seen)
	if err != nil {
		c.note(incident.EventCheck, "verify: "+err.Error())
		return cannotTell, err.Error(), nil
	}
	if ok {
		return helped, "", nil
	}
	text := fmt.Sprintf("not better within %s", v.Within)
	for _, s := range seen {
		if !s.finding.Holds {
			text += ": " + s.String()
			break
		}
	}
	return didNotHelp, text, nil
}

// succeed ends the run. The incident recovers once the alert, too, is gone;
// the closer sees to that.
func (c *carrier) succeed(ctx context.Context, to ...incident.RunState) error {
	return c.apply(ctx, func(in incident.Incident) incident.Change {
		return incident.Change{
			IncidentTo: route(in.State, incident.Verifying), RunTo: to, Step: c.lastStep(incident.RunSucceeded, ""),
			Judgement: incident.Judge(in.ID, true, incident.SourceVerify, verifyConfidence, "repaired by "+c.plan.Name, c.e.Now()),
		}
	})
}
