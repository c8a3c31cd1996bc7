package guard

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/internal/servers"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// A real Alertmanager says active, suppressed, and nothing; one that is gone
// leaves everything open.
func TestStandingAtARealAlertmanager(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(conf, []byte("route: {receiver: none, group_wait: 0s}\nreceivers: [{name: none}]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	am, err := servers.Alertmanager(t.Context(), conf, servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = am.Stop() })
	a, err := NewAlertmanagers([]string{am.URL + "/"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"alertname": `Down "x"`, "service": "web"}
	post(t, am.URL+"/api/v2/alerts", []map[string]any{
		{"labels": labels}, {"labels": map[string]string{"alertname": `Down "x"`, "service": "other"}},
	})
	in := incident.Incident{Alertname: labels["alertname"], Labels: labels, Fingerprint: fingerprint(t, am.URL, "web")}

	await(t, a, in, "active", func(s Standing) bool { return s.Active && !s.Muted })
	unknown := in
	unknown.Fingerprint = "0000000000000000"
	if s, err := a.Standing(t.Context(), unknown); err != nil || s.Active || s.Muted {
		t.Errorf("an alert that it does not have: %+v, %v", s, err)
	}
	post(t, am.URL+"/api/v2/silences", map[string]any{
		"matchers":  []map[string]any{{"name": "service", "value": "web", "isRegex": false, "isEqual": true}},
		"startsAt":  time.Now().UTC().Format(time.RFC3339Nano),
		"endsAt":    time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano),
		"createdBy": "test", "comment": "test",
	})
	await(t, a, in, "muted", func(s Standing) bool { return s.Muted && !s.Active && len(s.MutedBy) == 1 })

	both, err := NewAlertmanagers([]string{"http://127.0.0.1:1", am.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := both.Standing(t.Context(), in); err != nil || !s.Muted {
		t.Errorf("one member is enough: %+v, %v", s, err)
	}
	if _, err := both.Standing(t.Context(), unknown); err == nil {
		t.Error("that it does not fire takes all members")
	}
	if err := am.Stop(); err != nil {
		t.Fatal(err)
	}
	if s, err := a.Standing(t.Context(), in); err == nil {
		t.Errorf("a dead alertmanager says %+v", s)
	}
}

func TestAlertmanagerAddresses(t *testing.T) {
	for _, urls := range [][]string{nil, {"127.0.0.1:9093"}, {"ftp://x"}} {
		if _, err := NewAlertmanagers(urls, nil); err == nil {
			t.Errorf("%q was accepted", urls)
		}
	}
}

func await(t *testing.T, a *Alertmanagers, in incident.Incident, what string, ok func(Standing) bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		s, err := a.Standing(t.Context(), in)
		if err == nil && ok(s) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("it is not %s: %+v, %v", what, s, err)
		case <-tick.C:
		}
	}
}

func post(t *testing.T, url string, body any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(url, "application/json", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, resp.Status)
	}
}

// fingerprint asks Alertmanager for the one of the service's alert.
func fingerprint(t *testing.T, base, service string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		resp, err := http.Get(base + "/api/v2/alerts")
		if err != nil {
			t.Fatal(err)
		}
		var alerts []struct {
			Fingerprint string            `json:"fingerprint"`
			Labels      map[string]string `json:"labels"`
		}
		err = json.NewDecoder(resp.Body).Decode(&alerts)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range alerts {
			if strings.EqualFold(a.Labels["service"], service) {
				return a.Fingerprint
			}
		}
	}
	t.Fatal("alertmanager does not show the alert")
	return ""
}
