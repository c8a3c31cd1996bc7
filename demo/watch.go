package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// How often the story looks, and how long it waits for one thing.
const (
	lookEvery = 100 * time.Millisecond
	patience  = 60 * time.Second
)

// await looks until seen says yes. The error of the last look, or what was
// waited for, is the error when patience ends.
func await(ctx context.Context, what string, seen func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waited %s for %s", patience, what))
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last error
	for {
		ok, err := seen(ctx)
		if err == nil && ok {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if last != nil {
				return fmt.Errorf("%w; the last answer was: %w", context.Cause(ctx), last)
			}
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// awaitSeries waits until an expression gives a series.
func (s *stage) awaitSeries(ctx context.Context, expr string) error {
	return await(ctx, fmt.Sprintf("%q in Prometheus", expr), func(ctx context.Context) (bool, error) {
		series, err := s.prom.Query(ctx, expr, time.Time{})
		return len(series) > 0, err
	})
}

// record is one incident as the receiver's API shows it.
type record struct {
	ID        int64  `json:"id"`
	Alertname string `json:"alertname"`
	State     string `json:"state"`
	Priority  string `json:"priority"`
}

// event and attempt are what the story tells of an incident's detail.
type event struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	To   string    `json:"to"`
	Text string    `json:"text"`
}

type attempt struct {
	Remediation string `json:"remediation"`
	State       string `json:"state"`
	Steps       []struct {
		Action string `json:"action"`
		State  string `json:"state"`
		Output string `json:"output"`
	} `json:"steps"`
}

type detail struct {
	Incident record    `json:"incident"`
	Events   []event   `json:"events"`
	Runs     []attempt `json:"runs"`
}

// incidents lists the receiver's incidents of one alert, newest first.
func (s *stage) incidents(ctx context.Context, alertname string) ([]record, error) {
	var out struct {
		Incidents []record `json:"incidents"`
	}
	err := s.get(ctx, "/api/v1/incidents?alertname="+url.QueryEscape(alertname), &out)
	return out.Incidents, err
}

// incident reads one incident with all that belongs to it.
func (s *stage) incident(ctx context.Context, id int64) (detail, error) {
	var d detail
	err := s.get(ctx, fmt.Sprintf("/api/v1/incidents/%d", id), &d)
	return d, err
}

// awaitIncident waits for an incident of an alert that none of known is.
func (s *stage) awaitIncident(ctx context.Context, alertname string, known []int64) (record, error) {
	var found record
	err := await(ctx, "an incident of "+alertname, func(ctx context.Context) (bool, error) {
		list, err := s.incidents(ctx, alertname)
		for _, r := range list {
			if !slices.Contains(known, r.ID) {
				found = r
				return true, nil
			}
		}
		return false, err
	})
	return found, err
}

// awaitState waits until an incident has passed through a state.
func (s *stage) awaitState(ctx context.Context, id int64, state string) (detail, error) {
	var d detail
	err := await(ctx, fmt.Sprintf("incident %d to be %q", id, state), func(ctx context.Context) (bool, error) {
		var err error
		if d, err = s.incident(ctx, id); err != nil {
			return false, err
		}
		return slices.ContainsFunc(d.Events, func(e event) bool { return e.To == state }), nil
	})
	return d, err
}

func (s *stage) get(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Receiver+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the receiver: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the receiver for %s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the receiver's answer to %s: %w", path, err)
	}
	return nil
}
