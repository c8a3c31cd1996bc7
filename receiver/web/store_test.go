package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// fakeStore holds what it is given, notes what it is asked to do, and fails
// with err when that is set: no real ledger is down, or cut off, to order.
type fakeStore struct {
	details []incident.Detail
	paused  bool
	err     error
	cut     bool // the history ends with err behind its first line
	did     []string
	filter  incident.Filter
	judged  incident.Judgement
}

func (f *fakeStore) List(_ context.Context, filter incident.Filter) ([]incident.Incident, error) {
	f.filter = filter
	var out []incident.Incident
	for _, d := range f.details {
		if !filter.OpenOnly || !d.Incident.State.Ended() {
			out = append(out, d.Incident)
		}
	}
	return out, f.err
}

func (f *fakeStore) Detail(_ context.Context, id int64) (incident.Detail, error) {
	for _, d := range f.details {
		if d.Incident.ID == id {
			return d, f.err
		}
	}
	return incident.Detail{}, fmt.Errorf("incident %d: %w", id, incident.ErrNotFound)
}

func (f *fakeStore) do(format string, args ...any) error {
	f.did = append(f.did, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeStore) Acknowledge(_ context.Context, id int64, by string, _ time.Time) error {
	return f.do("ack %d by %s", id, by)
}

func (f *fakeStore) Close(_ context.Context, id int64, by string, _ time.Time) error {
	return f.do("close %d by %s", id, by)
}

func (f *fakeStore) Judge(_ context.Context, j incident.Judgement) error {
	f.judged = j
	return f.do("judge %d %s by %s: %s", j.Incident, j.Verdict, j.By, j.Note)
}

func (f *fakeStore) Approve(_ context.Context, run, by string, _ time.Time) error {
	return f.do("approve %s by %s", run, by)
}

func (f *fakeStore) Deny(_ context.Context, run, by string, _ time.Time) error {
	return f.do("deny %s by %s", run, by)
}

func (f *fakeStore) SetPaused(_ context.Context, paused bool, by string, _ time.Time) error {
	return f.do("paused %v by %s", paused, by)
}

func (f *fakeStore) Paused(context.Context) (bool, error) { return f.paused, f.err }

func (f *fakeStore) History(_ context.Context, since time.Time, name string, yield func(incident.Incident) error) error {
	f.filter = incident.Filter{Since: since, Alertname: name}
	for _, d := range f.details {
		if f.err != nil && !f.cut {
			return f.err
		}
		if err := yield(d.Incident); err != nil {
			return err
		}
	}
	return f.err
}

var now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// story is an incident that a run was tried on, one that waits for approval,
// and one that is over; text is put wherever text of others can come from.
func story(text string) []incident.Detail {
	real := verdict.TruePositive
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	base := incident.Incident{
		ID: 3, Fingerprint: "abc", Alertname: text, Labels: map[string]string{"alertname": text, "instance": "db-1:9100"},
		Annotations: map[string]string{"summary": text, "runbook_url": "https://runbooks.example/db", "evil": "javascript:alert(1)"},
		Priority:    incident.P1, State: incident.Diagnosing, Firing: true, StartsAt: at(-4), OpenedAt: at(-3), AnswerBy: at(2), LastSeenAt: at(-3), Deliveries: 2,
	}
	waits, over := base, base
	waits.ID, waits.Priority, waits.State, waits.Annotations = 2, incident.P2, incident.Mitigating, nil
	waits.AcknowledgedAt, waits.AcknowledgedBy = at(-1), text
	over.ID, over.State, over.Firing, over.EndsAt, over.RecoveredAt, over.ClosedAt = 1, incident.Closed, false, at(-1), at(-1), now
	over.Verdict, over.VerdictFrom = &real, incident.SourceVerify
	run := incident.Run{
		ID: "0123456789abcdef0123456789abcdef", Incident: 3, Remediation: "restart-" + text, Target: "db-1", Mode: incident.ModeAuto,
		State: incident.RunEscalated, Reason: text, CreatedAt: at(-3), UpdatedAt: at(-2),
		Steps: []incident.Step{{
			Action: "docker.restart", Target: "db-1", Attempt: 1, State: incident.RunIneffective, StartedAt: at(-3), FinishedAt: at(-2), Output: text + "\nline two", Error: text,
		}},
	}
	asks := run
	asks.ID, asks.Incident, asks.State, asks.Steps, asks.Reason = "fedcba9876543210fedcba9876543210", 2, incident.RunAwaitingApproval, nil, "the mode is approve"
	events := []incident.Event{
		{Seq: 1, At: at(-3), Kind: incident.EventOpened, To: "open", Actor: "alertmanager", Text: text},
		{Seq: 2, At: at(-3), Kind: incident.EventCheck, Actor: "upkeep", Text: "confirm: up == 0 holds"},
		{Seq: 3, At: at(-2), Kind: incident.EventState, From: "open", To: "notified", Actor: "upkeep"},
	}
	return []incident.Detail{
		{Incident: base, Events: events, Runs: []incident.Run{run}, Judgements: []incident.Judgement{{Incident: 3, Verdict: real, Source: incident.SourceConfirm, By: "upkeep", Note: text, At: now}}},
		{Incident: waits, Events: events, Runs: []incident.Run{asks}},
		{Incident: over, Events: events},
	}
}

// serve answers one request by the routes over store and counts the wakes.
func serve(t *testing.T, store *fakeStore, req *http.Request) (*httptest.ResponseRecorder, int) {
	t.Helper()
	woken := 0
	s, err := New(Options{
		Store: store, Now: func() time.Time { return now }, Wake: func() { woken++ },
		Reports: Reports{
			Markdown: func(d incident.Detail) []byte { return fmt.Appendf(nil, "# %d", d.Incident.ID) },
			JSON:     func(d incident.Detail) ([]byte, error) { return fmt.Appendf(nil, `{"id":%d}`, d.Incident.ID), nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	return w, woken
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

func post(path, kind, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r
}
