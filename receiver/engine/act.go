package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// maxAttempts bounds how often crashes may make an idempotent step begin again.
const maxAttempts = 3

// errStopping says that an action was cut off because the program stops. The
// run stays in acting on disk: whoever claims it next finds it interrupted.
var errStopping = errors.New("the program stops in the middle of an action")

// act takes a run from its precheck into the action and to its result.
func (c *carrier) act(ctx context.Context) error {
	step := c.plan.Steps[c.run.Step]
	if n := c.attempts(); n > 0 && (!step.Idempotent || n >= maxAttempts) {
		return c.giveUp(ctx, fmt.Sprintf("step %d has begun %d times before and will not begin again", c.run.Step+1, n))
	}
	request, err := c.request()
	if err != nil {
		return c.move(ctx, err.Error(), incident.RunPrecheckFailed)
	}
	if err := c.refresh(ctx); err != nil {
		return err
	}
	check, cancel := context.WithTimeout(ctx, c.e.CheckTimeout)
	err = c.precheck(check, request)
	cancel()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		c.note(incident.EventStep, "precheck of "+step.Action+" says no: "+err.Error())
		return c.move(ctx, "precheck: "+err.Error(), incident.RunPrecheckFailed)
	}
	mode, budgets, stopped := c.ask(ctx)
	switch {
	case stopped != nil:
		return c.obey(ctx, *stopped)
	case mode == incident.ModeApprove && c.run.ApprovedBy == "":
		return c.move(ctx, "", incident.RunQueued) // demoted since: decide again
	case mode.Rank() < incident.ModeApprove.Rank():
		return c.drop(ctx, "dry run")
	}
	began, err := c.begin(ctx, request, budgets)
	if err != nil || began == nil {
		return err
	}
	return c.do(ctx, request, *began)
}

// begin writes the intent. Only when it is on disk may the action start; nil
// without an error says that a budget is spent and the run waits.
func (c *carrier) begin(ctx context.Context, r incident.Request, budgets []incident.Budget) (*incident.Step, error) {
	row := incident.Step{
		Run: c.run.ID, Index: r.Step, Attempt: r.Attempt, Action: c.plan.Steps[r.Step].Action, Target: c.target.Name,
		State: incident.RunActing, StartedAt: c.e.Now(),
	}
	err := c.apply(ctx, func(in incident.Incident) incident.Change {
		return incident.Change{
			IncidentTo: route(in.State, incident.Mitigating), RunTo: []incident.RunState{incident.RunActing},
			Step: &row, Budget: budgets,
			Events: []incident.Event{{Kind: incident.EventStep, Text: fmt.Sprintf("step %d, attempt %d: %s on %s begins", r.Step+1, r.Attempt, row.Action, row.Target)}},
		}
	})
	if errors.Is(err, incident.ErrBudget) {
		d := incident.Decision{Guard: "budget", Reason: err.Error(), RetryAt: c.roomAt(err, budgets)}
		c.e.metrics.decided(d)
		c.pending = append(c.pending, incident.Event{Kind: incident.EventGuard, At: c.e.Now(), Text: "budget: " + d.Reason, Data: decisionData(d)})
		return nil, c.block(ctx, d)
	}
	if err != nil {
		return nil, err
	}
	return &row, nil
}

// roomAt is when a spent budget is looked at again: when the store says, else
// often enough for the shortest of them.
func (c *carrier) roomAt(err error, budgets []incident.Budget) time.Time {
	var spent *incident.BudgetError
	if errors.As(err, &spent) && !spent.FreeAt.IsZero() {
		return spent.FreeAt
	}
	wait := c.e.RetryAfter
	for _, b := range budgets {
		if b.Per > 0 {
			wait = min(wait, b.Per)
		}
	}
	return c.e.Now().Add(max(wait, c.e.CheckInterval))
}

// do runs the action, once, and writes what became of it.
func (c *carrier) do(ctx context.Context, r incident.Request, row incident.Step) error {
	step := c.plan.Steps[r.Step]
	limited, cancel := c.grace(ctx, step.Timeout)
	output, err := c.call(limited, r)
	timedOut := errors.Is(limited.Err(), context.DeadlineExceeded)
	stopped := limited.Err() != nil && !timedOut
	cancel()
	if errors.Is(context.Cause(ctx), incident.ErrFenced) {
		return incident.ErrFenced // another worker judges it now, a late word of ours could only confuse
	}
	row.FinishedAt, row.Output, row.State = c.e.Now(), output, incident.RunActed
	switch {
	case err != nil && timedOut:
		row.State, row.Error = incident.RunTimedOut, fmt.Sprintf("not done after %s: %v", step.Timeout, err)
	case err != nil && stopped:
		return errStopping
	case err != nil:
		row.State, row.Error = incident.RunActFailed, err.Error()
	}
	took := row.FinishedAt.Sub(row.StartedAt)
	c.e.metrics.acted(step.Action, row.State, took)
	write, done := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer done()
	return c.apply(write, func(in incident.Incident) incident.Change {
		ch := incident.Change{
			RunTo: []incident.RunState{row.State}, Reason: row.Error, Step: &row,
			Events: []incident.Event{{Kind: incident.EventStep, Text: fmt.Sprintf("step %d, attempt %d: %s on %s is %s after %s", row.Index+1, row.Attempt, row.Action, row.Target, row.State, took.Round(time.Millisecond))}},
		}
		if row.State == incident.RunActed {
			ch.RunTo = append(ch.RunTo, incident.RunVerifying)
			ch.IncidentTo = route(in.State, incident.Verifying)
		}
		return ch
	})
}

// grace is the context of an action: it ends after its timeout, at once when
// the run is taken over, and StopGrace after the program is told to stop.
func (c *carrier) grace(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	free, cancel := context.WithCancel(context.WithoutCancel(ctx))
	limited, done := context.WithTimeout(free, timeout)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		if !errors.Is(context.Cause(ctx), incident.ErrFenced) {
			_ = sleep(limited, c.e.StopGrace)
		}
		cancel()
	})
	return limited, func() {
		done()
		cancel()
		if !stop() {
			<-ended
		}
	}
}

// call is the one place where an action is done. What breaks in it has failed.
func (c *carrier) call(ctx context.Context, r incident.Request) (output string, err error) {
	defer func() {
		if v := recover(); v != nil {
			c.log.Error("an action broke", "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("the action broke: %v", v)
		}
	}()
	return c.settings.Actions[c.plan.Steps[r.Step].Action].Do(ctx, r)
}

func (c *carrier) precheck(ctx context.Context, r incident.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the precheck broke: %v", v)
		}
	}()
	return c.settings.Actions[c.plan.Steps[r.Step].Action].Precheck(ctx, r)
}

// request renders the current step.
func (c *carrier) request() (incident.Request, error) {
	with, err := renderParams(c.plan.Steps[c.run.Step].With, c.data())
	if err != nil {
		return incident.Request{}, err
	}
	return incident.Request{
		Target: c.target, With: with, Alert: alertOf(c.in), Incident: c.in.ID, Run: c.run.ID,
		Step: c.run.Step, Attempt: c.attempts() + 1,
	}, nil
}
