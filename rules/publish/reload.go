package publish

import (
	"context"
	"fmt"
	"time"

	"github.com/MNS-Vic/upkeep/internal/promapi"
)

// Loaded is a rule as it must be loaded.
type Loaded struct{ Group, Alert, Expr string }

// How long a server may take until it shows what it has reloaded.
const (
	reloadTimeout = 30 * time.Second
	reloadLook    = 200 * time.Millisecond
)

// Reload makes the server read its files and waits until it shows the rules.
// same compares two expressions, since the server writes them its own way.
func Reload(ctx context.Context, prom *promapi.Client, want []Loaded, same func(a, b string) bool) error {
	if err := prom.Reload(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	tick := time.NewTicker(reloadLook)
	defer tick.Stop()
	for {
		missing, err := absent(ctx, prom, want, same)
		if err == nil && missing == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			if err != nil {
				return err
			}
			return fmt.Errorf("prometheus has reloaded, but does not show %s as %q; does it read these files?", missing.Alert, missing.Expr)
		case <-tick.C:
		}
	}
}

func absent(ctx context.Context, prom *promapi.Client, want []Loaded, same func(a, b string) bool) (*Loaded, error) {
	groups, err := prom.Rules(ctx)
	if err != nil {
		return nil, err
	}
next:
	for _, w := range want {
		for _, g := range groups {
			for _, r := range g.Rules {
				if g.Name == w.Group && r.Name == w.Alert && same(r.Query, w.Expr) {
					continue next
				}
			}
		}
		return &w, nil
	}
	return nil, nil
}
