package incident

import (
	"fmt"
	"slices"
)

// State is where an incident stands.
type State string

// States of an incident, in the order of the main path.
const (
	Open          State = "open"
	Notified      State = "notified"
	Confirming    State = "confirming"
	FalsePositive State = "false_positive"
	Assessing     State = "assessing"
	Emergency     State = "emergency"
	Diagnosing    State = "diagnosing"
	Mitigating    State = "mitigating"
	Verifying     State = "verifying"
	Recovered     State = "recovered"
	Reported      State = "reported"
	Closed        State = "closed"
)

// next holds what may follow each state. Closing by hand and recovering
// without our help are possible from every state before Recovered.
func (s State) next() []State {
	switch s {
	case Open:
		return []State{Notified, Recovered, Closed}
	case Notified:
		return []State{Confirming, Recovered, Closed}
	case Confirming:
		return []State{FalsePositive, Assessing, Recovered, Closed}
	case FalsePositive:
		return []State{Reported, Closed}
	case Assessing:
		return []State{Emergency, Diagnosing, Recovered, Closed}
	case Emergency, Diagnosing:
		return []State{Mitigating, Recovered, Closed}
	case Mitigating:
		return []State{Verifying, Recovered, Closed}
	case Verifying:
		return []State{Mitigating, Recovered, Closed}
	case Recovered:
		return []State{Reported, Closed, Notified} // Notified: it fires again
	case Reported:
		return []State{Closed, Notified}
	}
	return nil // Closed, and whatever is no state
}

// To reports as an error when next may not follow s.
func (s State) To(next State) error {
	if slices.Contains(s.next(), next) {
		return nil
	}
	return fmt.Errorf("an incident cannot go from %q to %q", s, next)
}

// Ended reports whether nothing can follow.
func (s State) Ended() bool { return s == Closed }

// States lists every state, in order.
func States() []State {
	return []State{Open, Notified, Confirming, FalsePositive, Assessing, Emergency, Diagnosing, Mitigating, Verifying, Recovered, Reported, Closed}
}

// RunState is where a run stands.
type RunState string

// States of a run.
const (
	RunMatched          RunState = "matched"
	RunSkipped          RunState = "skipped"
	RunQueued           RunState = "queued"
	RunBlocked          RunState = "blocked"
	RunAwaitingApproval RunState = "awaiting_approval"
	RunDenied           RunState = "denied"
	RunExpired          RunState = "expired"
	RunApproved         RunState = "approved"
	RunClaimed          RunState = "claimed"
	RunPrechecking      RunState = "prechecking"
	RunPrecheckFailed   RunState = "precheck_failed"
	RunActing           RunState = "acting"
	RunActFailed        RunState = "act_failed"
	RunTimedOut         RunState = "timed_out"
	RunCancelled        RunState = "cancelled"
	RunActed            RunState = "acted"
	RunVerifying        RunState = "verifying"
	RunSucceeded        RunState = "succeeded"
	RunIneffective      RunState = "ineffective"
	RunRollingBack      RunState = "rolling_back"
	RunRolledBack       RunState = "rolled_back"
	RunEscalated        RunState = "escalated"
	RunInterrupted      RunState = "interrupted"
)

func (s RunState) next() []RunState {
	switch s {
	case RunMatched:
		return []RunState{RunSkipped, RunQueued}
	case RunQueued, RunApproved:
		return []RunState{RunClaimed, RunBlocked, RunSkipped, RunCancelled}
	case RunBlocked:
		return []RunState{RunQueued, RunClaimed, RunSkipped, RunCancelled, RunEscalated}
	case RunAwaitingApproval:
		return []RunState{RunDenied, RunExpired, RunApproved, RunCancelled}
	case RunClaimed:
		return []RunState{RunPrechecking, RunBlocked, RunAwaitingApproval, RunSkipped, RunCancelled, RunQueued, RunApproved}
	case RunPrechecking:
		return []RunState{RunPrecheckFailed, RunActing, RunBlocked, RunCancelled, RunSkipped, RunQueued, RunApproved}
	case RunPrecheckFailed, RunActFailed, RunTimedOut, RunIneffective:
		return []RunState{RunPrechecking, RunRollingBack, RunEscalated, RunVerifying}
	case RunActing:
		return []RunState{RunActed, RunActFailed, RunTimedOut, RunCancelled, RunInterrupted}
	case RunActed:
		return []RunState{RunVerifying}
	case RunVerifying:
		return []RunState{RunSucceeded, RunIneffective, RunCancelled}
	case RunRollingBack:
		return []RunState{RunRolledBack, RunEscalated, RunInterrupted}
	case RunRolledBack:
		return []RunState{RunEscalated}
	case RunInterrupted:
		return []RunState{RunVerifying, RunPrechecking, RunEscalated}
	}
	return nil
}

// To reports as an error when next may not follow s.
func (s RunState) To(next RunState) error {
	if slices.Contains(s.next(), next) {
		return nil
	}
	return fmt.Errorf("a run cannot go from %q to %q", s, next)
}

// Ended reports whether nothing can follow: the run has its result.
func (s RunState) Ended() bool { return len(s.next()) == 0 }

// Held reports whether a worker holds a lease on the run in this state; when
// the lease ends in such a state, somebody must take the run over.
func (s RunState) Held() bool {
	switch s {
	case RunClaimed, RunPrechecking, RunPrecheckFailed, RunActing, RunActFailed, RunTimedOut,
		RunActed, RunVerifying, RunIneffective, RunRollingBack, RunRolledBack, RunInterrupted:
		return true
	}
	return false
}

// RunStates lists every state, in order.
func RunStates() []RunState {
	return []RunState{
		RunMatched, RunSkipped, RunQueued, RunBlocked, RunAwaitingApproval, RunDenied, RunExpired, RunApproved,
		RunClaimed, RunPrechecking, RunPrecheckFailed, RunActing, RunActFailed, RunTimedOut, RunCancelled, RunActed,
		RunVerifying, RunSucceeded, RunIneffective, RunRollingBack, RunRolledBack, RunEscalated, RunInterrupted,
	}
}
