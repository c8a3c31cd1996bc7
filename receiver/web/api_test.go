package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func TestReading(t *testing.T) {
	for path, want := range map[string]struct {
		code       int
		kind, body string
	}{
		"/api/v1/incidents":                         {200, "application/json", `{"incidents":[{"id":3,`},
		"/api/v1/incidents?state=burning":           {400, "application/json", `state \"burning\" is not one of`},
		"/api/v1/incidents?limit=0":                 {400, "application/json", `limit \"0\"`},
		"/api/v1/incidents?since=yesterday":         {400, "application/json", `since \"yesterday\"`},
		"/api/v1/incidents/3":                       {200, "application/json", `"verdicts":[{"incident":3,`},
		"/api/v1/incidents/9":                       {404, "application/json", "incident 9: not found"},
		"/api/v1/incidents/x":                       {400, "application/json", `\"x\" is not the number`},
		"/api/v1/incidents/99999999999999999999999": {400, "application/json", "is not the number"},
		"/api/v1/reports/3":                         {200, "text/markdown", "# 3"},
		"/api/v1/reports/3?format=json":             {200, "application/json", `{"id":3}`},
		"/api/v1/reports/3?format=pdf":              {400, "application/json", "markdown, json"},
		"/api/v1/reports/9":                         {404, "application/json", "not found"},
		"/static/style.css":                         {200, "text/css", "prefers-color-scheme"},
		"/incidents/9":                              {404, "text/plain", "not found"},
		"/nothing":                                  {404, "text/plain", ""},
	} {
		w, woken := serve(t, &fakeStore{details: story("Down")}, get(path))
		if w.Code != want.code || !strings.HasPrefix(w.Header().Get("Content-Type"), want.kind) || !strings.Contains(w.Body.String(), want.body) || woken > 0 {
			t.Errorf("%s: code %d, %s: %s", path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestFilterReachesTheStore(t *testing.T) {
	store := &fakeStore{}
	w, _ := serve(t, store, get("/api/v1/incidents?state=open&alertname=Down&since=2026-11-23T00:00:00Z&limit=7"))
	if f := store.filter; !f.OpenOnly || f.State != "" || f.Alertname != "Down" || f.Since.Day() != 23 || f.Limit != 7 {
		t.Errorf("got %+v", f)
	}
	if got := strings.TrimSpace(w.Body.String()); got != `{"incidents":[]}` {
		t.Errorf("no incidents are %s", got)
	}
	serve(t, store, get("/api/v1/incidents?state=closed"))
	if f := store.filter; f.OpenOnly || f.State != incident.Closed {
		t.Errorf("got %+v", f)
	}
}

const runID = "fedcba9876543210fedcba9876543210"

func TestDeciding(t *testing.T) {
	for name, tc := range map[string]struct {
		path, body string
		code       int
		did        string
	}{
		"ack":             {"/api/v1/incidents/3/ack", `{"by":"ann"}`, 200, "ack 3 by ann"},
		"no body":         {"/api/v1/incidents/3/ack", "", 200, "ack 3 by somebody at 192.0.2.1:1234"},
		"close":           {"/api/v1/incidents/3/close", `{"by":"ann"}`, 200, "close 3 by ann"},
		"verdict":         {"/api/v1/incidents/3/verdict", `{"verdict":"false_positive","note":"a test","by":"ann"}`, 200, "judge 3 false_positive by ann: a test"},
		"approve":         {"/api/v1/runs/" + runID + "/approve", `{"by":"ann"}`, 200, "approve " + runID + " by ann"},
		"deny":            {"/api/v1/runs/" + runID + "/deny", `{"by":"ann"}`, 200, "deny " + runID + " by ann"},
		"pause":           {"/api/v1/pause", `{"by":"ann"}`, 200, "paused true by ann"},
		"resume":          {"/api/v1/resume", `{"by":"ann"}`, 200, "paused false by ann"},
		"unknown verdict": {"/api/v1/incidents/3/verdict", `{"verdict":"maybe"}`, 400, ""},
		"no verdict":      {"/api/v1/incidents/3/verdict", "", 400, ""},
		"no number":       {"/api/v1/incidents/x/ack", "", 400, ""},
		"no JSON":         {"/api/v1/incidents/3/ack", "by=ann", 400, ""},
		"a long name":     {"/api/v1/incidents/3/ack", `{"by":"` + strings.Repeat("x", maxName+1) + `"}`, 400, ""},
		"a long note":     {"/api/v1/incidents/3/verdict", `{"verdict":"benign","note":"` + strings.Repeat("x", maxNote+1) + `"}`, 400, ""},
		"a long body":     {"/api/v1/incidents/3/verdict", `{"verdict":"benign","x":"` + strings.Repeat("x", maxPost) + `"}`, 413, ""},
	} {
		store := &fakeStore{}
		w, woken := serve(t, store, post(tc.path, "application/json", tc.body))
		if w.Code != tc.code || strings.Join(store.did, ";") != tc.did || (woken > 0) != (tc.code == 200) {
			t.Errorf("%s: code %d, did %q, woken %d: %s", name, w.Code, store.did, woken, w.Body)
		}
		var answer map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || (tc.code != 200) != (answer["error"] != "" && answer["hint"] != "") {
			t.Errorf("%s: answered %s", name, w.Body)
		}
	}
}

// A person counts in full, under the name that the listener has checked.
func TestVerdictIsHuman(t *testing.T) {
	store := &fakeStore{}
	req := post("/api/v1/incidents/3/verdict", "application/json", `{"verdict":"true_positive","by":"somebody else"}`)
	req.SetBasicAuth("ann", "the listener has checked it")
	serve(t, store, req)
	if j := store.judged; j.Source != incident.SourceHuman || j.Confidence != 1 || j.By != "ann" || !j.At.Equal(now) || j.Verdict != verdict.TruePositive {
		t.Errorf("got %+v", j)
	}
}

func TestFailuresOfTheStore(t *testing.T) {
	for _, tc := range []struct {
		err  error
		code int
	}{
		{incident.ErrNotFound, 404}, {incident.ErrTransition, 409}, {incident.ErrDown, 503}, {errors.New("something else"), 500},
	} {
		err := fmt.Errorf("asking the store: %w", tc.err)
		for _, req := range []*http.Request{
			get("/api/v1/incidents"), get("/api/v1/incidents/3"), get("/api/v1/history"), get("/"), get("/incidents/3"),
			post("/api/v1/incidents/3/close", "application/json", "{}"), post("/api/v1/pause", "application/json", ""),
			post("/incidents/3/close", "application/x-www-form-urlencoded", ""),
		} {
			w, woken := serve(t, &fakeStore{details: story("Down"), err: err}, req)
			if w.Code != tc.code || woken > 0 {
				t.Errorf("%s %s: code %d, want %d, woken %d", req.Method, req.URL, w.Code, tc.code, woken)
			}
		}
	}
}

func TestOtherSitesCannotDecide(t *testing.T) {
	for _, path := range []string{"/api/v1/incidents/3/ack", "/api/v1/pause", "/incidents/3/ack", "/incidents/3/runs/" + runID + "/approve"} {
		store := &fakeStore{}
		req := post(path, "application/x-www-form-urlencoded", "")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		req.Header.Set("Origin", "https://evil.example")
		w, _ := serve(t, store, req)
		if w.Code != 403 || len(store.did) > 0 || !strings.Contains(w.Body.String(), `"hint"`) || w.Header().Get("Content-Security-Policy") != policy {
			t.Errorf("%s: code %d, did %q: %s", path, w.Code, store.did, w.Body)
		}
	}
}

func TestHistoryIsWhatTheRulesProgramReads(t *testing.T) {
	store := &fakeStore{details: story("Down")}
	w, _ := serve(t, store, get("/api/v1/history?since=1&alertname=Down"))
	pages, err := verdict.Read(w.Body)
	if err != nil || len(pages) != 3 || !pages[2].IsTrue() || pages[0].EndsAt != nil || w.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("got %+v, %v", pages, err)
	}
	if store.filter.Alertname != "Down" || store.filter.Since.Unix() != 1 {
		t.Errorf("asked for %+v", store.filter)
	}
}

func TestHalfOfTheHistoryIsNotAllOfIt(t *testing.T) {
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a history that was cut off ended as if it were whole")
		}
	}()
	serve(t, &fakeStore{details: story("Down"), err: incident.ErrDown, cut: true}, get("/api/v1/history"))
}
