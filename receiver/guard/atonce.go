package guard

import (
	"context"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// atOnce lets one action at a time touch a target, whatever remediation it
// belongs to, and only so many touch anything.
type atOnce struct{ max int }

func (atOnce) Name() string { return "at_once" }

func (g atOnce) Decide(_ context.Context, in incident.Intent) incident.Decision {
	d := allow("at most 1 action at once on %s, %d in all", in.Target.Name, g.max)
	d.Budget = []incident.Budget{
		{Scope: "target", Key: in.Target.Name, Max: 1},
		{Scope: "all", Max: g.max},
	}
	return d
}

var _ Guard = atOnce{}
