package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// maxAlerts bounds one answer of an Alertmanager; a thousand alerts of one
// name are about a megabyte.
const maxAlerts = 32 << 20

// Alertmanagers asks the members of one cluster.
type Alertmanagers struct {
	urls []string
	http *http.Client
}

// NewAlertmanagers returns a client for the members at the given addresses. A
// nil client gets one with a timeout of ten seconds.
func NewAlertmanagers(urls []string, client *http.Client) (*Alertmanagers, error) {
	if len(urls) == 0 {
		return nil, errors.New("guard: no address of an alertmanager is given")
	}
	a := &Alertmanagers{http: client}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, fmt.Errorf("guard: alertmanager address %q is not of the form http://host:port", text)
		}
		a.urls = append(a.urls, strings.TrimRight(text, "/"))
	}
	if a.http == nil {
		a.http = &http.Client{Timeout: 10 * time.Second}
	}
	return a, nil
}

// Standing asks every member: one that knows the alert is enough, but that it
// is not firing takes an answer from all of them.
func (a *Alertmanagers) Standing(ctx context.Context, in incident.Incident) (Standing, error) {
	var sum Standing
	var errs []error
	for _, base := range a.urls {
		s, err := a.ask(ctx, base, in)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if s.Muted {
			return s, nil // silences spread; the member that has it first is right
		}
		sum.Active = sum.Active || s.Active
	}
	if !sum.Active && len(errs) > 0 {
		return Standing{}, errors.Join(errs...)
	}
	return sum, nil
}

func (a *Alertmanagers) ask(ctx context.Context, base string, in incident.Incident) (Standing, error) {
	query := url.Values{"filter": {"alertname=" + strconv.Quote(in.Alertname)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v2/alerts?"+query.Encode(), nil)
	if err != nil {
		return Standing{}, fmt.Errorf("asking alertmanager: %w", err)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return Standing{}, fmt.Errorf("asking alertmanager: %w", err)
	}
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxAlerts)
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(body, 512))
		return Standing{}, fmt.Errorf("asking alertmanager at %s: %s: %s", base, resp.Status, strings.TrimSpace(string(text)))
	}
	var alerts []struct {
		Fingerprint string `json:"fingerprint"`
		Status      struct {
			State       string   `json:"state"` // active, suppressed, unprocessed
			SilencedBy  []string `json:"silencedBy"`
			InhibitedBy []string `json:"inhibitedBy"`
			MutedBy     []string `json:"mutedBy"`
		} `json:"status"`
	}
	if err := json.NewDecoder(body).Decode(&alerts); err != nil {
		return Standing{}, fmt.Errorf("reading the alerts of %s: %w", base, err)
	}
	for _, alert := range alerts {
		if alert.Fingerprint != in.Fingerprint {
			continue
		}
		st := alert.Status
		return Standing{
			Active: st.State != "suppressed", Muted: st.State == "suppressed",
			MutedBy: slices.Concat(st.SilencedBy, st.InhibitedBy, st.MutedBy),
		}, nil
	}
	return Standing{}, nil
}

var _ Alerts = (*Alertmanagers)(nil)
