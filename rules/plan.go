package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/internal/promapi"
	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/internal/webhook"
	"github.com/MNS-Vic/upkeep/rules/history"
	"github.com/MNS-Vic/upkeep/rules/rulefile"
	"github.com/MNS-Vic/upkeep/rules/tune"
)

// defaultInterval is how often Prometheus evaluates a group that does not say.
const defaultInterval = time.Minute

// answer is what was found for one alerting rule.
type answer struct {
	File    string        `json:"file"`
	Line    int           `json:"line"`
	Group   string        `json:"group"`
	Alert   string        `json:"alert"`
	Gate    tune.Gate     `json:"gate"`
	Op      string        `json:"op,omitempty"`
	Old     string        `json:"old,omitempty"`
	New     string        `json:"new,omitempty"`
	Review  bool          `json:"review"`
	Reason  string        `json:"reason"`
	Numbers tune.Evidence `json:"evidence"`

	file  int // index of the file
	rule  rulefile.Rule
	value float64
	th    rulefile.Threshold
}

func (a answer) proposes() bool { return a.Gate == tune.GatePassed }

// closedToTuning is the gate of a rule that is not asked about at all.
const closedToTuning tune.Gate = "closed"

// workspace is all that a run has read.
type workspace struct {
	paths []string
	files []*rulefile.File
	tuned *tuning
	pages []verdict.Page
	end   time.Time
	prom  *promapi.Client
}

func (o *options) read(ctx context.Context) (*workspace, error) {
	w, err := o.readFiles()
	if err != nil {
		return nil, err
	}
	if w.end, err = o.end(); err != nil {
		return nil, err
	}
	if o.prometheusURL != "" {
		if w.prom, err = promapi.New(o.prometheusURL, nil); err != nil {
			return nil, err
		}
	} else if o.strategy == "replay" {
		return nil, errors.New("--strategy replay needs --prometheus.url: it replays the series behind each rule")
	}
	switch {
	case o.history != "" && o.receiverURL != "":
		return nil, errors.New("--history and --receiver.url both say where judged pages come from, keep one")
	case o.history != "":
		w.pages, err = history.FromFile(o.history, o.in)
	case o.receiverURL != "":
		var token secret.Secret
		if o.tokenFile != "" {
			if token, err = secret.FromFile(o.tokenFile); err != nil {
				return nil, err
			}
		}
		w.pages, err = history.FromReceiver(ctx, o.receiverURL, token, w.end.Add(-o.window))
	default:
		return nil, errors.New("judged pages are needed: give --receiver.url or --history FILE.jsonl")
	}
	return w, err
}

func (o *options) readFiles() (*workspace, error) {
	paths, err := o.ruleFiles()
	if err != nil {
		return nil, err
	}
	w := &workspace{paths: paths}
	var alerts []string
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading rule files: %w", err)
		}
		f, err := rulefile.Parse(path, data)
		if err != nil {
			return nil, err
		}
		w.files = append(w.files, f)
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				alerts = append(alerts, r.Alert)
			}
		}
	}
	w.tuned, err = loadTuning(o.tuning, alerts)
	return w, err
}

// answers asks about every alerting rule, in the order of the files.
func (w *workspace) answers(ctx context.Context, o *options) ([]answer, error) {
	var out []answer
	for i, f := range w.files {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Alert == "" {
					continue
				}
				a, err := w.answer(ctx, o, g, r)
				if err != nil {
					return nil, fmt.Errorf("%s:%d: alert %q: %w", f.Name, r.Line, r.Alert, err)
				}
				a.File, a.Line, a.Group, a.Alert, a.file, a.rule = f.Name, r.Line, r.Group, r.Alert, i, r
				if a.proposes() {
					if _, a.New, err = f.Edit(r, a.th, a.value); err != nil {
						a.Gate, a.New, a.Reason = closedToTuning, "", err.Error()
					}
				}
				out = append(out, a)
			}
		}
	}
	return out, nil
}

func (w *workspace) answer(ctx context.Context, o *options, g rulefile.Group, r rulefile.Rule) (answer, error) {
	e, open, why := w.tuned.of(r.Alert)
	th, refusal := pick(r, e, w.tuned != nil)
	switch {
	case !open:
		return answer{Gate: closedToTuning, Reason: why}, nil
	case refusal != "":
		return answer{Gate: closedToTuning, Reason: refusal}, nil
	}
	interval := g.Interval
	if interval == 0 {
		interval = defaultInterval
	}
	rule := tune.Rule{
		Op: th.Op, Threshold: th.Value, For: r.For, KeepFiringFor: r.KeepFiringFor, Interval: interval, Severity: r.Labels["severity"],
	}
	pages := pagesOf(r, w.pages)
	var found tune.Outcome
	if o.strategy == "seed" {
		found = tune.Seed(rule, pages, e.bounds(), w.end, o.window)
	} else {
		series, err := w.series(ctx, o, r, th, interval, pages)
		if err != nil {
			return answer{}, err
		}
		found = tune.Replay(rule, series, pages, e.bounds(), w.end, o.window)
	}
	a := answer{Gate: found.Gate, Op: th.Op, Old: signed(th.Text, th.Value), Review: found.Review, Reason: found.English, Numbers: found.Evidence, value: found.New, th: th}
	if o.language == "zh" {
		a.Reason = found.Chinese
	}
	return a, nil
}

// signed puts the sign back, which stands outside the bytes that are edited.
func signed(text string, value float64) string {
	if value < 0 {
		return "-" + text
	}
	return text
}

// pick chooses the number that is meant; a reason says why there is none.
func pick(r rulefile.Rule, e entry, listed bool) (rulefile.Threshold, string) {
	switch n := len(r.Thresholds); {
	case n == 0 && len(r.Refusals) > 0:
		return rulefile.Threshold{}, r.Refusals[0].Reason
	case n == 0:
		return rulefile.Threshold{}, "it has no threshold"
	case n > 1 && !listed:
		return rulefile.Threshold{}, fmt.Sprintf("it has %d thresholds; say which one in a tuning file", n)
	case e.Threshold >= n:
		return rulefile.Threshold{}, fmt.Sprintf("the tuning file names threshold %d, the rule has %d", e.Threshold, n)
	}
	return r.Thresholds[e.Threshold], ""
}

// pagesOf are the pages of one rule: the name is the same, and no label that
// the rule sets says otherwise. Names repeat, labels then tell rules apart.
func pagesOf(r rulefile.Rule, pages []verdict.Page) []tune.Page {
	var out []tune.Page
	for _, p := range pages {
		if p.Alertname != r.Alert || !agrees(r.Labels, p.Labels) {
			continue
		}
		q := tune.Page{Fingerprint: p.Fingerprint, Start: p.StartsAt}
		if p.EndsAt != nil {
			q.End = *p.EndsAt
		}
		switch {
		case p.IsTrue():
			q.Verdict = tune.True
		case p.IsFalse():
			q.Verdict = tune.False
		}
		out = append(out, q)
	}
	return out
}

func agrees(rule, page map[string]string) bool {
	for name, value := range rule {
		if got, ok := page[name]; ok && got != value && !strings.Contains(value, "{{") {
			return false
		}
	}
	return true
}

// series fetches the measured side of a rule, when there are pages to compare
// it with, and names each series as its alert would be named.
func (w *workspace) series(ctx context.Context, o *options, r rulefile.Rule, th rulefile.Threshold, interval time.Duration, pages []tune.Page) ([]tune.Series, error) {
	if len(pages) == 0 {
		return nil, nil
	}
	got, err := history.Samples(ctx, w.prom, th.Measured, w.end, o.window, interval)
	if err != nil {
		return nil, err
	}
	var out []tune.Series
	for _, s := range got {
		labels := maps.Clone(s.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, r.Labels)
		labels["alertname"] = r.Alert
		out = append(out, tune.Series{Fingerprint: webhook.Fingerprint(labels), Start: s.Start, Values: s.Values})
	}
	slices.SortFunc(out, func(a, b tune.Series) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return out, nil
}
