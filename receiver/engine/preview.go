package engine

import (
	"context"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Previewed says what one matching remediation would do about an alert.
type Previewed struct {
	Remediation string
	Target      string
	Mode        incident.Mode // after all guards
	Skipped     string        // why there would be no run, or it would end at once
	Decisions   []incident.Decision
	Steps       string // what would be done
}

// Preview says what would happen to an incident, without a store and without
// doing anything; guards that need a store must be left out of the settings.
func Preview(ctx context.Context, s Settings, in incident.Incident, now time.Time) ([]Previewed, error) {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return nil, err
	}
	var out []Previewed
	for _, r := range s.Remediations {
		if !r.Match(in.Labels) {
			continue
		}
		p := Previewed{Remediation: r.Name, Mode: r.Mode}
		target, err := s.aim(r, in)
		p.Target = target.Name
		if err != nil {
			p.Skipped = err.Error()
			out = append(out, p)
			continue
		}
		p.Steps = describe(r, target, newData(in, target.Name, "preview"))
		p.Mode, _, p.Decisions = decisionsOf(ctx, s.Guards, s.intent(r, target, in, now))
		switch n := len(p.Decisions); {
		case r.Mode == incident.ModeOff:
			p.Skipped = "mode off"
		case n > 0 && !p.Decisions[n-1].Allowed:
			p.Skipped = p.Decisions[n-1].Guard + ": " + p.Decisions[n-1].Reason
		}
		out = append(out, p)
	}
	return out, nil
}
