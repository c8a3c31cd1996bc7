// Package engine turns open incidents into remediation runs and carries each
// run through confirm, guards, action and verification.
//
// It acts at most once per step: the intent is on disk before an action
// begins, and a run found in the middle of an action after a crash is
// interrupted, never silently repeated. It never answers webhooks, renders
// pages or talks to a server itself: store, guards, actions and checks are
// interfaces of its own, given by the program.
package engine

import (
	"context"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Store is what the engine needs of the ledger. Every method that writes has
// it on disk when it returns nil. A store that cannot be reached returns an
// error that wraps incident.ErrDown.
type Store interface {
	// Unplanned returns open incidents for which Plan has not been called
	// since they opened or reopened, oldest first.
	Unplanned(ctx context.Context, limit int) ([]incident.Incident, error)

	// Plan records which runs an incident gets (none is an answer too) and
	// moves it to Notified. A run that already exists for the incident and
	// remediation is left alone, so calling it twice changes nothing.
	Plan(ctx context.Context, id int64, runs []incident.Run, events []incident.Event, at time.Time) error

	// Claim takes one run for owner until now+lease: the oldest that is
	// queued or approved, blocked with RetryAt reached, or held under a lease
	// that has ended. Its state is left as it was, except that a queued or
	// approved one becomes claimed; a run found in acting or rolling_back
	// becomes interrupted, and its open step too. Nothing to do gives nil, nil.
	Claim(ctx context.Context, owner string, now time.Time, lease time.Duration) (*incident.Claim, error)

	// Extend prolongs a lease; incident.ErrFenced when the run was taken over.
	Extend(ctx context.Context, run string, fence int64, until time.Time) error

	// Apply writes one Change; errors wrap incident.ErrFenced,
	// incident.ErrTransition, incident.ErrBudget or incident.ErrDown.
	Apply(ctx context.Context, c incident.Change) error

	// Incident returns one incident as it is now; incident.ErrNotFound.
	Incident(ctx context.Context, id int64) (incident.Incident, error)

	// Resolved returns incidents in a state before Recovered, or Recovered and
	// not yet reported, that are no longer firing and have no run that has not
	// ended: those the engine can bring to their end.
	Resolved(ctx context.Context, limit int) ([]incident.Incident, error)

	// Paused reports whether the kill switch is set.
	Paused(ctx context.Context) (bool, error)
}
