package rungroup

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestFirstErrorStopsTheOthers(t *testing.T) {
	var g Group
	want := errors.New("no disk")
	var cause error
	g.Add("store", func(context.Context) error { return want })
	g.Add("server", func(ctx context.Context) error {
		<-ctx.Done()
		cause = context.Cause(ctx)
		return ctx.Err()
	})
	err := g.Run(t.Context())
	if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "store: ") {
		t.Fatalf("got %v, want it to name the store and wrap %v", err, want)
	}
	if !errors.Is(cause, want) {
		t.Errorf("the other part saw cause %v, want %v", cause, want)
	}
}

func TestEndOfContextIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var g Group
	for range 3 {
		g.Add("part", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	}
	g.Add("canceller", func(ctx context.Context) error { cancel(); <-ctx.Done(); return nil })
	if err := g.Run(ctx); err != nil {
		t.Fatalf("got %v, want none", err)
	}
}

func TestPanicBecomesAnError(t *testing.T) {
	var g Group
	g.Add("timer", func(context.Context) error { panic("index out of range") })
	err := g.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "timer: panic: index out of range") {
		t.Fatalf("got %v, want the panic with the part's name", err)
	}
}
