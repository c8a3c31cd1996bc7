package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// spend refuses when a budget has no room for one more step. The step that is
// written with the same change is what spends it.
func (t *tx) spend(budgets []incident.Budget, at time.Time) error {
	for _, b := range budgets {
		if err := t.room(b, at); err != nil {
			return err
		}
	}
	return nil
}

// room is nil when b has room at that time.
func (t *tx) room(b incident.Budget, at time.Time) error {
	target, remediation := "", b.Remediation
	switch b.Scope {
	case "target":
		target = b.Key
	case "remediation":
		remediation = b.Key
	case "all":
	default:
		return fmt.Errorf("budget scope %q is not one of target, remediation, all", b.Scope)
	}
	if b.Per <= 0 {
		used := 0
		err := t.row(slotsUsed, target, remediation).Scan(&used)
		if err == nil && used >= b.Max {
			err = &incident.BudgetError{Budget: b, Used: used}
		}
		return err
	}
	since := at.Add(-b.Per).UnixNano()
	used := 0
	err := t.row(stepsBegun, target, remediation, since).Scan(&used)
	if err != nil || used < b.Max {
		return err
	}
	spent := &incident.BudgetError{Budget: b, Used: used}
	var oldest sql.NullInt64 // of the steps that must grow old before there is room
	if b.Max > 0 {
		err = t.row(stepThatFrees, target, remediation, since, used-b.Max).Scan(&oldest)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	if oldest.Valid {
		spent.FreeAt = instant(oldest).Add(b.Per)
	}
	return spent
}

// What budgets count: ?1 is a target and ?2 a remediation, empty for any; ?3
// is the beginning of the time, itself not in it.
const (
	ofBudget = ` (?1 = '' OR steps.target = ?1)
		AND (?2 = '' OR EXISTS (SELECT 1 FROM runs WHERE runs.id = steps.run_id AND runs.remediation = ?2))`
	slotsUsed     = "SELECT count(*) FROM steps WHERE steps.state = 'acting' AND" + ofBudget
	stepsBegun    = "SELECT count(*) FROM steps WHERE steps.started_at > ?3 AND" + ofBudget
	stepThatFrees = "SELECT steps.started_at FROM steps WHERE steps.started_at > ?3 AND" + ofBudget + " ORDER BY steps.started_at LIMIT 1 OFFSET ?4"
)
