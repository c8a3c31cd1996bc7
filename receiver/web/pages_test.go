package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func TestOverview(t *testing.T) {
	store := &fakeStore{details: story("DatabaseDown")}
	w, _ := serve(t, store, get("/"))
	body := w.Body.String()
	last := -1
	for _, want := range []string{
		"2 open incidents", `href="/incidents/3"`, "DatabaseDown", "diagnosing", "3 min 0 s", "2 min 0 s left", "escalated", "wanted",
		`href="/incidents/2"`, "taken by DatabaseDown", "awaiting approval", "Closed lately", `href="/incidents/1"`, "true positive",
	} {
		at := strings.Index(body[last+1:], want)
		if at < 0 {
			t.Fatalf("%q is missing behind byte %d of:\n%s", want, last, body)
		}
		last += at + 1
	}
	if strings.Contains(body, "is paused") {
		t.Error("it says it is paused")
	}
	w, _ = serve(t, &fakeStore{paused: true}, get("/"))
	if body := w.Body.String(); !strings.Contains(body, "is paused") || !strings.Contains(body, "Nothing is broken") {
		t.Errorf("got:\n%s", body)
	}
}

func TestIncidentWithItsButtons(t *testing.T) {
	store := &fakeStore{details: story("DatabaseDown")}
	for path, want := range map[string]struct{ has, lacks []string }{
		"/incidents/3": {
			has: []string{
				"2 min 0 s left", "instance=<b>db-1:9100</b>", "line two", "ineffective", "confirm: up == 0 holds", `action="/incidents/3/ack"`, `action="/incidents/3/close"`,
				`value="false_positive"`, `name="note"`, `href="https://runbooks.example/db"`,
			},
			lacks: []string{"/approve"},
		},
		"/incidents/2": {
			has:   []string{`action="/incidents/2/runs/` + runID + `/approve"`, `action="/incidents/2/runs/` + runID + `/deny"`},
			lacks: []string{`action="/incidents/2/ack"`},
		},
		"/incidents/1": {
			has:   []string{`value="true_positive"`, "Nothing: no remediation matches", "true positive (verify)"},
			lacks: []string{"/ack", "/close", "left"},
		},
	} {
		w, _ := serve(t, store, get(path))
		for _, text := range want.has {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s lacks %q:\n%s", path, text, w.Body)
			}
		}
		for _, text := range want.lacks {
			if strings.Contains(w.Body.String(), text) {
				t.Errorf("%s has %q:\n%s", path, text, w.Body)
			}
		}
	}
}

func TestForms(t *testing.T) {
	for path, want := range map[string]struct {
		form string
		code int
		did  string
	}{
		"/incidents/3/ack":                        {"", 303, "ack 3 by somebody at 192.0.2.1:1234"},
		"/incidents/3/close":                      {"", 303, "close 3 by somebody at 192.0.2.1:1234"},
		"/incidents/3/verdict":                    {"verdict=false_positive&note=a+test", 303, "judge 3 false_positive by somebody at 192.0.2.1:1234: a test"},
		"/incidents/3/runs/" + runID + "/approve": {"", 303, "approve " + runID + " by somebody at 192.0.2.1:1234"},
		"/incidents/3/runs/" + runID + "/deny":    {"", 303, "deny " + runID + " by somebody at 192.0.2.1:1234"},
		"/incidents/4/verdict":                    {"verdict=maybe", 400, ""},
		"/incidents/x/runs/" + runID + "/approve": {"", 400, ""},
		"/incidents/5/verdict":                    {"note=" + strings.Repeat("x", maxPost), 413, ""},
	} {
		store := &fakeStore{}
		w, woken := serve(t, store, post(path, "application/x-www-form-urlencoded", want.form))
		if w.Code != want.code || strings.Join(store.did, ";") != want.did || (woken > 0) != (want.code == 303) {
			t.Errorf("%s: code %d, did %q, woken %d: %s", path, w.Code, store.did, woken, w.Body)
		}
		if want.code == http.StatusSeeOther && w.Header().Get("Location") != "/incidents/3" {
			t.Errorf("%s: leads to %q", path, w.Header().Get("Location"))
		}
	}
}

const hostile = "<script>alert(1)</script>\"' onload='x' \n</td></table><img src=x onerror=alert(2)>"

// Text of others stays text: no tag, no attribute, no address that runs.
func TestHostileTextStaysText(t *testing.T) {
	details := story(hostile)
	details[0].Incident.GeneratorURL = "javascript:alert(3)"
	details[0].Incident.Labels[hostile] = hostile
	plain := story("x")
	plain[0].Incident.Labels["x"] = "x"
	for _, path := range []string{"/", "/incidents/1", "/incidents/2", "/incidents/3"} {
		w, _ := serve(t, &fakeStore{details: details}, get(path))
		body := w.Body.String()
		if !strings.Contains(body, "&lt;script&gt;") {
			t.Errorf("%s does not show the text", path)
		}
		for _, bad := range []string{"<script", "<img", `href="javascript`, "onload='", "style=\""} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: %q got through", path, bad)
			}
		}
		harmless, _ := serve(t, &fakeStore{details: plain}, get(path))
		if got, want := strings.Count(body, "<"), strings.Count(harmless.Body.String(), "<"); got != want {
			t.Errorf("%s has %d tags, a harmless one %d", path, got, want)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	for _, path := range []string{"/", "/incidents/3", "/incidents/9", "/api/v1/incidents", "/api/v1/reports/3", "/static/style.css"} {
		w, _ := serve(t, &fakeStore{details: story("Down")}, get(path))
		if h := w.Header(); h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestPromise(t *testing.T) {
	in := incident.Incident{State: incident.Notified, AnswerBy: now}
	for minutes, want := range map[int]string{-1: "1 min 0 s left", 0: "0 s left", 61: "late by 1 h 1 min"} {
		if got := promise(in, now.Add(time.Duration(minutes)*time.Minute)); got != want {
			t.Errorf("%d: got %q, want %q", minutes, got, want)
		}
	}
	if !late(in, now.Add(time.Second)) || late(in, now) {
		t.Error("late is not what comes after the promise")
	}
	in.State = incident.Closed
	if got := promise(in, now); got != "" {
		t.Errorf("a closed incident has %q", got)
	}
}
