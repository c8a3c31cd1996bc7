package guard

import (
	"context"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// killSwitch lets nothing begin while a person has paused everything.
type killSwitch struct {
	state Switch
	retry time.Duration
}

func (killSwitch) Name() string { return "kill_switch" }

func (g killSwitch) Decide(ctx context.Context, in incident.Intent) incident.Decision {
	paused, err := g.state.Paused(ctx)
	switch {
	case err != nil:
		return later(in.Now.Add(g.retry), "cannot tell whether all is paused: %v", err)
	case paused:
		return later(in.Now.Add(g.retry), "all actions are paused by a person")
	}
	return allow("not paused")
}

var _ Guard = killSwitch{}
