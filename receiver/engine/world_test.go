package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// world is what actions change and checks see.
type world struct {
	mu       sync.Mutex
	broken   bool
	helps    map[string]bool // by action: does it repair?
	blind    bool            // checks cannot be evaluated
	begun    map[string]int  // by run/step: how often Do was called
	during   func(ctx context.Context, r incident.Request) error
	requests []incident.Request
}

func newWorld() *world {
	return &world{broken: true, helps: map[string]bool{"restart": true}, begun: map[string]int{}}
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) total() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, k := range w.begun {
		n += k
	}
	return n
}

// Check answers "broken" and "works".
func (w *world) Check(_ context.Context, c incident.Check) (incident.Finding, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blind {
		return incident.Finding{}, errors.New("prometheus is down")
	}
	return incident.Finding{Holds: (c.Query == "broken") == w.broken}, nil
}

// deed is an action on the world.
type deed struct {
	w    *world
	name string
}

func (d deed) Name() string                                     { return d.name }
func (d deed) Precheck(context.Context, incident.Request) error { return nil }

func (d deed) Do(ctx context.Context, r incident.Request) (string, error) {
	d.w.mu.Lock()
	d.w.begun[fmt.Sprintf("%s/%d", r.Run, r.Step)]++
	d.w.requests = append(d.w.requests, r)
	during := d.w.during
	d.w.mu.Unlock()
	if during != nil {
		if err := during(ctx, r); err != nil {
			return "", err
		}
	}
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if d.w.helps[d.name] {
		d.w.broken = false
	}
	return "done", nil
}

// guardFunc is a guard made of a function.
type guardFunc func(incident.Intent) incident.Decision

func (guardFunc) Name() string { return "test" }
func (g guardFunc) Decide(_ context.Context, in incident.Intent) incident.Decision {
	return g(in)
}

var labels = map[string]string{"alertname": "Down", "severity": "P1", "service": "web", "evil": "-rf; $(x)"}

func verifyWorks() Verify {
	return Verify{Checks: []incident.Check{{Kind: incident.CheckPromQL, Query: "works"}}, Within: 10 * time.Second, Hold: 3 * time.Second}
}

// settingsFor is one remediation with one step that restarts.
func settingsFor(w *world) Settings {
	return Settings{
		ConfigHash: "c0ffee", Checker: w, Targets: []incident.Target{{Name: "web", Kind: "container"}},
		Actions: map[string]Action{"restart": deed{w, "restart"}, "redeploy": deed{w, "redeploy"}},
		Remediations: []Remediation{{
			Name: "restart-web", Match: func(l map[string]string) bool { return l["alertname"] == "Down" },
			Target: "{{ .Labels.service }}", Mode: incident.ModeAuto, Hold: 2 * time.Second,
			Confirm: []incident.Check{{Kind: incident.CheckPromQL, Query: "broken", For: 2 * time.Second}},
			Steps:   []Step{{Action: "restart", Verify: verifyWorks()}},
		}},
	}
}

// bench is a store with one engine on it at a time.
type bench struct {
	t     *testing.T
	w     *world
	store *memStore
	s     Settings
	n     int
}

func newBench(t *testing.T) *bench {
	w := newWorld()
	return &bench{t: t, w: w, store: newMemStore(), s: settingsFor(w)}
}

// start runs an engine until stop is called.
func (b *bench) start(store Store) (e *Engine, stop func()) {
	b.t.Helper()
	b.n++
	e, err := New(Options{Store: store, Settings: b.s, Owner: fmt.Sprintf("engine-%d", b.n)})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.Run(ctx)
	}()
	return e, func() { cancel(); <-done }
}

func (b *bench) fire() int64 { return b.store.receive(true, labels, time.Now()) }

// until waits, in virtual time, for a state of the first run.
func (b *bench) until(what string, ok func(r incident.Run, in incident.Incident) bool) {
	b.t.Helper()
	for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		r, in := b.look()
		if ok(r, in) {
			return
		}
	}
	r, in := b.look()
	b.t.Fatalf("waited for %s: run %s (%s), incident %s\nruns: %v\nincident: %v", what, r.State, r.Reason, in.State, b.store.passed(incident.EventRun), b.store.passed(incident.EventState))
}

func (b *bench) untilRun(s incident.RunState) {
	b.t.Helper()
	b.until(string(s), func(r incident.Run, _ incident.Incident) bool { return r.State == s })
}

func (b *bench) look() (incident.Run, incident.Incident) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	var r incident.Run
	if len(b.store.runs) > 0 {
		r = b.store.runs[0].Run
		r.Steps = slices.Clone(r.Steps) // the engine goes on writing its own
	}
	return r, b.store.incidents[0]
}
