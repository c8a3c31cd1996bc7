package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func detail(hostile string) incident.Detail {
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	return incident.Detail{
		Incident: incident.Incident{
			ID: 7, Alertname: hostile, Labels: map[string]string{"b": hostile, "a": "1", hostile: "x"}, Annotations: map[string]string{"summary": hostile},
			Priority: incident.P1, State: incident.Closed, StartsAt: at, OpenedAt: at.Add(time.Second), AnswerBy: at.Add(5 * time.Minute),
			AcknowledgedAt: at.Add(6 * time.Minute), AcknowledgedBy: "ann", RecoveredAt: at.Add(time.Minute), Deliveries: 2,
		},
		Runs: []incident.Run{{
			Remediation: "restart", Target: "web", State: incident.RunSucceeded,
			Steps: []incident.Step{{Action: "exec", Attempt: 1, State: incident.RunSucceeded, StartedAt: at, FinishedAt: at.Add(time.Second), Output: "```\n# out\n" + hostile, Error: hostile}},
		}},
		Events: []incident.Event{
			{At: at, Kind: incident.EventCheck, Text: "confirm: up == 0 holds", Actor: "upkeep"},
			{At: at, Kind: incident.EventCheck, Text: "verify: up == 1 holds", Data: map[string]string{"purpose": "verify"}, Actor: "upkeep"},
			{At: at, Kind: incident.EventGuard, Text: "cooldown: " + hostile, Data: map[string]string{"allowed": "false"}, Actor: "upkeep"},
			{At: at, Kind: incident.EventState, To: "closed", Text: hostile, Actor: hostile},
		},
		Judgements: []incident.Judgement{{Verdict: "true_positive", Source: incident.SourceHuman, By: "ann", Note: hostile, Confidence: 1}},
	}
}

func TestTheSameIncidentGivesTheSameBytes(t *testing.T) {
	first := Markdown(detail("Down"))
	for range 20 {
		if !bytes.Equal(first, Markdown(detail("Down"))) {
			t.Fatal("two reports of one incident differ")
		}
	}
	for _, want := range []string{
		"# Incident 7: Down\n", "to be answered within 5m0s", "| To be answered by | 2026-11-23T03:05:00Z |",
		"## What was found\n\n- 2026-11-23 03:00:00.000 confirm: up == 0 holds\n\n## What was done\n", "## Whether it helped\n\n- 2026-11-23 03:00:00.000 verify: up == 1 holds\n\n", "5m59s after receipt, LATE", "59s after receipt, 1m0s after it fired", "### restart on web: succeeded",
		"## What stopped something\n\n- 2026-11-23 03:00:00.000 cooldown: Down", "true_positive by ann (human, confidence 1): Down",
	} {
		if !strings.Contains(strings.ReplaceAll(string(first), "\\_", "_"), want) {
			t.Errorf("%q is missing in:\n%s", want, first)
		}
	}
}

func TestHostileTextCannotBreakTheStructure(t *testing.T) {
	plain := strings.Count(string(Markdown(detail("x"))), "\n")
	got := string(Markdown(detail("a\n# b\r\n| c | <script>alert(1)</script> ![i](http://evil) \x00\xff")))
	// The output of the action is shown with its lines: two more.
	if n := strings.Count(got, "\n"); n != plain+2 {
		t.Errorf("%d lines, want %d:\n%s", n, plain+2, got)
	}
	outside := got[:strings.Index(got, "````text")] + got[strings.LastIndex(got, "````"):]
	for _, bad := range []string{"<script", "\n# b", "![i]", "\x00"} {
		if strings.Contains(outside, bad) {
			t.Errorf("%q got through", bad)
		}
	}
}

func TestJSONReadsBack(t *testing.T) {
	out, err := JSON(detail("Down"))
	if err != nil {
		t.Fatal(err)
	}
	var d incident.Detail
	if err := json.Unmarshal(out, &d); err != nil || d.Incident.ID != 7 || len(d.Events) != 4 {
		t.Errorf("got %+v, %v", d, err)
	}
}
