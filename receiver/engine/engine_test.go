package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func TestFiveDeliveriesAreOneIncidentOneRunAndOneAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e, stop := b.start(b.store)
		defer stop()
		for range 5 {
			b.fire()
			e.Wake()
		}
		b.untilRun(incident.RunSucceeded)
		b.store.receive(false, labels, time.Now())
		b.until("closed", func(_ incident.Run, in incident.Incident) bool { return in.State == incident.Closed })
		if len(b.store.incidents) != 1 || len(b.store.runs) != 1 || b.w.total() != 1 {
			t.Errorf("got %d incidents, %d runs, %d actions", len(b.store.incidents), len(b.store.runs), b.w.total())
		}
		if diff := cmp.Diff([]string{"claimed", "blocked", "claimed", "prechecking", "acting", "acted", "verifying", "succeeded"}, b.store.passed(incident.EventRun)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"notified", "confirming", "assessing", "emergency", "mitigating", "verifying", "recovered", "reported", "closed"}, b.store.passed(incident.EventState)); diff != "" {
			t.Error(diff)
		}
		if j := b.store.judged; len(j) != 1 || j[0].Verdict != verdict.TruePositive || j[0].Source != incident.SourceVerify {
			t.Errorf("judgements: %+v", j)
		}
		if r := b.w.requests[0]; r.Target.Name != "web" || r.Attempt != 1 {
			t.Errorf("asked for %+v", r)
		}
	})
}

func TestWhatIsNotConfirmedIsAFalsePositive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.w.broken = false
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.until("closed", func(_ incident.Run, in incident.Incident) bool { return in.State == incident.Closed })
		r, _ := b.look()
		if r.State != incident.RunSkipped || !strings.HasPrefix(r.Reason, "not confirmed") || b.w.total() != 0 {
			t.Errorf("run %s, reason %q, %d actions", r.State, r.Reason, b.w.total())
		}
		if j := b.store.judged; len(j) != 1 || j[0].Verdict != verdict.FalsePositive || j[0].Source != incident.SourceConfirm {
			t.Errorf("judgements: %+v", j)
		}
	})
}

// A confirm check must hold for its whole duration, not only at its ends.
func TestConfirmNeedsEveryMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Remediations[0].Confirm[0].For = 10 * time.Second
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.until("confirming", func(_ incident.Run, in incident.Incident) bool { return in.State == incident.Confirming })
		time.Sleep(5 * time.Second)
		b.w.set(func() { b.w.broken = false })
		time.Sleep(1500 * time.Millisecond)
		b.w.set(func() { b.w.broken = true })
		b.untilRun(incident.RunSkipped)
		if b.w.total() != 0 {
			t.Error("it acted")
		}
	})
}

func TestConfirmThatCannotBeEvaluatedBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.w.blind = true
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.until("blocked by confirm", func(r incident.Run, _ incident.Incident) bool {
			return r.State == incident.RunBlocked && strings.Contains(r.Reason, "prometheus is down")
		})
		if b.w.total() != 0 || len(b.store.judged) != 0 {
			t.Error("it acted or judged without knowing")
		}
		b.w.set(func() { b.w.blind = false })
		b.untilRun(incident.RunSucceeded)
	})
}

func TestAGuardBlocksAndIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		free := time.Now().Add(time.Minute)
		b.s.Guards = []Guard{guardFunc(func(in incident.Intent) incident.Decision {
			if in.Now.Before(free) {
				return incident.Decision{Reason: "1 of 1", RetryAt: free}
			}
			return incident.Decision{Allowed: true, Reason: "0 of 1"}
		})}
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.until("blocked by the guard", func(r incident.Run, _ incident.Incident) bool {
			return r.State == incident.RunBlocked && r.Reason == "test: 1 of 1"
		})
		b.untilRun(incident.RunSucceeded)
		r, _ := b.look()
		if r.Steps[0].StartedAt.Before(free) {
			t.Error("it acted before the guard allowed it")
		}
		// Asked once while blocked, then at claim and again right before acting.
		if diff := cmp.Diff([]string{"test: 1 of 1", "test: 0 of 1", "test: 0 of 1"}, b.store.texts(incident.EventGuard)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAGuardsLastWordEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Guards = []Guard{guardFunc(func(in incident.Intent) incident.Decision {
			return incident.Decision{Allowed: in.Incident.Firing, Final: true, Reason: "no longer firing"}
		})}
		b.s.Remediations[0].Hold = 20 * time.Second
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunBlocked)
		b.store.receive(false, labels, time.Now())
		b.untilRun(incident.RunSkipped)
		b.until("closed", func(_ incident.Run, in incident.Incident) bool { return in.State == incident.Closed })
		if b.w.total() != 0 {
			t.Error("it acted on an alert that was gone")
		}
	})
}

func TestABrokenGuardDoesNotAllow(t *testing.T) {
	d := decideOne(t.Context(), guardFunc(func(incident.Intent) incident.Decision { panic("nil map") }), incident.Intent{})
	if d.Allowed || d.Final || d.Guard != "test" || !strings.Contains(d.Reason, "nil map") {
		t.Errorf("got %+v", d)
	}
}

func TestDryRunSaysWhatItWouldDoAndDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Remediations[0].Mode = "" // the default
		b.s.Remediations[0].Steps[0].With = incident.Params{"argv": {"restart", "{{ .Labels.service }}"}}
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunSkipped)
		r, in := b.look()
		if r.Reason != "dry run" || b.w.total() != 0 || in.State != incident.Emergency {
			t.Errorf("reason %q, %d actions, incident %s", r.Reason, b.w.total(), in.State)
		}
		want := `dry run; this would have been done: restart on web argv=["restart" "web"]`
		if !slices.Contains(b.store.texts(incident.EventNote), want) {
			t.Errorf("notes: %q", b.store.texts(incident.EventNote))
		}
	})
}

func TestApproveWaitsForAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Remediations[0].Mode = incident.ModeApprove
		e, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunAwaitingApproval)
		time.Sleep(time.Minute)
		if b.w.total() != 0 {
			t.Fatal("it did not wait")
		}
		r, in := b.look()
		if err := b.store.Apply(t.Context(), incident.Change{At: time.Now(), Actor: "anna", Incident: in.ID, Run: r.ID, RunTo: []incident.RunState{incident.RunApproved}}); err != nil {
			t.Fatal(err)
		}
		e.Wake()
		b.untilRun(incident.RunSucceeded)
	})
}

func TestAStepThatDoesNotHelpIsFollowedByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.w.helps = map[string]bool{"redeploy": true}
		b.s.Remediations[0].Steps = append(b.s.Remediations[0].Steps, Step{Action: "redeploy", Verify: verifyWorks()})
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunSucceeded)
		r, _ := b.look()
		if len(r.Steps) != 2 || r.Steps[0].State != incident.RunIneffective || r.Steps[1].State != incident.RunSucceeded {
			t.Errorf("steps: %+v", r.Steps)
		}
	})
}

func TestWhenNothingHelpsAPersonIsCalled(t *testing.T) {
	for name, arrange := range map[string]func(b *bench){
		"does not help": func(b *bench) { b.w.helps = nil },
		"fails":         func(b *bench) { b.w.during = func(context.Context, incident.Request) error { return errors.New("no") } },
		"breaks":        func(b *bench) { b.w.during = func(context.Context, incident.Request) error { panic("no") } },
		"takes too long": func(b *bench) {
			b.w.during = func(ctx context.Context, _ incident.Request) error { <-ctx.Done(); return ctx.Err() }
		},
		"makes us blind": func(b *bench) {
			b.w.during = func(context.Context, incident.Request) error { b.w.set(func() { b.w.blind = true }); return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				arrange(b)
				_, stop := b.start(b.store)
				defer stop()
				b.fire()
				b.untilRun(incident.RunEscalated)
				r, in := b.look()
				if in.Escalation != "L1" || r.Reason == "" || b.w.total() != 1 {
					t.Errorf("escalation %q, reason %q, %d actions", in.Escalation, r.Reason, b.w.total())
				}
				if len(b.store.judged) != 0 {
					t.Errorf("judged %+v", b.store.judged)
				}
			})
		})
	}
}

func TestAnActionThatWasCutOffMayHaveHelped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.w.during = func(ctx context.Context, _ incident.Request) error {
			b.w.set(func() { b.w.broken = false })
			<-ctx.Done()
			return ctx.Err()
		}
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.untilRun(incident.RunSucceeded)
		if got := b.store.passed(incident.EventRun); !slices.Contains(got, "timed_out") {
			t.Errorf("passed %v", got)
		}
	})
}

func TestASpentBudgetBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.s.Guards = []Guard{guardFunc(func(incident.Intent) incident.Decision {
			return incident.Decision{Allowed: true, Budget: []incident.Budget{{Scope: "target", Key: "web", Max: 1, Per: 30 * time.Minute}}}
		})}
		b.store.spent = []memSpent{{"target", "web", "", time.Now()}}
		began := time.Now()
		_, stop := b.start(b.store)
		defer stop()
		b.fire()
		b.until("blocked by the budget", func(r incident.Run, _ incident.Incident) bool {
			return r.State == incident.RunBlocked && strings.Contains(r.Reason, `1 of 1 target "web" in 30m0s`)
		})
		b.until("acted", func(r incident.Run, _ incident.Incident) bool { return len(r.Steps) > 0 })
		r, _ := b.look()
		if len(r.Steps) == 0 || r.Steps[0].StartedAt.Sub(began) < 30*time.Minute {
			t.Errorf("it acted after %s", r.Steps[0].StartedAt.Sub(began))
		}
	})
}

func TestATargetIsNeverTextFromALabel(t *testing.T) {
	in := incident.Incident{ID: 1, Labels: labels}
	for target, want := range map[string]string{
		"{{ .Labels.service }}":   "",
		"{{ .Labels.alertname }}": `"Down" is not in the list`,
		"{{ .Labels.missing }}":   "missing",
		"{{ .Labels.evil }}":      "evil", // holds what no argument may
		"{{ .Alert.alert }}":      "unexported",
	} {
		s := settingsFor(newWorld())
		s.Remediations[0].Target = target
		runs, _ := s.runsFor(in, time.Time{})
		if len(runs) != 1 {
			t.Fatalf("%s: %d runs", target, len(runs))
		}
		if want == "" {
			if runs[0].State != incident.RunQueued || runs[0].Target != "web" {
				t.Errorf("%s: %+v", target, runs[0])
			}
		} else if runs[0].State != incident.RunSkipped || !strings.Contains(runs[0].Reason, want) || !strings.HasPrefix(runs[0].Reason, "unknown target") {
			t.Errorf("%s: %s %q", target, runs[0].State, runs[0].Reason)
		}
	}
}

func TestRenderedTextIsNotReadAgain(t *testing.T) {
	d := newData(incident.Incident{Labels: map[string]string{"a": "x", "b": "{{ .Labels.a }}"}, Annotations: map[string]string{"n": `"\n`}}, "web", "1")
	if _, err := render("{{ .Labels.b }}", d); err == nil {
		t.Error("a template in a label was let in")
	}
	got, err := render(`{"alert":{{ toJson .Alert }}}`, d)
	if err != nil || !strings.Contains(got, `{{ .Labels.a }}`) || !strings.Contains(got, `\"\\n`) {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for want, spoil := range map[string]func(*Settings){
		`remediation "restart-web": steps are missing`:                 func(s *Settings) { s.Remediations[0].Steps = nil },
		`remediation "restart-web": step 1: action "rm" is not known`:  func(s *Settings) { s.Remediations[0].Steps[0].Action = "rm" },
		`step 1: verify is missing`:                                    func(s *Settings) { s.Remediations[0].Steps[0].Verify.Checks = nil },
		`mode "on" is not one of`:                                      func(s *Settings) { s.Remediations[0].Mode = "on" },
		`matchers are missing`:                                         func(s *Settings) { s.Remediations[0].Match = nil },
		`target: reading template "{{"`:                                func(s *Settings) { s.Remediations[0].Target = "{{" },
		`target 2: name "web" must be present and unique`:              func(s *Settings) { s.Targets = append(s.Targets, s.Targets[0]) },
		`remediation 2: name "restart-web" must be present and unique`: func(s *Settings) { s.Remediations = append(s.Remediations, s.Remediations[0]) },
		`confirm 1: query "" must be present`:                          func(s *Settings) { s.Remediations[0].Confirm[0].Query = "" },
		`step 1: with argv: reading template "{{ .X"`:                  func(s *Settings) { s.Remediations[0].Steps[0].With = incident.Params{"argv": {"{{ .X"}} },
		`timeout -1s, within 10s and hold 3s must not be negative`:     func(s *Settings) { s.Remediations[0].Steps[0].Timeout = -time.Second },
	} {
		s := settingsFor(newWorld())
		spoil(&s)
		_, err := New(Options{Store: newMemStore(), Owner: "x", Settings: s})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPreviewNeedsNoStore(t *testing.T) {
	s := settingsFor(newWorld())
	s.Guards = []Guard{guardFunc(func(incident.Intent) incident.Decision {
		return incident.Decision{Allowed: true, Mode: incident.ModeDryRun, Reason: "ceiling"}
	})}
	got, err := Preview(t.Context(), s, incident.Incident{Labels: labels, Firing: true}, time.Time{})
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if got[0].Mode != incident.ModeDryRun || got[0].Steps != "restart on web" || len(got[0].Decisions) != 1 {
		t.Errorf("got %+v", got[0])
	}
}
