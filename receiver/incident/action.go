package incident

import (
	"fmt"
	"time"
)

// Target is one entry of the allow-list of what may be acted on.
type Target struct {
	Name   string
	Kind   string            // container, unit, postgres, redis, http, host
	Params map[string]string // by kind: id, unit, dsn, url ...; secrets may be among them
	Group  string            // members of a group stand in for each other
}

// Params are the rendered arguments of an action. A plain value is a list of one.
type Params map[string][]string

// Get returns the first value of key, empty when there is none.
func (p Params) Get(key string) string {
	if len(p[key]) == 0 {
		return ""
	}
	return p[key][0]
}

// List returns all values of key.
func (p Params) List(key string) []string { return p[key] }

// Request is what an action is asked to do, all of it rendered.
type Request struct {
	Target   Target
	With     Params
	Alert    Alert
	Incident int64
	Run      string // also the idempotency key, with Step and Attempt
	Step     int
	Attempt  int
}

// Check is one question to the outside world.
type Check struct {
	Kind   string        // promql, http
	Query  string        // the expression or the address
	Expect string        // http: the status wanted, "200" when empty
	For    time.Duration // how long it must hold without a break; 0 means once
}

// Kinds of checks.
const (
	CheckPromQL = "promql"
	CheckHTTP   = "http"
)

// Finding is the answer of a check. That a check could not be evaluated is an
// error of the checker, never a finding.
type Finding struct {
	Holds bool
	Text  string // what was seen, for people
	Value *float64
}

// Intent is what a guard is asked about: may this be done now?
type Intent struct {
	Incident    Incident
	Run         string // empty in a preview
	Remediation string
	Target      Target // Name is empty when the target is not on the list
	Action      string
	Mode        Mode          // what the remediation asks for
	First       bool          // no step of the run has begun yet
	Cooldown    time.Duration // between runs of the remediation on the target; 0 means the default, negative none
	Budgets     []Budget      // of the target, Scope and Key filled in by the guard; nil means the default
	Now         time.Time
}

// Decision is the answer of one guard.
type Decision struct {
	Guard   string
	Allowed bool
	Final   bool      // not allowed, and waiting will not change it
	Reason  string    // with the figures it was decided on
	RetryAt time.Time // when to ask again, when not allowed and not final
	Mode    Mode      // the most the guard allows; empty leaves the mode as it is
	Budget  []Budget  // to be checked and spent in the transaction that begins to act
}

// BudgetError is an ErrBudget that says which budget is spent and when there
// is room again, as far as the store knows.
type BudgetError struct {
	Budget Budget
	Used   int
	FreeAt time.Time // zero when that cannot be said, as with slots
}

func (e *BudgetError) Error() string {
	if e.Budget.Per == 0 {
		return fmt.Sprintf("%d of %d %s %q act now", e.Used, e.Budget.Max, e.Budget.Scope, e.Budget.Key)
	}
	return fmt.Sprintf("%d of %d %s %q in %s are spent", e.Used, e.Budget.Max, e.Budget.Scope, e.Budget.Key, e.Budget.Per)
}

// Is makes errors.Is(err, ErrBudget) true.
func (e *BudgetError) Is(target error) bool { return target == ErrBudget }
