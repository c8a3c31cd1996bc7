package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// fake is a Collector whose collection is a function.
type fake struct {
	up      Family
	collect func(context.Context) (float64, error)
	running atomic.Int32
	overlap atomic.Bool
	calls   atomic.Int32
	closed  atomic.Int32
}

func newFake(collect func(context.Context) (float64, error)) *fake {
	return &fake{up: NewNames(Naming{}).Gauge("thing_up", "Up."), collect: collect}
}

func (f *fake) Collect(ctx context.Context, b *Batch) error {
	if f.running.Add(1) > 1 {
		f.overlap.Store(true)
	}
	defer f.running.Add(-1)
	f.calls.Add(1)
	v, err := f.collect(ctx)
	if err == nil {
		b.Add(f.up, v)
	}
	return err
}
func (f *fake) Down(b *Batch) { b.Add(f.up, 0) }
func (f *fake) Close()        { f.closed.Add(1) }

// bench runs a set over one fake inside a synctest bubble.
func bench(t *testing.T, f *fake) (set *Set, all prometheus.Gatherer, stop func()) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	set = NewSet(Options{
		Sources: []Source{{Name: "thing", Target: "a", Interval: 10 * time.Second, Timeout: 5 * time.Second, Collector: f}},
		Metrics: NewMetrics(reg), Logger: slog.New(slog.DiscardHandler),
		Jitter: func(d time.Duration) time.Duration { return d },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = set.Run(ctx); close(done) }()
	served := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return Families(set.Snapshots(), nil), nil })
	return set, prometheus.Gatherers{reg, served}, func() { cancel(); <-done }
}

func expect(t *testing.T, reg prometheus.Gatherer, lines ...string) {
	t.Helper()
	got, err := testutil.GatherAndCount(reg, "thing_up")
	if err != nil {
		t.Fatal(err)
	}
	all := dump(t, reg)
	for _, line := range lines {
		if line == "no thing_up" {
			if got != 0 {
				t.Errorf("thing_up is served")
			}
		} else if !strings.Contains(all, line+"\n") {
			t.Errorf("%q is missing in:\n%s", line, all)
		}
	}
}

func dump(t *testing.T, reg prometheus.Gatherer) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		for _, m := range f.Metric {
			b.WriteString(f.GetName())
			for _, l := range m.Label {
				if l.GetName() == "cause" {
					b.WriteString("{" + l.GetValue() + "}")
				}
			}
			v := m.GetGauge().GetValue() + m.GetCounter().GetValue()
			fmt.Fprintf(&b, " %v\n", v)
		}
	}
	return b.String()
}

func TestASourceIsCollectedAtOnceAndThenOnItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(func(context.Context) (float64, error) { return 1, nil })
		set, reg, stop := bench(t, f)
		synctest.Wait()
		expect(t, reg, "thing_up 1", "upkeep_collector_success 1", "upkeep_collector_failures_total{timeout} 0")
		if s := set.Status()[0]; !s.Tried || !s.Success || s.LastSuccess.IsZero() {
			t.Errorf("status %+v", s)
		}
		time.Sleep(25 * time.Second)
		synctest.Wait()
		if n := f.calls.Load(); n != 3 {
			t.Errorf("%d collections in 25 s, want 3", n)
		}
		stop()
		if f.closed.Load() != 1 {
			t.Error("the collector was not closed once")
		}
	})
}

func TestAFailureServesDownAtOnceAndRecoveryReplacesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		f := newFake(func(context.Context) (float64, error) {
			if broken.Load() {
				return 0, Fail(Auth, errors.New("no"))
			}
			return 1, nil
		})
		set, reg, stop := bench(t, f)
		defer stop()
		synctest.Wait()
		last := set.Status()[0].LastSuccess
		broken.Store(true)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		expect(t, reg, "thing_up 0", "upkeep_collector_success 0", "upkeep_collector_failures_total{auth} 1")
		if s := set.Status()[0]; s.Cause != "auth" || !s.LastSuccess.Equal(last) {
			t.Errorf("status %+v", s)
		}
		broken.Store(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expect(t, reg, "thing_up 1", "upkeep_collector_success 1")
	})
}

func TestAStuckCollectorIsDownAndNeverRunsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := newFake(func(context.Context) (float64, error) { <-release; return 1, nil }) // deaf to its deadline
		_, reg, stop := bench(t, f)
		defer stop()
		synctest.Wait()
		expect(t, reg, "no thing_up")
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(t, reg, "thing_up 0", "upkeep_collector_failures_total{timeout} 1")
		if n := f.calls.Load(); n != 1 {
			t.Errorf("%d collections while the first is stuck", n)
		}
		close(release)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		expect(t, reg, "thing_up 1")
		if f.overlap.Load() {
			t.Error("two collections ran at the same time")
		}
	})
}

func TestOldSnapshotsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(func(context.Context) (float64, error) { return 1, nil })
		_, reg, stop := bench(t, f)
		synctest.Wait()
		stop() // nothing is collected any more, as if the machine had slept
		time.Sleep(34 * time.Second)
		expect(t, reg, "thing_up 1")
		time.Sleep(2 * time.Second)
		expect(t, reg, "thing_up 0")
	})
}

func TestAPanicAndADeadlineAreCauses(t *testing.T) {
	for name, tc := range map[string]struct {
		collect func(context.Context) (float64, error)
		want    string
	}{
		"panic":    {func(context.Context) (float64, error) { panic("ouch") }, "upkeep_collector_failures_total{panic} 1"},
		"deadline": {func(ctx context.Context) (float64, error) { <-ctx.Done(); return 0, ctx.Err() }, "upkeep_collector_failures_total{timeout} 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, reg, stop := bench(t, newFake(tc.collect))
				defer stop()
				time.Sleep(6 * time.Second)
				synctest.Wait()
				expect(t, reg, tc.want, "thing_up 0")
			})
		})
	}
}
