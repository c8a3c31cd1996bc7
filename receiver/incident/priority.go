package incident

import "time"

// Priority is how fast an incident must be answered.
type Priority string

// The priorities and their promise: answered within 5 min, 30 min, 2 h, 24 h.
const (
	P1 Priority = "P1"
	P2 Priority = "P2"
	P3 Priority = "P3"
	P4 Priority = "P4"
)

// Priorities lists all of them, the most urgent first.
func Priorities() []Priority { return []Priority{P1, P2, P3, P4} }

// PriorityOf reads the severity label: P1 to P4, or critical, warning and info
// for P1, P2 and P3. Anything else is P3: it is seen, and wakes nobody.
func PriorityOf(labels map[string]string) Priority {
	switch labels["severity"] {
	case "P1", "critical":
		return P1
	case "P2", "warning":
		return P2
	case "P4":
		return P4
	}
	return P3
}

// AnswerWithin is the promise.
func (p Priority) AnswerWithin() time.Duration {
	switch p {
	case P1:
		return 5 * time.Minute
	case P2:
		return 30 * time.Minute
	case P3:
		return 2 * time.Hour
	}
	return 24 * time.Hour
}
