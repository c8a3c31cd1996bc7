package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// options are what the flags say.
type options struct {
	in          io.Reader
	out, errOut io.Writer

	rules         []string // globs
	tuning        string
	prometheusURL string
	receiverURL   string
	tokenFile     string
	history       string
	now           string
	window        time.Duration
	strategy      string
	allowGuards   bool
	format        string
	language      string

	output                         string
	reviewed, commit, push, reload bool
	branch                         string
	tests                          []string
	interval                       time.Duration
}

func addFlags(app *kingpin.Application, o *options) {
	app.Flag("rules", "Glob of rule files; may be repeated.").Default("rules/*.yml").StringsVar(&o.rules)
	app.Flag("tuning", "Bounds per alert. Without it every rule that can be tuned is open.").StringVar(&o.tuning)
	app.Flag("prometheus.url", "Address of Prometheus, or what speaks its API.").StringVar(&o.prometheusURL)
	app.Flag("receiver.url", "Address of the receiver, for judged pages.").StringVar(&o.receiverURL)
	app.Flag("receiver.token-file", "File with a bearer token for the receiver.").StringVar(&o.tokenFile)
	app.Flag("history", "File of judged pages as JSON lines, instead of the receiver; - for standard input.").StringVar(&o.history)
	app.Flag("now", "The end of the history, as RFC 3339; default: now.").StringVar(&o.now)
	o.window = 30 * 24 * time.Hour
	app.Flag("window", "How far back to look.").Default("30d").SetValue((*duration)(&o.window))
	app.Flag("strategy", "replay (the method) or seed (x1.2 above 20 % false).").Default("replay").EnumVar(&o.strategy, "replay", "seed")
	app.Flag("allow-guards", "Allow proposals that add a second condition. None is proposed yet; this flag changes nothing so far.").BoolVar(&o.allowGuards)
	app.Flag("format", "text, json or markdown.").Default("text").EnumVar(&o.format, "text", "json", "markdown")
	app.Flag("language", "Of the reasons: en or zh.").Default("en").EnumVar(&o.language, "en", "zh")
}

// end is the end of the history.
func (o *options) end() (time.Time, error) {
	if o.now == "" {
		return time.Now().UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, o.now)
	if err != nil {
		return t, fmt.Errorf("--now %q is not of the form 2026-01-31T12:00:00Z", o.now)
	}
	return t, nil
}

// ruleFiles are the files that the globs name, in order, each once; the tuning
// file often lies among them and is none.
func (o *options) ruleFiles() ([]string, error) {
	return glob(o.rules, o.tuning)
}

func glob(patterns []string, not string) ([]string, error) {
	var out []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("finding files: pattern %q: %w", pattern, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("finding files: nothing matches %q", pattern)
		}
		for _, path := range found {
			if !slices.Contains(out, path) && !isTuning(path, not) {
				out = append(out, path)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("finding files: there is no rule file among them")
	}
	return out, nil
}

// isTuning reports whether path is the tuning file: the one that was given, or
// one of that name beside the rules.
func isTuning(path, given string) bool {
	a, errA := filepath.Abs(path)
	b, errB := filepath.Abs(given)
	return given != "" && errA == nil && errB == nil && a == b || filepath.Base(path) == "tuning.yml"
}
