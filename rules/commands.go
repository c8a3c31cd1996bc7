package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/internal/atomicfile"
	"github.com/MNS-Vic/upkeep/rules/publish"
	"github.com/MNS-Vic/upkeep/rules/rulefile"
)

// plan shows what would be changed.
func plan(ctx context.Context, o *options) (bool, error) {
	w, err := o.read(ctx)
	if err != nil {
		return false, err
	}
	answers, err := w.answers(ctx, o)
	if err != nil {
		return false, err
	}
	if o.output != "" {
		files, err := w.edited(answers)
		if err != nil {
			return false, err
		}
		if err := writeCopies(o.output, files); err != nil {
			return false, err
		}
	}
	return proposals(answers) > 0, render(o.out, o.format, answers)
}

// writeCopies writes edited copies under the files' own names.
func writeCopies(dir string, files []publish.File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing edited copies: %w", err)
	}
	taken := map[string]string{}
	for _, f := range files {
		name := filepath.Base(f.Path)
		if other, ok := taken[name]; ok {
			return fmt.Errorf("writing edited copies: %q and %q have the same name", other, f.Path)
		}
		taken[name] = f.Path
		if err := atomicfile.Write(filepath.Join(dir, name), f.New, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// apply changes the rule files.
func apply(ctx context.Context, o *options) (bool, error) {
	if o.push && !o.commit || o.branch != "" && !o.commit {
		return false, errors.New("--push and --branch need --commit")
	}
	if o.reload && o.prometheusURL == "" {
		return false, errors.New("--reload needs --prometheus.url")
	}
	w, err := o.read(ctx)
	if err != nil {
		return false, err
	}
	answers, err := w.answers(ctx, o)
	if err != nil {
		return false, err
	}
	var now []answer
	waiting := 0
	for _, a := range answers {
		switch {
		case a.proposes() && (o.reviewed || !a.Review):
			now = append(now, a)
		case a.proposes():
			waiting++
		}
	}
	if err := render(o.out, o.format, answers); err != nil {
		return false, err
	}
	if waiting > 0 {
		fmt.Fprintf(o.errOut, "%d changes need a person's agreement and were not made; --reviewed makes them\n", waiting)
	}
	if len(now) == 0 {
		return false, nil
	}
	return true, o.publish(ctx, w, now)
}

// watch runs apply on a schedule. A run that fails is said; the next one comes
// all the same.
func watch(ctx context.Context, o *options) (bool, error) {
	if o.history == "-" {
		return false, errors.New("watch cannot read standard input again and again, give --receiver.url or a file")
	}
	tick := time.NewTicker(o.interval)
	defer tick.Stop()
	for {
		if _, err := apply(ctx, o); err != nil && ctx.Err() == nil {
			fmt.Fprintf(o.errOut, "upkeep-rules: %v; the next run is in %s\n", err, o.interval)
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-tick.C:
		}
	}
}

// check lists what can be tuned and what not, with the place in the file.
func check(_ context.Context, o *options) (bool, error) {
	w, err := o.readFiles()
	if err != nil {
		return false, err
	}
	for _, f := range w.files {
		lines := strings.Split(string(f.Data), "\n")
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Alert == "" {
					continue
				}
				checkRule(o, w, f.Name, lines, r)
			}
		}
	}
	return false, nil
}

func checkRule(o *options, w *workspace, file string, lines []string, r rulefile.Rule) {
	e, open, why := w.tuned.of(r.Alert)
	th, refusal := pick(r, e, w.tuned != nil)
	switch {
	case !open:
		fmt.Fprintf(o.out, "%s:%d: %s: not tuned: %s\n", file, r.Line, r.Alert, why)
	case refusal != "":
		line, column := r.Line, 1
		if len(r.Refusals) > 0 {
			line, column = r.Refusals[0].Line, r.Refusals[0].Column
		}
		fmt.Fprintf(o.out, "%s:%d:%d: %s: not tuned: %s\n", file, line, column, r.Alert, refusal)
		carets(o, lines, line, column, 1)
	default:
		fmt.Fprintf(o.out, "%s:%d:%d: %s: may be tuned: %s %s\n", file, th.Line, th.Column, r.Alert, th.Op, signed(th.Text, th.Value))
		carets(o, lines, th.Line, th.Column, len(th.Text))
	}
}

// carets shows a line with marks under a part of it.
func carets(o *options, lines []string, line, column, width int) {
	if line < 1 || line > len(lines) {
		return
	}
	text := []rune(strings.TrimRight(strings.TrimPrefix(lines[line-1], "\uFEFF"), "\r"))
	if column < 1 || column > len(text)+1 {
		return
	}
	pad := make([]rune, 0, column)
	for _, r := range text[:column-1] {
		if r != '\t' {
			r = ' '
		}
		pad = append(pad, r)
	}
	fmt.Fprintf(o.out, "    %s\n    %s%s\n", string(text), string(pad), strings.Repeat("^", width))
}
