package guard

import (
	"context"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// defaultCooldown is how long a remediation leaves a target alone after it has
// begun to act on it.
const defaultCooldown = 15 * time.Minute

// cooldown keeps a remediation from repeating itself on a target. Only the
// first step of a run is held back by it; the ones after belong together.
type cooldown struct{}

func (cooldown) Name() string { return "cooldown" }

func (cooldown) Decide(_ context.Context, in incident.Intent) incident.Decision {
	per := in.Cooldown
	if per == 0 {
		per = defaultCooldown
	}
	switch {
	case per < 0:
		return allow("no cooldown")
	case !in.First:
		return allow("a later step of the same run")
	}
	d := allow("at most one run of %s on %s in %s", in.Remediation, in.Target.Name, per)
	d.Budget = []incident.Budget{{Scope: "target", Key: in.Target.Name, Remediation: in.Remediation, Max: 1, Per: per}}
	return d
}

var _ Guard = cooldown{}
