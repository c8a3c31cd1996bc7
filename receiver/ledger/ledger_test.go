package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/internal/webhook"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// day is when the tests take place.
func day() time.Time { return time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC) }

func newLedger(t *testing.T) (*Ledger, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receiver.db")
	return reopen(t, path), path
}

func reopen(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Shutdown() })
	return l
}

func firing(name string, at time.Time) incident.Alert {
	labels := map[string]string{"alertname": name, "severity": "P1"}
	return incident.Alert{Fingerprint: webhook.Fingerprint(labels), Firing: true, Labels: labels, StartsAt: at, ReceivedAt: at}
}

func resolved(name string, from, to time.Time) incident.Alert {
	a := firing(name, from)
	a.Firing, a.EndsAt, a.ReceivedAt = false, to, to
	return a
}

func accept(t *testing.T, l *Ledger, alerts ...incident.Alert) {
	t.Helper()
	if err := l.Accept(t.Context(), alerts); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, l *Ledger) []incident.Incident {
	t.Helper()
	got, err := l.List(t.Context(), incident.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// queue gives an incident one run that waits to be claimed.
func queue(t *testing.T, l *Ledger, id int64, run string) {
	t.Helper()
	runs := []incident.Run{{ID: run, Remediation: "restart", Target: "web", Mode: incident.ModeAuto, State: incident.RunQueued}}
	if err := l.Plan(t.Context(), id, runs, nil, day()); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, l *Ledger, owner string, now time.Time) *incident.Claim {
	t.Helper()
	c, err := l.Claim(t.Context(), owner, now, 15*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestManyCopiesMakeOneIncidentAndOneRun(t *testing.T) {
	l, _ := newLedger(t)
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			if err := l.Accept(context.WithoutCancel(t.Context()), []incident.Alert{firing("Down", day())}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := list(t, l)
	if len(got) != 1 || got[0].Deliveries != 24 || got[0].Priority != incident.P1 || !got[0].AnswerBy.Equal(day().Add(5*time.Minute)) {
		t.Fatalf("got %+v", got)
	}
	queue(t, l, got[0].ID, "r1")
	queue(t, l, got[0].ID, "r2")
	d, err := l.Detail(t.Context(), got[0].ID)
	if err != nil || len(d.Runs) != 1 || d.Runs[0].ID != "r1" || d.Incident.State != incident.Notified {
		t.Fatalf("got %+v, %v", d, err)
	}
}

func TestLevelsOfAnAlert(t *testing.T) {
	l, _ := newLedger(t)
	at := func(s int) time.Time { return day().Add(time.Duration(s) * time.Second) }
	accept(t, l, firing("Down", at(0)))
	accept(t, l, resolved("Down", at(0), at(60)))
	late := firing("Down", at(3)) // the other Prometheus' copy, delivered by the other Alertmanager
	late.ReceivedAt = at(75)
	accept(t, l, late)
	if in := list(t, l)[0]; in.Firing || in.Deliveries != 3 || !in.EndsAt.Equal(at(60)) {
		t.Fatalf("a late copy changed it: %+v", in)
	}
	accept(t, l, firing("Down", at(80)))
	if got := list(t, l); len(got) != 1 || !got[0].Firing || got[0].Reopened != 1 || !got[0].EndsAt.IsZero() || !got[0].StartsAt.Equal(at(80)) {
		t.Fatalf("it did not fire again: %+v", got)
	}
	id := list(t, l)[0].ID
	if err := l.Close(t.Context(), id, "ann", at(90)); err != nil {
		t.Fatal(err)
	}
	again := firing("Down", at(80))
	again.ReceivedAt = at(3600)
	accept(t, l, again)
	if got := list(t, l); len(got) != 1 {
		t.Fatalf("the same firing opened another incident after it was closed: %+v", got)
	}
	accept(t, l, resolved("Down", at(80), at(3700)))
	if in := list(t, l)[0]; in.Firing || !in.EndsAt.Equal(at(3700)) {
		t.Fatalf("the end of a closed incident is not known: %+v", in)
	}
	accept(t, l, firing("Down", at(4000)), resolved("Never", at(0), at(1)))
	if got := list(t, l); len(got) != 2 || got[0].State != incident.Open {
		t.Fatalf("a new firing must open an incident, a resolved one none: %+v", got)
	}
}

func TestARunIsHeldByOneAndAnOldHolderIsFencedOff(t *testing.T) {
	l, _ := newLedger(t)
	accept(t, l, firing("Down", day()))
	queue(t, l, 1, "r1")
	first := claim(t, l, "a", day())
	if first == nil || first.Run.State != incident.RunClaimed {
		t.Fatalf("got %+v", first)
	}
	if c := claim(t, l, "b", day().Add(10*time.Second)); c != nil {
		t.Fatalf("a held run was given away: %+v", c)
	}
	step := incident.Step{Run: "r1", Attempt: 1, Action: "exec", Target: "web", State: incident.RunActing, StartedAt: day()}
	change := incident.Change{At: day(), Incident: 1, Run: "r1", Fence: first.Fence, RunTo: []incident.RunState{incident.RunPrechecking, incident.RunActing}, Step: &step}
	if err := l.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	second := claim(t, l, "b", day().Add(20*time.Second))
	if second == nil || second.Run.State != incident.RunInterrupted || len(second.Run.Steps) != 1 || second.Run.Steps[0].State != incident.RunInterrupted {
		t.Fatalf("a run whose holder is gone in the middle of an action must be interrupted: %+v", second)
	}
	for name, err := range map[string]error{
		"write":  l.Apply(t.Context(), incident.Change{At: day(), Incident: 1, Run: "r1", Fence: first.Fence, RunTo: []incident.RunState{incident.RunActed}}),
		"extend": l.Extend(t.Context(), "r1", first.Fence, day().Add(time.Hour)),
	} {
		if !errors.Is(err, incident.ErrFenced) {
			t.Errorf("the late %s of the old holder: %v", name, err)
		}
	}
}

func TestARefusedChangeWritesNothing(t *testing.T) {
	l, _ := newLedger(t)
	accept(t, l, firing("Down", day()))
	queue(t, l, 1, "r1")
	c := claim(t, l, "a", day())
	before, err := l.Detail(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[error]incident.Change{
		incident.ErrTransition: {RunTo: []incident.RunState{incident.RunActing}, IncidentTo: []incident.State{incident.Confirming}},
		incident.ErrBudget: {
			RunTo: []incident.RunState{incident.RunPrechecking, incident.RunActing}, Budget: []incident.Budget{{Scope: "all", Max: 0, Per: time.Hour}},
			IncidentTo: []incident.State{incident.Confirming}, Escalation: "L3",
		},
	} {
		change.At, change.Incident, change.Run, change.Fence = day(), 1, "r1", c.Fence
		if err := l.Apply(t.Context(), change); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	after, err := l.Detail(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	if _, err := l.VerifyChain(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBudgetsCountStepsWithinTheirTime(t *testing.T) {
	l, _ := newLedger(t)
	budget := []incident.Budget{{Scope: "target", Key: "web", Max: 2, Per: time.Hour}, {Scope: "all", Max: 1}}
	for i := range 4 {
		at := day().Add(time.Duration(i) * 20 * time.Minute)
		accept(t, l, firing(fmt.Sprint("Down", i), at))
		queue(t, l, int64(i+1), fmt.Sprint("r", i))
		c := claim(t, l, "a", at) // in the last turn the one that was refused before
		run := c.Run.ID
		step := incident.Step{Run: run, Attempt: 1, Action: "exec", Target: "web", State: incident.RunActing, StartedAt: at}
		err := l.Apply(t.Context(), incident.Change{
			At: at, Incident: c.Incident.ID, Run: run, Fence: c.Fence, RunTo: []incident.RunState{incident.RunPrechecking, incident.RunActing}, Step: &step, Budget: budget,
		})
		if i == 2 { // the third within the hour
			if !errors.Is(err, incident.ErrBudget) {
				t.Fatalf("got %v, want the budget to be spent", err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		step.State = incident.RunActed
		if err := l.Apply(t.Context(), incident.Change{At: at, Incident: c.Incident.ID, Run: run, Fence: c.Fence, RunTo: []incident.RunState{incident.RunActed, incident.RunVerifying, incident.RunSucceeded}, Step: &step}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHumanVerdictOverridesEveryOther(t *testing.T) {
	l, _ := newLedger(t)
	accept(t, l, firing("Down", day()))
	for _, j := range []incident.Judgement{
		{Verdict: verdict.TruePositive, Source: incident.SourceVerify}, {Verdict: verdict.FalsePositive, Source: incident.SourceHuman, By: "ann"},
		{Verdict: verdict.TruePositive, Source: incident.SourceConfirm},
	} {
		j.Incident, j.At = 1, day()
		if err := l.Judge(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	in, err := l.Incident(t.Context(), 1)
	if err != nil || in.Verdict == nil || *in.Verdict != verdict.FalsePositive || in.VerdictFrom != incident.SourceHuman {
		t.Fatalf("got %+v, %v", in, err)
	}
	if err := l.Judge(t.Context(), incident.Judgement{Incident: 99, Verdict: verdict.Benign, At: day()}); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	l, path := newLedger(t)
	accept(t, l, firing("Down", day()), resolved("Down", day(), day().Add(time.Minute)))
	if err := l.SetPaused(t.Context(), true, "ann", day()); err != nil {
		t.Fatal(err)
	}
	before, err := l.Detail(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Shutdown(); err != nil {
		t.Fatal(err)
	}
	if err := l.Accept(t.Context(), []incident.Alert{firing("Late", day())}); !errors.Is(err, incident.ErrDown) {
		t.Errorf("a closed ledger said %v", err)
	}
	l = reopen(t, path)
	after, err := l.Detail(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	if paused, err := l.Paused(t.Context()); err != nil || !paused {
		t.Errorf("the kill switch is gone: %v, %v", paused, err)
	}
}

func TestTheRecordShowsEveryChangeOfIt(t *testing.T) {
	l, path := newLedger(t)
	hostile := firing("Down", day())
	hostile.Labels["note"] = "a\xffb\x00c <script>"
	accept(t, l, hostile, resolved("Down", day(), day().Add(time.Minute)))
	if err := l.SetPaused(t.Context(), true, "ann\xff", day()); err != nil {
		t.Fatal(err)
	}
	if n, err := l.VerifyChain(t.Context()); err != nil || n != 3 {
		t.Fatalf("an untouched record: %d events, %v", n, err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE events SET text = 'nothing happened' WHERE seq = 2"); err == nil {
		t.Error("an event was changed in spite of the trigger")
	}
	if _, err := db.Exec("DROP TRIGGER events_no_update; UPDATE events SET text = 'nothing happened' WHERE seq = 2"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.VerifyChain(t.Context()); err == nil || err.Error() != "event 2 is not what was written: the record was changed" {
		t.Errorf("got %v", err)
	}
}

func TestAFullDiskIsSaidAndRecoveredFrom(t *testing.T) {
	l, _ := newLedger(t)
	accept(t, l, firing("Down", day()))
	limit(t, l, "PRAGMA max_page_count = 1") // SQLite takes the present size as the least
	var err error
	for i := 0; i < 500 && err == nil; i++ {
		err = l.Accept(t.Context(), []incident.Alert{firing(fmt.Sprint("Down", i), day())})
	}
	if !errors.Is(err, incident.ErrDown) {
		t.Fatalf("got %v, want the store to be down", err)
	}
	limit(t, l, "PRAGMA max_page_count = 1000000")
	accept(t, l, firing("Recovered", day()))
	if _, err := l.VerifyChain(t.Context()); err != nil {
		t.Error(err)
	}
}

// limit runs a pragma on the writer's own connection.
func limit(t *testing.T, l *Ledger, pragma string) {
	t.Helper()
	if err := l.update(t.Context(), "limiting", func(tx *tx) error {
		var n int64
		return tx.row(pragma).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestATimeOfNoUseWaitsForNobody(t *testing.T) {
	l, _ := newLedger(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Accept(ctx, []incident.Alert{firing("Down", day())}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := list(t, l); len(got) != 0 {
		t.Errorf("a write that was refused has happened: %+v", got)
	}
}
