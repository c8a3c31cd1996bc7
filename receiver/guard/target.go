package guard

import (
	"context"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// targetKnown lets only entries of the list of targets be touched.
type targetKnown struct{}

func (targetKnown) Name() string { return "target_known" }

func (targetKnown) Decide(_ context.Context, in incident.Intent) incident.Decision {
	if in.Target.Name == "" {
		return never("unknown target")
	}
	return allow("%s is a %s of the list", in.Target.Name, in.Target.Kind)
}

var _ Guard = targetKnown{}
