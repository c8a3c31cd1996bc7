package incident

import (
	"errors"
	"time"
)

// Change is everything that one decision writes, in one transaction: all of it
// is on disk when the store returns, or none of it. The store checks both
// state machines and the fence before it writes, appends one event for every
// state that moved (kind EventState or EventRun, with From and To), then the
// Events given.
type Change struct {
	At    time.Time
	Actor string // "" means "upkeep"

	Incident   int64   // required
	IncidentTo []State // states to pass through, in order; empty leaves it
	Escalation string  // L1, L2, L3; empty leaves it
	Value      *float64

	Run     string     // empty when no run is concerned
	Fence   int64      // what Claim returned; 0 when the run is not held (approve, deny)
	RunTo   []RunState // states to pass through, in order; empty leaves it
	Reason  string     // kept on the run with its last state
	RetryAt time.Time  // kept with RunBlocked
	StepNo  int        // the run's current step
	Step    *Step      // inserted, or updated where (Run, Index, Attempt) exists
	Budget  []Budget   // checked and spent with RunActing, else refused as ErrBudget

	Judgement *Judgement
	Events    []Event // Incident, Run, At and Actor are filled in where empty
}

// Budget is a limit that is checked and spent in the transaction of a Change
// that enters RunActing: at most Max steps begun within Per, counted by scope.
// Slots (Max runs acting at once) have Per 0.
type Budget struct {
	Scope string // "target", "remediation", "all"
	Key   string // the target's or remediation's name; empty for "all"
	// Only steps of this remediation count; empty for any. With the scope
	// "target" it makes a cooldown: one step of a remediation on a target.
	Remediation string
	Max         int
	Per         time.Duration
}

// Claim is a run that a worker holds, with all it needs to go on.
type Claim struct {
	Run      Run // with Steps
	Incident Incident
	Fence    int64
}

// Errors of the store that its callers decide on.
var (
	ErrNotFound   = errors.New("not found")
	ErrFenced     = errors.New("another worker has taken the run over")
	ErrTransition = errors.New("this state does not allow that")
	ErrBudget     = errors.New("the budget is spent")
	ErrDown       = errors.New("the store is down") // intake answers 503
)

// Filter selects incidents, newest first. Zero fields select all.
type Filter struct {
	State     State // exactly this one
	OpenOnly  bool
	Alertname string
	Since     time.Time // opened at or after
	Limit     int       // 0 means the store's default, 100
	Before    int64     // incidents with a smaller id, for paging
}

// Detail is one incident with all that belongs to it.
type Detail struct {
	Incident   Incident    `json:"incident"`
	Events     []Event     `json:"events"`
	Runs       []Run       `json:"runs"`
	Judgements []Judgement `json:"verdicts"`
}
