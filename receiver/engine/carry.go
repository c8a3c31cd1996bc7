package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// writeTimeout bounds the one write that records what an action did while the
// program is stopping.
const writeTimeout = 5 * time.Second

// carrier holds one claimed run. What it knows of run and incident is what the
// store has on disk: it is changed only after a write has succeeded, so that a
// crash anywhere leaves a state from which another carrier can go on.
type carrier struct {
	e        *Engine
	settings Settings
	plan     Remediation
	target   incident.Target
	in       incident.Incident
	run      incident.Run
	fence    int64
	pending  []incident.Event // written with the next change
	log      *slog.Logger
}

// carry goes on with a claimed run until it ends, waits for something, or is
// taken over.
func (e *Engine) carry(ctx context.Context, claim incident.Claim) (err error) {
	c := &carrier{
		e: e, settings: *e.settings.Load(), in: claim.Incident, run: claim.Run, fence: claim.Fence,
		log: e.Logger.With("run", claim.Run.ID, "incident", claim.Incident.ID, "remediation", claim.Run.Remediation),
	}
	if c.run.State == incident.RunInterrupted {
		e.metrics.moved(c.run.Remediation, "", incident.RunInterrupted)
	}
	held, release := e.hold(ctx, claim)
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
		release()
		switch {
		case errors.Is(err, incident.ErrFenced):
			e.metrics.fenced.Inc()
			c.log.Warn("the run was taken over by another worker")
			err = nil
		case ctx.Err() != nil && c.run.State.Held():
			c.letGo(ctx)
			err = nil
		}
	}()
	return c.goOn(held)
}

// letGo ends the lease early when the program stops, so that the next one need
// not wait for it. If that fails the lease ends by itself.
func (c *carrier) letGo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	_ = c.e.Store.Extend(ctx, c.run.ID, c.fence, c.e.Now())
}

// goOn takes one transition after the other.
func (c *carrier) goOn(ctx context.Context) error {
	plan, known := c.settings.remediation(c.run.Remediation)
	c.plan = plan
	target, listed := c.settings.target(c.run.Target)
	c.target = target
	switch {
	case !known:
		return c.giveUp(ctx, "the configuration no longer has this remediation")
	case !listed:
		return c.giveUp(ctx, fmt.Sprintf("unknown target: %q is not in the list of targets", c.run.Target))
	case c.run.Step >= len(plan.Steps):
		return c.giveUp(ctx, "the configuration no longer has this step")
	}
	if c.run.State == incident.RunBlocked {
		if err := c.move(ctx, "", incident.RunClaimed); err != nil {
			return err
		}
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		switch c.run.State {
		case incident.RunClaimed:
			err = c.decide(ctx)
		case incident.RunPrechecking:
			err = c.act(ctx)
		case incident.RunPrecheckFailed, incident.RunActFailed, incident.RunIneffective:
			err = c.nextStep(ctx)
		case incident.RunActed, incident.RunTimedOut: // cut off is not the same as without effect
			err = c.apply(ctx, func(in incident.Incident) incident.Change {
				return incident.Change{IncidentTo: route(in.State, incident.Verifying), RunTo: []incident.RunState{incident.RunVerifying}}
			})
		case incident.RunVerifying:
			err = c.verify(ctx)
		case incident.RunInterrupted:
			err = c.reconcile(ctx)
		case incident.RunRollingBack, incident.RunRolledBack:
			err = c.giveUp(ctx, "rolled back")
		default: // ended, blocked, or waiting for a person
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// move changes the state of the run alone.
func (c *carrier) move(ctx context.Context, reason string, to ...incident.RunState) error {
	return c.apply(ctx, func(incident.Incident) incident.Change {
		return incident.Change{RunTo: to, Reason: reason}
	})
}

// apply writes the change that build makes for the incident as it is. People,
// intake and other runs move the incident too, so it is read again and built
// anew when the store says that the move is not allowed.
func (c *carrier) apply(ctx context.Context, build func(incident.Incident) incident.Change) error {
	for try := 1; ; try++ {
		ch := build(c.in)
		ch.At, ch.Incident, ch.Run, ch.Fence, ch.StepNo = c.e.Now(), c.in.ID, c.run.ID, c.fence, c.run.Step
		ch.Events = slices.Concat(c.pending, ch.Events)
		err := c.e.Store.Apply(ctx, ch)
		if err == nil {
			c.applied(ch)
			return nil
		}
		if !errors.Is(err, incident.ErrTransition) || try == 3 {
			return err
		}
		if err := c.refresh(ctx); err != nil {
			return err
		}
	}
}

func (c *carrier) refresh(ctx context.Context) error {
	in, err := c.e.Store.Incident(ctx, c.in.ID)
	if err != nil {
		return fmt.Errorf("reading incident %d: %w", c.in.ID, err)
	}
	c.in = in
	return nil
}

// applied follows on our copy what is on disk now.
func (c *carrier) applied(ch incident.Change) {
	c.pending = nil
	if n := len(ch.IncidentTo); n > 0 {
		c.in.State = ch.IncidentTo[n-1]
	}
	if ch.Escalation != "" {
		c.in.Escalation = ch.Escalation
	}
	if n := len(ch.RunTo); n > 0 {
		c.run.State, c.run.Reason = ch.RunTo[n-1], ch.Reason
		c.log.Info("the run moved", "to", c.run.State, "reason", ch.Reason)
	}
	if ch.Step != nil {
		if i := c.stepRow(ch.Step.Index, ch.Step.Attempt); i >= 0 {
			c.run.Steps[i] = *ch.Step
		} else {
			c.run.Steps = append(c.run.Steps, *ch.Step)
		}
	}
	c.e.metrics.moved(c.run.Remediation, c.action(), ch.RunTo...)
}

// action is the one of the current step, empty when the configuration no longer has it.
func (c *carrier) action() string {
	if c.run.Step >= len(c.plan.Steps) {
		return ""
	}
	return c.plan.Steps[c.run.Step].Action
}

func (c *carrier) stepRow(index, attempt int) int {
	return slices.IndexFunc(c.run.Steps, func(s incident.Step) bool { return s.Index == index && s.Attempt == attempt })
}

// attempts is how often the current step has begun.
func (c *carrier) attempts() int {
	n := 0
	for _, s := range c.run.Steps {
		if s.Index == c.run.Step {
			n = max(n, s.Attempt)
		}
	}
	return n
}

// lastStep is the row of the newest attempt at the current step, to be written
// again with another state; nil when there is none.
func (c *carrier) lastStep(state incident.RunState, text string) *incident.Step {
	i := c.stepRow(c.run.Step, c.attempts())
	if i < 0 {
		return nil
	}
	s := c.run.Steps[i]
	s.State = state
	if text != "" {
		s.Error = text
	}
	return &s
}

// nextStep tries what comes after a step that did not help.
func (c *carrier) nextStep(ctx context.Context) error {
	if c.run.Step+1 >= len(c.plan.Steps) {
		return c.giveUp(ctx, c.run.Reason)
	}
	c.run.Step++ // written with the change; on an error nothing more is done with this copy
	return c.move(ctx, "", incident.RunPrechecking)
}

// giveUp ends the run and hands the incident to people: as skipped when it has
// not acted, else as escalated.
func (c *carrier) giveUp(ctx context.Context, reason string) error {
	to := []incident.RunState{incident.RunEscalated}
	switch c.run.State {
	case incident.RunClaimed, incident.RunBlocked:
		to = []incident.RunState{incident.RunSkipped}
		if len(c.run.Steps) > 0 {
			to = []incident.RunState{incident.RunCancelled}
		}
	case incident.RunPrechecking:
		to = []incident.RunState{incident.RunPrecheckFailed, incident.RunEscalated}
	case incident.RunVerifying:
		to = []incident.RunState{incident.RunIneffective, incident.RunEscalated}
	case incident.RunActed:
		to = []incident.RunState{incident.RunVerifying, incident.RunIneffective, incident.RunEscalated}
	}
	return c.apply(ctx, func(in incident.Incident) incident.Change {
		ch := incident.Change{RunTo: to, Reason: reason}
		if in.Escalation == "" {
			ch.Escalation = "L1"
		}
		ch.Events = []incident.Event{{Kind: incident.EventNote, Text: "a person is needed: " + reason}}
		return ch
	})
}
