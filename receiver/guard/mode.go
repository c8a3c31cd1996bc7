package guard

import (
	"context"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// modeCeiling holds every remediation at or below the mode of the whole system.
type modeCeiling struct{ ceiling incident.Mode }

func (modeCeiling) Name() string { return "mode_ceiling" }

func (g modeCeiling) Decide(_ context.Context, in incident.Intent) incident.Decision {
	mode := in.Mode.Ceiling(g.ceiling)
	if mode.Rank() < incident.ModeDryRun.Rank() { // off, or no mode at all
		return never("mode %q under the ceiling %q does nothing", in.Mode, g.ceiling)
	}
	d := allow("mode %s under the ceiling %s is %s", in.Mode, g.ceiling, mode)
	d.Mode = mode
	return d
}

var _ Guard = modeCeiling{}
