package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// hold prolongs the lease of a claimed run until release is called. The
// context it returns is done when ctx is, and with the cause
// incident.ErrFenced as soon as the run is no longer surely ours: another
// worker has it, or the store could not be told in time that we live. The
// lease goes on while the program stops, as actions have a grace then.
func (e *Engine) hold(ctx context.Context, claim incident.Claim) (held context.Context, release func()) {
	held, cancel := context.WithCancelCause(ctx)
	beat, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() {
		ends := e.Now().Add(e.Lease) // the claim itself
		ticker := time.NewTicker(e.Lease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-beat.Done():
				return
			case <-ticker.C:
			}
			until := e.Now().Add(e.Lease)
			call, done := context.WithTimeout(beat, e.Lease/3)
			err := e.Store.Extend(call, claim.Run.ID, claim.Fence, until)
			done()
			switch {
			case beat.Err() != nil:
				return
			case err == nil:
				ends = until
			case errors.Is(err, incident.ErrFenced), !e.Now().Add(e.Lease / 3).Before(ends):
				cancel(incident.ErrFenced)
				return
			}
		}
	})
	return held, func() {
		stop()
		wg.Wait()
		cancel(nil)
	}
}
