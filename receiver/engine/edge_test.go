package engine

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// A repair that works for a moment only has not helped.
func TestVerifyNeedsToHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.w.during = func(context.Context, incident.Request) error {
			time.AfterFunc(1500*time.Millisecond, func() { b.w.set(func() { b.w.broken = true }) })
			return nil
		}
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunEscalated)
		r, _ := b.look()
		if r.Steps[0].State != incident.RunIneffective || !strings.Contains(r.Reason, "not better within 10s") {
			t.Errorf("step %s, reason %q", r.Steps[0].State, r.Reason)
		}
	})
}

// Without knowing whether the first step helped, the second is not tried.
func TestNothingIsDoneBlindly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Remediations[0].Steps = append(b.s.Remediations[0].Steps, Step{Action: "redeploy", Verify: verifyWorks()})
		b.w.during = func(context.Context, incident.Request) error { b.w.set(func() { b.w.blind = true }); return nil }
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunEscalated)
		if r, _ := b.look(); b.w.total() != 1 || !strings.Contains(r.Reason, "nobody can tell") {
			t.Errorf("%d actions, reason %q", b.w.total(), r.Reason)
		}
	})
}

// A person closes the incident while the action runs: the run ends all the
// same, with what it found.
func TestAnIncidentThatMovesMeanwhileDoesNotStopTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.w.during = func(ctx context.Context, r incident.Request) error {
			return b.store.Apply(ctx, incident.Change{At: time.Now(), Actor: "anna", Incident: r.Incident, IncidentTo: []incident.State{incident.Closed}})
		}
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunSucceeded)
		if _, in := b.look(); in.State != incident.Closed {
			t.Errorf("the incident is %s", in.State)
		}
		if got := b.store.passed(incident.EventRun); slices.Contains(got, "interrupted") {
			t.Errorf("the worker lost its run: %v", got)
		}
	})
}

// Even a store that forgets what was interrupted cannot make a step begin twice.
func TestAStepThatHasARowNeverBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		id := b.fire()
		b.store.planned[id] = true
		b.store.incident(id).State = incident.Mitigating
		b.store.runs = []*memRun{{Run: incident.Run{
			ID: "r1", Incident: id, Remediation: "restart-web", Target: "web", Mode: incident.ModeAuto, State: incident.RunPrechecking,
			Steps: []incident.Step{{Run: "r1", Attempt: 1, State: incident.RunActing}},
		}}}
		_, stop := b.start(b.store)
		defer stop()
		b.untilRun(incident.RunEscalated)
		if b.w.total() != 0 {
			t.Error("it acted")
		}
	})
}

// A reload that removes what a run needs leaves the run to people.
func TestARunWhoseConfigurationIsGone(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"remediation": func(s *Settings) { s.Remediations = nil },
		"target":      func(s *Settings) { s.Targets = nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.s.Remediations[0].Hold = time.Minute
				e, stop := b.start(b.store)
				defer stop()
				b.fire()
				b.untilRun(incident.RunBlocked)
				s := settingsFor(b.w)
				change(&s)
				if err := e.Update(s); err != nil {
					t.Fatal(err)
				}
				b.untilRun(incident.RunSkipped)
				if r, _ := b.look(); b.w.total() != 0 || r.Reason == "" {
					t.Errorf("%d actions, reason %q", b.w.total(), r.Reason)
				}
			})
		})
	}
}

func TestABadReloadKeepsTheOldSettings(t *testing.T) {
	e, err := New(Options{Store: newMemStore(), Owner: "x", Settings: settingsFor(newWorld())})
	if err != nil {
		t.Fatal(err)
	}
	bad := settingsFor(newWorld())
	bad.Remediations[0].Steps = nil
	if err := e.Update(bad); err == nil {
		t.Error("a remediation without steps was taken")
	}
	if len(e.settings.Load().Remediations[0].Steps) != 1 {
		t.Error("the old settings are gone")
	}
}

// Two remediations of one incident: both go their way, and the incident never
// takes a step that its state machine does not have.
func TestTwoRunsOfOneIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Targets = append(b.s.Targets, incident.Target{Name: "db", Kind: "postgres"})
		second := b.s.Remediations[0]
		second.Name, second.Target, second.Steps = "redeploy-db", "db", []Step{{Action: "redeploy", Verify: verifyWorks()}}
		b.s.Remediations = append(b.s.Remediations, second)
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.until("both ended", func(incident.Run, incident.Incident) bool {
			b.store.mu.Lock()
			defer b.store.mu.Unlock()
			return len(b.store.runs) == 2 && !slices.ContainsFunc(b.store.runs, func(r *memRun) bool { return !r.State.Ended() })
		})
		for _, r := range b.store.runs {
			if r.State != incident.RunSucceeded && r.State != incident.RunSkipped {
				t.Errorf("%s is %s: %s", r.Remediation, r.State, r.Reason)
			}
		}
		b.store.receive(false, labels, time.Now())
		b.until("closed", func(_ incident.Run, in incident.Incident) bool { return in.State == incident.Closed })
	})
}

// A hundred incidents at once: no more actions at a time than there are
// workers, and all come to their end.
func TestAStormIsWorkedOffInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Remediations[0].Match = func(map[string]string) bool { return true }
		b.s.Remediations[0].Confirm = nil
		b.s.Remediations[0].Steps[0].Verify = Verify{Checks: []incident.Check{{Query: "works"}}, Within: time.Second}
		busy, most := 0, 0
		b.w.during = func(ctx context.Context, _ incident.Request) error {
			b.w.set(func() { busy++; most = max(most, busy) })
			defer b.w.set(func() { busy-- })
			return sleep(ctx, time.Second)
		}
		for i := range 100 {
			b.store.receive(true, map[string]string{"alertname": strings.Repeat("x", i+1), "service": "web"}, time.Now())
		}
		e, stop := b.start(b.store)
		defer stop()
		b.until("all ended", func(incident.Run, incident.Incident) bool {
			b.store.mu.Lock()
			defer b.store.mu.Unlock()
			return len(b.store.runs) == 100 && !slices.ContainsFunc(b.store.runs, func(r *memRun) bool { return !r.State.Ended() })
		})
		if b.w.total() != 100 || most != e.Workers {
			t.Errorf("%d actions, %d at once", b.w.total(), most)
		}
	})
}
