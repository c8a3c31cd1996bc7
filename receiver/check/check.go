// Package check answers one question about the world: does a PromQL expression
// return anything, does an address answer as it should?
//
// It changes nothing, never retries, and says apart that something is not so
// (a finding) and that nobody can tell (an error). The engine asks it to
// confirm an alert and to verify a repair.
package check

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/MNS-Vic/upkeep/internal/promapi"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Options of the checks. The zero value can do HTTP only.
type Options struct {
	Prometheus string       // address; empty makes every PromQL check an error
	HTTP       *http.Client // nil gets one with a timeout of ten seconds; redirects are never followed
}

// Set evaluates checks of every kind.
type Set struct {
	kinds map[string]func(context.Context, incident.Check) (incident.Finding, error)
}

// New returns the checks that ship.
func New(o Options) (*Set, error) {
	client := http.Client{Timeout: 10 * time.Second}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var prom promQL
	if o.Prometheus != "" {
		api, err := promapi.New(o.Prometheus, o.HTTP)
		if err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
		prom.api = api
	}
	return &Set{kinds: map[string]func(context.Context, incident.Check) (incident.Finding, error){
		incident.CheckPromQL: prom.check,
		incident.CheckHTTP:   probe{&client}.check,
	}}, nil
}

// Check evaluates one check; an error says that it cannot be evaluated.
func (s *Set) Check(ctx context.Context, c incident.Check) (incident.Finding, error) {
	kind, ok := s.kinds[c.Kind]
	if !ok {
		return incident.Finding{}, fmt.Errorf("check of kind %q is not known, only promql and http are", c.Kind)
	}
	return kind(ctx, c)
}
