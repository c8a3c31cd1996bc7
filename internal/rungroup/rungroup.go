// Package rungroup runs the long-lived parts of one program together: the
// first part that returns stops the others, and Run waits for all of them.
//
// It starts the only top-level goroutines a program has, so every goroutine
// has an owner that waits for it. Every program's App uses one group; nothing
// else does.
package rungroup

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// ErrStopped is the cause of the context that parts see when another part of
// the group has returned without an error.
var ErrStopped = errors.New("another part of the program has stopped")

// Group is a set of named parts. The zero value is ready to use; it must not
// be changed once Run has been called.
type Group struct {
	parts []part
}

type part struct {
	name string
	run  func(context.Context) error
}

// Add registers a part. run must return soon after its context is done.
func (g *Group) Add(name string, run func(context.Context) error) {
	g.parts = append(g.parts, part{name, run})
}

// Run starts every part and returns once all have returned. The result is the
// first error of a part, named after it; a part that returns nil stops the
// group without an error, and so does the end of ctx.
func (g *Group) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for _, p := range g.parts {
		wg.Go(func() {
			err := runPart(ctx, p)
			if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				err = nil // it was told to stop, and did
			}
			once.Do(func() { first = err })
			if err == nil {
				err = ErrStopped
			}
			cancel(err)
		})
	}
	wg.Wait()
	return first
}

func runPart(ctx context.Context, p part) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: panic: %v\n%s", p.name, v, debug.Stack())
		}
	}()
	if err := p.run(ctx); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}
