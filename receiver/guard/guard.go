// Package guard holds what may stand between an alert and an action, one guard
// a file: the kill switch, the ceiling of modes, whether the alert still
// fires, the target, runs at once, cooldown and budgets.
//
// A guard only reads. What it cannot find out it does not allow. Limits that
// two runs could pass at the same moment are not decided here but handed on as
// budgets, which the ledger checks and spends in the transaction that begins
// to act. The engine asks the guards in the order of Default, when it claims a
// run and again right before it acts.
package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Guard decides about an intent.
type Guard interface {
	Name() string
	Decide(ctx context.Context, in incident.Intent) incident.Decision
}

// Switch is the kill switch.
type Switch interface {
	Paused(ctx context.Context) (bool, error)
}

// Alerts is asked whether an alert fires now; Alertmanager is one.
type Alerts interface {
	// Standing reports how the alert stands. An error says that nobody knows.
	Standing(ctx context.Context, in incident.Incident) (Standing, error)
}

// Options of the guards that ship.
type Options struct {
	Switch  Switch        // nil leaves the kill switch out, as a preview without a ledger must
	Alerts  Alerts        // nil believes what was received last
	Ceiling incident.Mode // the most any remediation may do; empty means dry run
	AtOnce  int           // actions at once, whole system; 0 means 2
	Retry   time.Duration // when to ask again; 0 means 15s
}

func (o Options) withDefaults() Options {
	if o.Ceiling == "" {
		o.Ceiling = incident.ModeDryRun
	}
	if o.AtOnce == 0 {
		o.AtOnce = 2
	}
	if o.Retry == 0 {
		o.Retry = 15 * time.Second
	}
	return o
}

// Default lists the guards in the order they are asked.
func Default(o Options) ([]Guard, error) {
	o = o.withDefaults()
	if o.Ceiling.Rank() < 0 {
		return nil, fmt.Errorf("guard: Ceiling %q is not one of off, dry_run, approve, auto", o.Ceiling)
	}
	if o.AtOnce < 1 {
		return nil, fmt.Errorf("guard: AtOnce is %d, it must be at least 1", o.AtOnce)
	}
	guards := []Guard{
		modeCeiling{o.Ceiling},
		stillFiring{o.Alerts, o.Retry},
		targetKnown{},
		atOnce{o.AtOnce},
		cooldown{},
		budget{},
	}
	if o.Switch != nil {
		guards = append([]Guard{killSwitch{o.Switch, o.Retry}}, guards...)
	}
	return guards, nil
}

func allow(format string, args ...any) incident.Decision {
	return incident.Decision{Allowed: true, Reason: fmt.Sprintf(format, args...)}
}

func never(format string, args ...any) incident.Decision {
	return incident.Decision{Final: true, Reason: fmt.Sprintf(format, args...)}
}

func later(at time.Time, format string, args ...any) incident.Decision {
	return incident.Decision{RetryAt: at, Reason: fmt.Sprintf(format, args...)}
}
