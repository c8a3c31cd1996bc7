package guard

import (
	"context"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Standing is how an alert stands at its source.
type Standing struct {
	Active  bool     // it fires and people are told
	Muted   bool     // it fires, and a silence or another alert keeps it quiet
	MutedBy []string // ids of silences, fingerprints of alerts
}

// stillFiring asks again whether there is anything to repair: between the
// message and this moment the alert may have ended or a person taken over.
type stillFiring struct {
	alerts Alerts
	retry  time.Duration
}

func (stillFiring) Name() string { return "still_firing" }

func (g stillFiring) Decide(ctx context.Context, in incident.Intent) incident.Decision {
	if !in.Incident.Firing {
		return never("no longer firing, as received %s ago", in.Now.Sub(in.Incident.LastSeenAt).Round(time.Second))
	}
	if g.alerts == nil {
		return allow("firing, as received %s ago", in.Now.Sub(in.Incident.LastSeenAt).Round(time.Second))
	}
	s, err := g.alerts.Standing(ctx, in.Incident)
	retry := in.Now.Add(g.retry)
	switch {
	case err != nil:
		return later(retry, "cannot tell whether it still fires: %v", err)
	case s.Active:
		return allow("alertmanager says that it fires now")
	case s.Muted:
		return later(retry, "it is muted by %s", strings.Join(s.MutedBy, ", "))
	}
	// Not final: a restarted Alertmanager has forgotten what fires. If it has
	// ended, the resolved message says so.
	return later(retry, "alertmanager does not know it as firing")
}

var _ Guard = stillFiring{}
