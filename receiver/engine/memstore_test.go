package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// memStore is a Store in memory. It keeps the contract of store.go to the
// letter, both state machines, fence and budgets among it, so that the tests
// can crash engines at every one of its writes, which no real store allows.
type memStore struct {
	mu        sync.Mutex
	incidents []incident.Incident
	planned   map[int64]bool
	runs      []*memRun
	events    []incident.Event
	judged    []incident.Judgement
	spent     []memSpent
	paused    bool
	refused   int // changes of workers that no longer hold their run
}

type memRun struct {
	incident.Run
	owner string
	fence int64
	until time.Time
}

type memSpent struct {
	scope, key, run string
	at              time.Time
}

func newMemStore() *memStore { return &memStore{planned: map[int64]bool{}} }

// receive is what the intake does with one delivery.
func (s *memStore) receive(firing bool, labels map[string]string, at time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.incidents {
		in := &s.incidents[i]
		if in.State == incident.Closed || in.Labels["alertname"] != labels["alertname"] {
			continue
		}
		in.Firing, in.LastSeenAt = firing, at
		in.Deliveries++
		return in.ID
	}
	s.incidents = append(s.incidents, incident.Incident{
		ID: int64(len(s.incidents) + 1), Alertname: labels["alertname"], Labels: labels, Priority: incident.PriorityOf(labels),
		State: incident.Open, Firing: firing, StartsAt: at, OpenedAt: at, LastSeenAt: at, Deliveries: 1,
	})
	return int64(len(s.incidents))
}

func (s *memStore) Unplanned(_ context.Context, limit int) ([]incident.Incident, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []incident.Incident
	for _, in := range s.incidents {
		if !s.planned[in.ID] && len(out) < limit {
			out = append(out, in)
		}
	}
	return out, nil
}

func (s *memStore) Plan(_ context.Context, id int64, runs []incident.Run, events []incident.Event, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planned[id] = true
	for _, r := range runs {
		if !slices.ContainsFunc(s.runs, func(have *memRun) bool { return have.Incident == id && have.Remediation == r.Remediation }) {
			s.runs = append(s.runs, &memRun{Run: r})
		}
	}
	in := s.incident(id)
	if in.State == incident.Open {
		s.events = append(s.events, incident.Event{Incident: id, At: at, Kind: incident.EventState, From: string(in.State), To: string(incident.Notified)})
		in.State = incident.Notified
	}
	for _, e := range events {
		e.Incident = id
		s.events = append(s.events, e)
	}
	return nil
}

func (s *memStore) Claim(_ context.Context, owner string, now time.Time, lease time.Duration) (*incident.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		free := !r.until.After(now)
		switch {
		case r.State == incident.RunQueued, r.State == incident.RunApproved:
			s.moveRun(r, now, incident.RunClaimed)
		case r.State == incident.RunBlocked && free && !r.RetryAt.After(now):
		case r.State.Held() && free:
			if r.State == incident.RunActing || r.State == incident.RunRollingBack {
				s.moveRun(r, now, incident.RunInterrupted)
				r.Steps[len(r.Steps)-1].State = incident.RunInterrupted
			}
		default:
			continue
		}
		r.owner, r.until = owner, now.Add(lease)
		r.fence++
		claim := incident.Claim{Run: r.Run, Incident: *s.incident(r.Incident), Fence: r.fence}
		claim.Run.Steps = slices.Clone(r.Steps)
		return &claim, nil
	}
	return nil, nil
}

func (s *memStore) Extend(_ context.Context, run string, fence int64, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.run(run)
	if r.fence != fence {
		return incident.ErrFenced
	}
	r.until = until
	return nil
}

func (s *memStore) Apply(_ context.Context, c incident.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.incident(c.Incident)
	if in == nil {
		return incident.ErrNotFound
	}
	at := in.State
	for _, to := range c.IncidentTo {
		if err := at.To(to); err != nil {
			return fmt.Errorf("%w: %w", incident.ErrTransition, err)
		}
		at = to
	}
	r := s.run(c.Run)
	if r != nil {
		if c.Fence != 0 && c.Fence != r.fence {
			s.refused++
			return incident.ErrFenced
		}
		was := r.State
		for _, to := range c.RunTo {
			if err := was.To(to); err != nil {
				return fmt.Errorf("%w: %w", incident.ErrTransition, err)
			}
			was = to
		}
		if err := s.spend(c); err != nil {
			return err
		}
		if c.Step != nil {
			i := slices.IndexFunc(r.Steps, func(have incident.Step) bool {
				return have.Index == c.Step.Index && have.Attempt == c.Step.Attempt
			})
			if i < 0 {
				r.Steps = append(r.Steps, *c.Step)
			} else {
				r.Steps[i] = *c.Step
			}
		}
		for _, to := range c.RunTo {
			s.moveRun(r, c.At, to)
			r.Reason = c.Reason
			if to == incident.RunApproved {
				r.ApprovedBy = c.Actor
			}
		}
		r.RetryAt, r.Step = c.RetryAt, c.StepNo
		if !r.State.Held() {
			r.until = time.Time{}
		}
	}
	for _, to := range c.IncidentTo {
		s.events = append(s.events, incident.Event{Incident: in.ID, At: c.At, Kind: incident.EventState, From: string(in.State), To: string(to)})
		in.State = to
	}
	if c.Escalation != "" {
		in.Escalation = c.Escalation
	}
	if c.Judgement != nil {
		s.judged = append(s.judged, *c.Judgement)
	}
	for _, e := range c.Events {
		e.Incident, e.Run = in.ID, c.Run
		s.events = append(s.events, e)
	}
	return nil
}

func (s *memStore) spend(c incident.Change) error {
	for _, b := range c.Budget {
		n, free := 0, time.Time{}
		for _, have := range s.spent {
			if have.scope != b.Scope || have.key != b.Key {
				continue
			}
			if r := s.run(have.run); b.Per == 0 && r.State != incident.RunActing {
				continue
			}
			if b.Per > 0 && c.At.Sub(have.at) >= b.Per {
				continue
			}
			n++
			if b.Per > 0 && free.IsZero() {
				free = have.at.Add(b.Per)
			}
		}
		if n >= b.Max {
			return fmt.Errorf("beginning: %w", &incident.BudgetError{Budget: b, Used: n, FreeAt: free})
		}
	}
	for _, b := range c.Budget {
		s.spent = append(s.spent, memSpent{b.Scope, b.Key, c.Run, c.At})
	}
	return nil
}

func (s *memStore) Incident(_ context.Context, id int64) (incident.Incident, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.incident(id); in != nil {
		return *in, nil
	}
	return incident.Incident{}, incident.ErrNotFound
}

func (s *memStore) Resolved(_ context.Context, limit int) ([]incident.Incident, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []incident.Incident
	for _, in := range s.incidents {
		busy := slices.ContainsFunc(s.runs, func(r *memRun) bool { return r.Incident == in.ID && !r.State.Ended() })
		if s.planned[in.ID] && !in.Firing && !busy && in.State != incident.Closed && len(out) < limit {
			out = append(out, in)
		}
	}
	return out, nil
}

func (s *memStore) Paused(context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused, nil
}

func (s *memStore) incident(id int64) *incident.Incident {
	for i := range s.incidents {
		if s.incidents[i].ID == id {
			return &s.incidents[i]
		}
	}
	return nil
}

func (s *memStore) run(id string) *memRun {
	for _, r := range s.runs {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func (s *memStore) moveRun(r *memRun, at time.Time, to incident.RunState) {
	s.events = append(s.events, incident.Event{Incident: r.Incident, Run: r.ID, At: at, Kind: incident.EventRun, From: string(r.State), To: string(to)})
	r.State = to
}

// passed lists the states that went by, of runs or of incidents.
func (s *memStore) passed(kind string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		if e.Kind == kind {
			out = append(out, e.To)
		}
	}
	return out
}

// texts lists what events of a kind say.
func (s *memStore) texts(kind string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		if e.Kind == kind {
			out = append(out, e.Text)
		}
	}
	return out
}

// dyingStore is a memStore that is cut off from its engine at the nth write,
// before or after that write is on disk: to the engine it is a crash, since
// nothing it does from then on is ever seen.
type dyingStore struct {
	*memStore
	dieAt  int
	behind bool // the write that kills is on disk
	onDead func()

	lock   sync.Mutex
	writes int
	dead   bool
}

func (s *dyingStore) write(do func() error) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.dead {
		return incident.ErrDown
	}
	s.writes++
	if s.writes != s.dieAt {
		return do()
	}
	if s.behind {
		_ = do()
	}
	s.dead = true
	s.onDead()
	return incident.ErrDown
}

func (s *dyingStore) Plan(ctx context.Context, id int64, runs []incident.Run, events []incident.Event, at time.Time) error {
	return s.write(func() error { return s.memStore.Plan(ctx, id, runs, events, at) })
}

func (s *dyingStore) Claim(ctx context.Context, owner string, now time.Time, lease time.Duration) (claim *incident.Claim, err error) {
	s.lock.Lock()
	dead := s.dead
	s.lock.Unlock()
	if dead {
		return nil, incident.ErrDown
	}
	if claim, err = s.memStore.Claim(ctx, owner, now, lease); claim == nil || err != nil {
		return claim, err
	}
	// A claim that nobody hears of is a write like any other.
	if err := s.write(func() error { return nil }); err != nil {
		return nil, err
	}
	return claim, nil
}

func (s *dyingStore) Extend(ctx context.Context, run string, fence int64, until time.Time) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.dead {
		return incident.ErrDown
	}
	return s.memStore.Extend(ctx, run, fence, until)
}

func (s *dyingStore) Apply(ctx context.Context, c incident.Change) error {
	return s.write(func() error { return s.memStore.Apply(ctx, c) })
}
