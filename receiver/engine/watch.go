package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// sight is one check with what was found.
type sight struct {
	check   incident.Check
	finding incident.Finding
	took    time.Duration // how long it was watched
}

func (s sight) String() string {
	word := "does not hold"
	if s.finding.Holds {
		word = "holds"
	}
	text := fmt.Sprintf("%s %s", s.check.Query, word)
	if s.check.For > 0 && s.finding.Holds {
		text += fmt.Sprintf(" for %s", s.check.For)
	}
	if s.finding.Text != "" {
		text += " (" + s.finding.Text + ")"
	}
	return text
}

// watch evaluates checks until each has held without a break for its For, or
// one does not hold or cannot be evaluated; it ends with that one.
func (e *Engine) watch(ctx context.Context, checker Checker, checks []incident.Check) ([]sight, error) {
	began := e.Now()
	for {
		seen, err := e.look(ctx, checker, checks)
		if err != nil {
			return seen, err
		}
		passed, longest := e.Now().Sub(began), time.Duration(0)
		for i := range seen {
			seen[i].took = passed
			if !seen[i].finding.Holds {
				return seen, nil
			}
			longest = max(longest, seen[i].check.For)
		}
		if passed >= longest {
			return seen, nil
		}
		if err := sleep(ctx, min(e.CheckInterval, longest-passed)); err != nil {
			return seen, err
		}
	}
}

// look evaluates all checks once.
func (e *Engine) look(ctx context.Context, checker Checker, checks []incident.Check) ([]sight, error) {
	seen := make([]sight, 0, len(checks))
	for _, check := range checks {
		call, cancel := context.WithTimeout(ctx, e.CheckTimeout)
		finding, err := checker.Check(call, check)
		cancel()
		if err != nil {
			return seen, fmt.Errorf("evaluating %q: %w", check.Query, err)
		}
		seen = append(seen, sight{check: check, finding: finding})
	}
	return seen, nil
}

// await evaluates checks until all have held for hold without a break, having
// begun to within the time given. The error says that at the end of that time
// they could not be evaluated: nobody knows whether they hold.
func (e *Engine) await(ctx context.Context, checker Checker, checks []incident.Check, within, hold time.Duration) (bool, []sight, error) {
	began, since := e.Now(), time.Time{}
	for {
		seen, err := e.look(ctx, checker, checks)
		now := e.Now()
		all := err == nil
		for i := range seen {
			seen[i].took = now.Sub(began)
			all = all && seen[i].finding.Holds
		}
		switch {
		case ctx.Err() != nil:
			return false, seen, context.Cause(ctx)
		case !all:
			since = time.Time{}
			if now.Sub(began) >= within {
				return false, seen, err
			}
		case since.IsZero():
			since = now
		}
		if all && now.Sub(since) >= hold {
			return true, seen, nil
		}
		if err := sleep(ctx, e.CheckInterval); err != nil {
			return false, seen, err
		}
	}
}
