package check

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/internal/servers"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func TestPromQLAgainstARealPrometheus(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(conf, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	prom, err := servers.Prometheus(t.Context(), conf, servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = prom.Stop() })
	set, err := New(Options{Prometheus: prom.URL})
	if err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]struct {
		holds bool
		text  string
	}{
		`vector(1) == 1`:   {true, "{} is 1"},
		`vector(1) == 0`:   {false, "no series"},
		`up{job="x"} == 0`: {false, "no series"},
		`label_replace(vector(2), "a", "b", "", "") or vector(3)`: {true, `{a="b"} is 2, and 1 more`},
	} {
		f, err := set.Check(t.Context(), incident.Check{Kind: incident.CheckPromQL, Query: expr})
		if err != nil || f.Holds != want.holds || f.Text != want.text {
			t.Errorf("%s: got %+v, %v", expr, f, err)
		}
		if f.Holds != (f.Value != nil) {
			t.Errorf("%s: value %v", expr, f.Value)
		}
	}
	if _, err := set.Check(t.Context(), incident.Check{Kind: incident.CheckPromQL, Query: "up =="}); err == nil {
		t.Error("an expression that does not parse gave a finding")
	}
	if err := prom.Stop(); err != nil {
		t.Fatal(err)
	}
	if f, err := set.Check(t.Context(), incident.Check{Kind: incident.CheckPromQL, Query: "up"}); err == nil {
		t.Errorf("a dead prometheus gave a finding: %+v", f)
	}
}

func TestHTTP(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/mute", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	gone := httptest.NewServer(mux)
	gone.Close()
	set, err := New(Options{HTTP: &http.Client{Timeout: 300 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		url, expect string
		holds       bool
	}{
		{srv.URL + "/ok", "", true}, {srv.URL + "/ok", "204", false}, {srv.URL + "/ok", "2xx", true},
		{srv.URL + "/broken", "", false}, {srv.URL + "/broken", "!200", true}, {srv.URL + "/broken", "5xx", true},
		{srv.URL + "/away", "", false}, {srv.URL + "/away", "302", true}, // never followed
		{srv.URL + "/endless", "", true}, {srv.URL + "/mute", "", false},
		{gone.URL + "/ok", "", false}, {gone.URL + "/ok", "!2xx", true},
	} {
		f, err := set.Check(t.Context(), incident.Check{Kind: incident.CheckHTTP, Query: tc.url, Expect: tc.expect})
		if err != nil || f.Holds != tc.holds || f.Text == "" {
			t.Errorf("%s expecting %q: got %+v, %v", tc.url, tc.expect, f, err)
		}
	}
}

func TestWhatCannotBeEvaluatedIsAnError(t *testing.T) {
	set, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]incident.Check{
		"no prometheus is configured": {Kind: incident.CheckPromQL, Query: "up"},
		"kind \"tcp\" is not known":   {Kind: "tcp", Query: "x:1"},
		"not of the form http://":     {Kind: incident.CheckHTTP, Query: "localhost/x"},
		"expected status \"ok\"":      {Kind: incident.CheckHTTP, Query: "http://127.0.0.1:1", Expect: "ok"},
	} {
		if f, err := set.Check(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %+v, %v, want %s", f, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := set.Check(ctx, incident.Check{Kind: incident.CheckHTTP, Query: "http://127.0.0.1:1", Expect: "!200"}); err == nil {
		t.Error("that we were stopped passed for an answer")
	}
	if _, err := New(Options{Prometheus: "localhost:9090"}); err == nil {
		t.Error("an address without scheme was accepted")
	}
}
