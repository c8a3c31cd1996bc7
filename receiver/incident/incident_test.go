package incident

import (
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
)

// The table of the specification: every arrow that it draws is allowed, and
// nothing leaves an ended state.
func TestIncidentPaths(t *testing.T) {
	for _, path := range [][]State{
		{Open, Notified, Confirming, FalsePositive, Reported, Closed},
		{Open, Notified, Confirming, Assessing, Emergency, Mitigating, Verifying, Recovered, Reported, Closed},
		{Open, Notified, Confirming, Assessing, Diagnosing, Mitigating, Verifying, Mitigating, Verifying, Recovered},
	} {
		for i := 1; i < len(path); i++ {
			if err := path[i-1].To(path[i]); err != nil {
				t.Error(err)
			}
		}
	}
	for _, s := range States() {
		if Closed.To(s) == nil {
			t.Errorf("a closed incident went to %q", s)
		}
		if s != Closed && s.Ended() {
			t.Errorf("%q is a dead end", s)
		}
		if s.To(s) == nil {
			t.Errorf("%q follows itself", s)
		}
	}
	if Open.To(Mitigating) == nil || FalsePositive.To(Mitigating) == nil {
		t.Error("an alert was acted on without being confirmed")
	}
}

func TestRunPaths(t *testing.T) {
	for _, path := range [][]RunState{
		{RunMatched, RunQueued, RunClaimed, RunPrechecking, RunActing, RunActed, RunVerifying, RunSucceeded},
		{RunMatched, RunQueued, RunBlocked, RunQueued, RunClaimed, RunAwaitingApproval, RunApproved, RunClaimed},
		{RunVerifying, RunIneffective, RunPrechecking, RunActing, RunTimedOut, RunRollingBack, RunRolledBack, RunEscalated},
		{RunActing, RunInterrupted, RunVerifying, RunSucceeded},
		{RunAwaitingApproval, RunExpired}, {RunAwaitingApproval, RunDenied}, {RunMatched, RunSkipped},
	} {
		for i := 1; i < len(path); i++ {
			if err := path[i-1].To(path[i]); err != nil {
				t.Error(err)
			}
		}
	}
	// An action may begin only behind a precheck, never straight after a crash.
	for _, s := range RunStates() {
		if s != RunPrechecking && s.To(RunActing) == nil {
			t.Errorf("%q leads to an action without a precheck", s)
		}
	}
	for _, s := range []RunState{RunSkipped, RunDenied, RunExpired, RunCancelled, RunSucceeded, RunEscalated} {
		if !s.Ended() || s.Held() {
			t.Errorf("%q must be an end that nobody holds", s)
		}
	}
}

func TestPriorityOf(t *testing.T) {
	for severity, want := range map[string]Priority{
		"P1": P1, "critical": P1, "P2": P2, "warning": P2, "P3": P3, "info": P3, "P4": P4, "": P3, "none": P3,
	} {
		if got := PriorityOf(map[string]string{"severity": severity}); got != want {
			t.Errorf("severity %q: got %s, want %s", severity, got, want)
		}
	}
	if P1.AnswerWithin() != 5*time.Minute || P4.AnswerWithin() != 24*time.Hour {
		t.Error("a promise has changed")
	}
}

func TestCeilingIsTheMoreCareful(t *testing.T) {
	if ModeAuto.Ceiling(ModeDryRun) != ModeDryRun || ModeDryRun.Ceiling(ModeAuto) != ModeDryRun {
		t.Error("a ceiling raised a mode")
	}
}

func TestPagePassesOnlyTrueAndFalse(t *testing.T) {
	for _, v := range verdict.All() {
		p := Incident{Verdict: &v}.Page()
		wantNil := v != verdict.TruePositive && v != verdict.FalsePositive
		if (p.Verdict == nil) != wantNil {
			t.Errorf("%s became %v", v, p.Verdict)
		}
	}
}
