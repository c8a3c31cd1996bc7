package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// An engine dies at each of its writes in turn, just before and just after it
// is on disk; another takes over. No step of a run is begun twice, and every
// run comes to an end that is true.
func TestACrashAtEveryTransitionNeverRepeatsAnAction(t *testing.T) {
	for _, behind := range []bool{false, true} {
		for _, idempotent := range []bool{false, true} {
			crashes := 0
			for n := 1; ; n++ {
				died := false
				t.Run(fmt.Sprintf("write %d, on disk %t, idempotent %t", n, behind, idempotent), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { died = crashOnce(t, n, behind, idempotent) })
				})
				if t.Failed() || !died {
					break
				}
				crashes++
			}
			if crashes < 10 {
				t.Errorf("only %d writes were crashed at, the test does not reach the action", crashes)
			}
		}
	}
}

func crashOnce(t *testing.T, n int, behind, idempotent bool) (died bool) {
	b := newBench(t)
	b.w.helps = map[string]bool{"redeploy": true} // the second step: both are crossed
	steps := append(b.s.Remediations[0].Steps, Step{Action: "redeploy", Verify: verifyWorks()})
	for i := range steps {
		steps[i].Idempotent = idempotent
	}
	b.s.Remediations[0].Steps = steps

	dead := make(chan struct{})
	first := &dyingStore{memStore: b.store, dieAt: n, behind: behind, onDead: func() { close(dead) }}
	_, stop := b.start(first)
	b.fire()
	closed := func() bool { _, in := b.look(); return in.State == incident.Closed }
	ended := func() bool { r, _ := b.look(); return r.State.Ended() && r.ID != "" }
	resolved := false
	for !closed() {
		select {
		case <-dead:
			died = true
		default:
		}
		if died {
			break
		}
		if ended() && !resolved {
			resolved = true
			b.store.receive(false, labels, time.Now())
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	if !died {
		return false
	}
	_, stop = b.start(b.store)
	defer stop()
	b.until("the end of the run", func(r incident.Run, _ incident.Incident) bool { return r.State.Ended() && r.ID != "" })
	b.store.receive(false, labels, time.Now())
	b.until("closed", func(_ incident.Run, in incident.Incident) bool { return in.State == incident.Closed })

	for step, times := range b.w.begun {
		if times > 1 && !idempotent {
			t.Errorf("step %s was begun %d times", step, times)
		}
		if times > maxAttempts {
			t.Errorf("even an idempotent step is not begun %d times", times)
		}
	}
	r, _ := b.look()
	if idempotent && r.State != incident.RunSucceeded {
		t.Errorf("a run whose steps may be repeated ended as %s: %s", r.State, r.Reason)
	}
	if r.State == incident.RunSucceeded && b.w.broken {
		t.Error("it says succeeded and nothing works")
	}
	if r.State == incident.RunEscalated && !strings.Contains(r.Reason, "may or may not have run") {
		t.Errorf("escalated, since %q", r.Reason)
	}
	return true
}

// The process is killed while the action runs, and the action ends without it.
func TestAKillInTheMiddleOfAnActionIsInterruptedThenVerified(t *testing.T) {
	for name, tc := range map[string]struct {
		helps      bool
		idempotent bool
		want       incident.RunState
		begun      int
		passed     string
	}{
		"it had helped":                 {helps: true, want: incident.RunSucceeded, begun: 1, passed: "interrupted verifying succeeded"},
		"it had not helped":             {want: incident.RunEscalated, begun: 1, passed: "interrupted escalated"},
		"it had not, and is idempotent": {idempotent: true, want: incident.RunSucceeded, begun: 2, passed: "interrupted prechecking acting acted verifying succeeded"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.s.Remediations[0].Steps[0].Idempotent = tc.idempotent
				begun := make(chan struct{}, 1)
				b.w.during = func(ctx context.Context, _ incident.Request) error {
					begun <- struct{}{}
					if tc.helps {
						b.w.set(func() { b.w.broken = false })
					}
					<-ctx.Done()
					return ctx.Err()
				}
				dying := &dyingStore{memStore: b.store, onDead: func() {}}
				_, stop := b.start(dying)
				b.fire()
				<-begun
				dying.lock.Lock()
				dying.dead = true // killed: nothing it writes arrives
				dying.lock.Unlock()
				b.w.set(func() { b.w.during = nil })
				stop()
				_, stop = b.start(b.store)
				defer stop()
				b.untilRun(tc.want)
				if b.w.total() != tc.begun {
					t.Errorf("begun %d times, want %d", b.w.total(), tc.begun)
				}
				if got := strings.Join(b.store.passed(incident.EventRun), " "); !strings.HasSuffix(got, tc.passed) {
					t.Errorf("passed %s, want %s", got, tc.passed)
				}
			})
		})
	}
}

// A worker that was away for longer than its lease finds its run taken over:
// its action is stopped and no word of it arrives.
func TestATakenOverRunIsLeftAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stopped := make(chan time.Duration, 1)
		b.w.during = func(ctx context.Context, _ incident.Request) error {
			began := time.Now()
			b.store.mu.Lock()
			b.store.runs[0].fence++ // another worker has it
			b.store.runs[0].until = began.Add(time.Hour)
			b.store.mu.Unlock()
			<-ctx.Done()
			stopped <- time.Since(began)
			return nil // it says that it has done its work
		}
		e, stop := b.start(b.store)
		defer stop()
		b.fire()
		if took := <-stopped; took > e.Lease {
			t.Errorf("the action went on for %s without a lease", took)
		}
		synctest.Wait()
		if r, _ := b.look(); r.State != incident.RunActing {
			t.Errorf("a late word arrived: %s", r.State)
		}
		if b.store.refused != 0 {
			t.Error("a late word was tried")
		}
	})
}

// Told to stop, an engine lets an action end and writes what became of it; one
// that does not end in time is left for the next engine, at once.
func TestStoppingGivesAnActionTime(t *testing.T) {
	for name, tc := range map[string]struct {
		takes time.Duration
		state incident.RunState
	}{
		"in time":  {3 * time.Second, incident.RunVerifying},
		"too long": {time.Minute, incident.RunActing},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				begun := make(chan struct{}, 1)
				b.w.during = func(ctx context.Context, _ incident.Request) error {
					begun <- struct{}{}
					return sleep(ctx, tc.takes)
				}
				e, stop := b.start(b.store)
				b.fire()
				<-begun
				at := time.Now()
				stop()
				if took := time.Since(at); took > e.StopGrace+time.Second {
					t.Errorf("stopping took %s", took)
				}
				if r, _ := b.look(); r.State != tc.state {
					t.Errorf("the run is %s, want %s", r.State, tc.state)
				}
				claim, err := b.store.Claim(t.Context(), "next", time.Now(), time.Minute)
				if err != nil || claim == nil {
					t.Fatalf("the lease was not given back: %v, %v", claim, err)
				}
			})
		})
	}
}

// The store goes away while an action runs: the worker may no longer believe
// that the run is its own once the lease has ended.
func TestAWorkerWithoutItsStoreStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stopped := make(chan time.Duration, 1)
		dying := &dyingStore{memStore: b.store, onDead: func() {}}
		b.w.during = func(ctx context.Context, _ incident.Request) error {
			began := time.Now()
			dying.lock.Lock()
			dying.dead = true
			dying.lock.Unlock()
			<-ctx.Done()
			stopped <- time.Since(began)
			return ctx.Err()
		}
		e, stop := b.start(dying)
		defer stop()
		b.fire()
		if took := <-stopped; took > e.Lease {
			t.Errorf("the action went on for %s, longer than its lease", took)
		}
	})
}

func TestRoutesAreAllowedAndNeverLeadOutOfAnEnd(t *testing.T) {
	for _, from := range incident.States() {
		for _, to := range []incident.State{incident.Confirming, incident.Mitigating, incident.Verifying} {
			at := from
			for _, s := range route(from, to) {
				if err := at.To(s); err != nil {
					t.Error(err)
				}
				at = s
			}
			ended := slices.Contains([]incident.State{incident.FalsePositive, incident.Recovered, incident.Reported, incident.Closed}, from)
			if ended && at != from {
				t.Errorf("%s leads to %s", from, at)
			}
		}
	}
}
