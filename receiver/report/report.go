// Package report writes the report of one incident from what the ledger holds
// of it: both clocks against the promise, what was found, what was done, what
// stopped something, the verdict and the whole timeline.
//
// It is pure: the same incident gives the same bytes, and it asks nobody. Text
// that came from alerts is escaped, it can neither break the structure nor
// bring in HTML. The receiver calls it when an incident closes and when a
// report is asked for.
package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// JSON is the incident with all that belongs to it.
func JSON(d incident.Detail) ([]byte, error) {
	out, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the report of incident %d: %w", d.Incident.ID, err)
	}
	return append(out, '\n'), nil
}

// Markdown is the report for people.
func Markdown(d incident.Detail) []byte {
	var b bytes.Buffer
	in := d.Incident
	fmt.Fprintf(&b, "# Incident %d: %s\n\n", in.ID, inline(cmp.Or(in.Alertname, "(no name)")))
	facts(&b, in)
	list(&b, "Labels", in.Labels)
	list(&b, "Annotations", in.Annotations)
	verified := func(e incident.Event) bool { return e.Kind == incident.EventCheck && e.Data["purpose"] == "verify" }
	pick(&b, "What was found", d.Events, func(e incident.Event) bool { return e.Kind == incident.EventCheck && !verified(e) })
	done(&b, d)
	pick(&b, "Whether it helped", d.Events, verified)
	pick(&b, "What stopped something", d.Events, func(e incident.Event) bool {
		return e.Kind == incident.EventGuard && e.Data["allowed"] == "false"
	})
	verdicts(&b, d.Judgements)
	timeline(&b, d.Events)
	return b.Bytes()
}

func facts(b *bytes.Buffer, in incident.Incident) {
	row := func(name, value string) { fmt.Fprintf(b, "| %s | %s |\n", name, value) }
	b.WriteString("| | |\n| --- | --- |\n")
	row("Priority", string(in.Priority)+", to be answered within "+in.Priority.AnswerWithin().String())
	row("State", string(in.State))
	row("Fires since", stamp(in.StartsAt))
	row("Received", stamp(in.OpenedAt)+", "+span(in.StartsAt, in.OpenedAt)+" after it fired")
	if !in.EndsAt.IsZero() {
		row("Alert ended", stamp(in.EndsAt))
	}
	row("To be answered by", stamp(in.AnswerBy))
	row("Acknowledged", acknowledged(in))
	if in.RecoveredAt.IsZero() {
		row("Recovered", "not yet")
	} else {
		row("Recovered", stamp(in.RecoveredAt)+", "+span(in.OpenedAt, in.RecoveredAt)+" after receipt, "+span(in.StartsAt, in.RecoveredAt)+" after it fired")
	}
	row("Deliveries", fmt.Sprint(in.Deliveries))
	if in.Reopened > 0 {
		row("Fired again", fmt.Sprintf("%d times", in.Reopened))
	}
	if in.Escalation != "" {
		row("Escalated to", inline(in.Escalation))
	}
	b.WriteString("\n")
}

func acknowledged(in incident.Incident) string {
	if in.AcknowledgedAt.IsZero() {
		return "by nobody"
	}
	word := "within the promise"
	if in.AcknowledgedAt.After(in.AnswerBy) {
		word = "LATE"
	}
	return fmt.Sprintf("%s by %s, %s after receipt, %s", stamp(in.AcknowledgedAt), inline(in.AcknowledgedBy), span(in.OpenedAt, in.AcknowledgedAt), word)
}

func list(b *bytes.Buffer, title string, set map[string]string) {
	if len(set) == 0 {
		return
	}
	fmt.Fprintf(b, "## %s\n\n", title)
	for _, name := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(b, "- %s: %s\n", inline(name), inline(set[name]))
	}
	b.WriteString("\n")
}

func done(b *bytes.Buffer, d incident.Detail) {
	b.WriteString("## What was done\n\n")
	if len(d.Runs) == 0 {
		b.WriteString("Nothing: no remediation matches this alert.\n\n")
	}
	for _, r := range d.Runs {
		fmt.Fprintf(b, "### %s on %s: %s\n\n", inline(r.Remediation), inline(r.Target), r.State)
		if r.Reason != "" {
			fmt.Fprintf(b, "%s\n\n", inline(r.Reason))
		}
		for _, s := range r.Steps {
			fmt.Fprintf(b, "%d. %s, attempt %d: %s, %s, took %s\n", s.Index+1, inline(s.Action), s.Attempt, s.State, stamp(s.StartedAt), span(s.StartedAt, s.FinishedAt))
			if s.Error != "" {
				fmt.Fprintf(b, "   - %s\n", inline(s.Error))
			}
			if s.Output != "" {
				b.WriteString(block(s.Output, "   "))
			}
		}
		if len(r.Steps) > 0 {
			b.WriteString("\n")
		}
	}
}

func pick(b *bytes.Buffer, title string, events []incident.Event, want func(incident.Event) bool) {
	first := true
	for _, e := range events {
		if !want(e) {
			continue
		}
		if first {
			fmt.Fprintf(b, "## %s\n\n", title)
			first = false
		}
		fmt.Fprintf(b, "- %s %s\n", clock(e.At), inline(e.Text))
	}
	if !first {
		b.WriteString("\n")
	}
}

func verdicts(b *bytes.Buffer, js []incident.Judgement) {
	b.WriteString("## Verdict\n\n")
	if len(js) == 0 {
		b.WriteString("None yet.\n\n")
		return
	}
	for _, j := range js {
		fmt.Fprintf(b, "- %s by %s (%s, confidence %.2g)", j.Verdict, inline(j.By), j.Source, j.Confidence)
		if j.Note != "" {
			fmt.Fprintf(b, ": %s", inline(j.Note))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func timeline(b *bytes.Buffer, events []incident.Event) {
	b.WriteString("## Timeline\n\n| Time | What | By |\n| --- | --- | --- |\n")
	for _, e := range events {
		what := e.Kind
		if e.To != "" {
			what += " " + e.To
		}
		if e.Text != "" {
			what += ": " + inline(e.Text)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", clock(e.At), what, inline(e.Actor))
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format(time.RFC3339)
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

func span(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "unknown"
	}
	return to.Sub(from).Round(100 * time.Millisecond).String()
}
