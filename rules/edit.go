package main

import (
	"fmt"

	"github.com/MNS-Vic/upkeep/rules/publish"
	"github.com/MNS-Vic/upkeep/rules/rulefile"
)

// edited makes every change of the answers on copies. Files come back in
// order, also those that do not change.
func (w *workspace) edited(answers []answer) ([]publish.File, error) {
	out := make([]publish.File, len(w.files))
	for i, f := range w.files {
		out[i] = publish.File{Path: w.paths[i], Old: f.Data, New: f.Data}
	}
	for _, a := range answers {
		if !a.proposes() {
			continue
		}
		// The file is read again after each edit: bytes behind it have moved.
		f, err := rulefile.Parse(w.paths[a.file], out[a.file].New)
		if err != nil {
			return nil, err
		}
		rule := f.Groups[a.rule.GroupIndex].Rules[a.rule.Index]
		th, err := same(rule, a)
		if err != nil {
			return nil, err
		}
		if out[a.file].New, _, err = f.Edit(rule, th, a.value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// same finds the number of an answer in a newly read rule.
func same(rule rulefile.Rule, a answer) (rulefile.Threshold, error) {
	if rule.ExprHash != a.rule.ExprHash {
		return rulefile.Threshold{}, fmt.Errorf("%s:%d: alert %q has changed meanwhile", a.File, a.Line, a.Alert)
	}
	for _, th := range rule.Thresholds {
		if th.Path == a.th.Path {
			return th, nil
		}
	}
	return rulefile.Threshold{}, fmt.Errorf("%s:%d: alert %q no longer has the number %s", a.File, a.Line, a.Alert, a.Old)
}
