package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// act begins and ends one step of a run of its own.
func act(t *testing.T, l *Ledger, remediation, target string, at time.Time, budget ...incident.Budget) error {
	t.Helper()
	name := remediation + "/" + target + "/" + at.Format(time.RFC3339)
	accept(t, l, firing(name, at))
	id := list(t, l)[0].ID
	run := incident.Run{ID: name, Remediation: remediation, Target: target, Mode: incident.ModeAuto, State: incident.RunQueued}
	if err := l.Plan(t.Context(), id, []incident.Run{run}, nil, at); err != nil {
		t.Fatal(err)
	}
	c := claim(t, l, "a", at)
	if c.Run.ID != name {
		t.Fatalf("claimed %s, want %s", c.Run.ID, name)
	}
	step := incident.Step{Run: name, Attempt: 1, Action: "exec", Target: target, State: incident.RunActing, StartedAt: at}
	begun := l.Apply(t.Context(), incident.Change{
		At: at, Incident: id, Run: name, Fence: c.Fence, RunTo: []incident.RunState{incident.RunPrechecking, incident.RunActing}, Step: &step, Budget: budget,
	})
	to := []incident.RunState{incident.RunActed, incident.RunVerifying, incident.RunSucceeded}
	if begun != nil {
		to = []incident.RunState{incident.RunSkipped} // so that nobody claims it again
	}
	step.State = incident.RunActed
	end := incident.Change{At: at, Incident: id, Run: name, Fence: c.Fence, RunTo: to}
	if begun == nil {
		end.Step = &step
	}
	if err := l.Apply(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	return begun
}

// A budget tells whose steps it counts, and when there is room again.
func TestASpentBudgetSaysWhenThereIsRoomAgain(t *testing.T) {
	at := func(m int) time.Time { return day().Add(time.Duration(m) * time.Minute) }
	cooldown := incident.Budget{Scope: "target", Key: "web", Remediation: "restart", Max: 1, Per: 15 * time.Minute}
	for _, test := range []struct {
		name   string
		budget incident.Budget
		before []time.Time // of "restart" on web
		other  bool        // they were of another remediation
		now    time.Time
		used   int       // 0 means that there is room
		free   time.Time // when the budget has room
	}{
		{name: "cooldown", budget: cooldown, before: []time.Time{at(0)}, now: at(14), used: 1, free: at(15)},
		{name: "cooldown over to the second", budget: cooldown, before: []time.Time{at(0)}, now: at(15)},
		{name: "cooldown of another remediation", budget: cooldown, before: []time.Time{at(0)}, other: true, now: at(1)},
		{name: "the target's budget counts all", budget: incident.Budget{Scope: "target", Key: "web", Max: 1, Per: time.Hour}, before: []time.Time{at(0)}, other: true, now: at(1), used: 1, free: at(60)},
		{name: "another target", budget: incident.Budget{Scope: "target", Key: "db", Max: 1, Per: time.Hour}, before: []time.Time{at(0)}, now: at(1)},
		{name: "by remediation", budget: incident.Budget{Scope: "remediation", Key: "restart", Max: 2, Per: time.Hour}, before: []time.Time{at(0), at(10)}, now: at(20), used: 2, free: at(60)},
		// More than the limit allows have begun, as after it was lowered.
		{name: "the limit was lowered", budget: incident.Budget{Scope: "all", Max: 2, Per: time.Hour}, before: []time.Time{at(0), at(10), at(20)}, now: at(30), used: 3, free: at(70)},
		{name: "slots are free", budget: incident.Budget{Scope: "all", Max: 1}, before: []time.Time{at(0)}, now: at(1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, _ := newLedger(t)
			remediation := "restart"
			if test.other {
				remediation = "reload"
			}
			for _, began := range test.before {
				if err := act(t, l, remediation, "web", began); err != nil {
					t.Fatal(err)
				}
			}
			err := act(t, l, "restart", "web", test.now, test.budget)
			if test.used == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var spent *incident.BudgetError
			if !errors.As(err, &spent) || !errors.Is(err, incident.ErrBudget) || errors.Is(err, incident.ErrDown) {
				t.Fatalf("got %v, want a spent budget", err)
			}
			if spent.Used != test.used || !spent.FreeAt.Equal(test.free) || spent.Budget != test.budget {
				t.Errorf("got %+v, want %d used and room at %s", spent, test.used, test.free)
			}
			if err := act(t, l, "restart", "web", test.free, test.budget); err != nil {
				t.Errorf("at that time there is none: %v", err)
			}
		})
	}
}

// Two runs at the same moment cannot both take the last slot.
func TestASlotIsTakenByOne(t *testing.T) {
	l, _ := newLedger(t)
	one := []incident.Budget{{Scope: "target", Key: "web", Max: 1}}
	var claims []*incident.Claim
	for _, name := range []string{"r1", "r2"} {
		accept(t, l, firing(name, day()))
		queue(t, l, list(t, l)[0].ID, name)
		claims = append(claims, claim(t, l, name, day()))
	}
	results := make(chan error)
	for _, c := range claims {
		go func() {
			step := incident.Step{Run: c.Run.ID, Attempt: 1, Action: "exec", Target: "web", State: incident.RunActing, StartedAt: day()}
			results <- l.Apply(t.Context(), incident.Change{
				At: day(), Incident: c.Incident.ID, Run: c.Run.ID, Fence: c.Fence, RunTo: []incident.RunState{incident.RunPrechecking, incident.RunActing}, Step: &step, Budget: one,
			})
		}()
	}
	first, second := <-results, <-results
	if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), incident.ErrBudget) {
		t.Errorf("got %v and %v, want one to begin and one to be refused", first, second)
	}
}
