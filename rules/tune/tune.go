// Package tune decides whether the threshold of an alerting rule should
// change, and to what, from judged pages and the series behind the rule.
//
// It is pure: no I/O, no clock, no randomness; the same input gives the same
// outcome. It never proposes a number that would have lost a page which
// somebody confirmed. The rules program feeds it and carries out what it says.
package tune

import (
	"fmt"
	"time"
)

// Verdict is how a page was judged.
type Verdict int

// The verdicts that count.
const (
	Unjudged Verdict = iota
	True
	False
)

// Page is one page that was sent.
type Page struct {
	Fingerprint string
	Start, End  time.Time // End is zero while it fires
	Verdict     Verdict
}

// Rule is the rule whose threshold is in question.
type Rule struct {
	Op            string // > >= < <=
	Threshold     float64
	For           time.Duration
	KeepFiringFor time.Duration
	Interval      time.Duration // between evaluations
	Severity      string
}

// Bounds limit what may be proposed. Nil is no bound.
type Bounds struct {
	Min, Max *float64
	Step     float64 // largest change without review, as a share of the old value; 0 means 0.5
}

// Gate says how far the question came.
type Gate string

// The gates, in the order they are passed.
const (
	GatePassed      Gate = "passed"        // a change is proposed
	GateQuiet       Gate = "quiet"         // seed: few false pages
	GateFewPages    Gate = "few_pages"     // too few were judged
	GateHealthy     Gate = "healthy"       // not false often enough
	GateUnconfirmed Gate = "unconfirmed"   // no true page to keep
	GateFidelity    Gate = "fidelity"      // replay does not match what was recorded
	GateNoBetter    Gate = "no_better"     // no number removes enough
	GateOutOfBounds Gate = "out_of_bounds" // the better number may not be written
)

// Outcome is the answer, also when nothing is to change.
type Outcome struct {
	Gate     Gate
	New      float64 // the proposal, when Gate is GatePassed
	Review   bool    // a person must agree
	English  string  // the reason
	Chinese  string
	Evidence Evidence
}

// Evidence is what an outcome rests on.
type Evidence struct {
	Pages      int     `json:"pages"` // in the window
	False      int     `json:"false"`
	True       int     `json:"true"`
	Unjudged   int     `json:"unjudged"`
	FalseShare float64 `json:"false_share"`           // of all pages (seed) or of the judged ones (replay)
	Incidents  int     `json:"incidents,omitempty"`   // confirmed, after grouping
	FalseAfter int     `json:"false_after,omitempty"` // pages that the new number would have sent
	TrueAfter  int     `json:"true_after,omitempty"`
	Lowest     float64 `json:"lowest,omitempty"` // the least that a confirmed incident reached, in units of the metric
	Fidelity   float64 `json:"fidelity,omitempty"`
}

func no(g Gate, e Evidence, english, chinese string, args ...any) Outcome {
	return Outcome{Gate: g, Evidence: e, English: fmt.Sprintf(english, args...), Chinese: fmt.Sprintf(chinese, args...)}
}

// within are the pages that began in the window.
func within(pages []Page, now time.Time, window time.Duration) []Page {
	var out []Page
	for _, p := range pages {
		if !p.Start.After(now) && p.Start.After(now.Add(-window)) {
			out = append(out, p)
		}
	}
	return out
}

func count(pages []Page) Evidence {
	e := Evidence{Pages: len(pages)}
	for _, p := range pages {
		switch p.Verdict {
		case True:
			e.True++
		case False:
			e.False++
		default:
			e.Unjudged++
		}
	}
	return e
}

// limit holds a value within the bounds and reports whether a person must
// agree to it.
func (b Bounds) limit(old, value float64) (float64, bool) {
	if b.Min != nil {
		value = max(value, *b.Min)
	}
	if b.Max != nil {
		value = min(value, *b.Max)
	}
	step := b.Step
	if step == 0 {
		step = 0.5
	}
	change := value - old
	if change < 0 {
		change = -change
	}
	if old < 0 {
		old = -old
	}
	return value, change > step*old*(1+1e-9)
}
