package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/MNS-Vic/upkeep/rules/publish"
	"github.com/MNS-Vic/upkeep/rules/rulefile"
)

// publish makes changes real. What fails before there is a commit leaves the
// files and the branch as they were.
func (o *options) publish(ctx context.Context, w *workspace, answers []answer) error {
	all, err := w.edited(answers)
	if err != nil {
		return err
	}
	var files []publish.File
	var others []string
	for _, f := range all {
		if bytes.Equal(f.Old, f.New) {
			others = append(others, f.Path)
		} else {
			files = append(files, f)
		}
	}
	var tests []string
	if len(o.tests) > 0 {
		if tests, err = glob(o.tests, ""); err != nil {
			return err
		}
	}
	if err := publish.Gate(ctx, files, others, tests); err != nil {
		return err
	}
	if err := o.write(ctx, files, answers); err != nil {
		return err
	}
	if !o.reload {
		return nil
	}
	want, err := loaded(files, answers)
	if err != nil {
		return err
	}
	return publish.Reload(ctx, w.prom, want, rulefile.SameExpr)
}

// write replaces the files and, when asked, commits and pushes them.
func (o *options) write(ctx context.Context, files []publish.File, answers []answer) error {
	if !o.commit {
		return publish.Replace(files)
	}
	repo, err := publish.OpenRepository(ctx, publish.Git, files)
	if err != nil {
		return err
	}
	if err := repo.Ready(ctx, o.branch); err != nil {
		return err
	}
	back := func(context.Context) error { return nil }
	if o.branch != "" {
		if back, err = repo.Switch(ctx, o.branch); err != nil {
			return err
		}
	}
	// From here on a signal must not stop what puts things back.
	after := context.WithoutCancel(ctx)
	if err := publish.Replace(files); err != nil {
		return errors.Join(err, back(after))
	}
	hash, err := repo.Commit(ctx, message(answers))
	if err != nil {
		return errors.Join(fmt.Errorf("the files were put back: %w", err), publish.PutBack(files), back(after))
	}
	fmt.Fprintf(o.errOut, "committed %s\n", hash)
	if o.push {
		return repo.Push(ctx)
	}
	return nil
}

// loaded are the rules as Prometheus must show them.
func loaded(files []publish.File, answers []answer) ([]publish.Loaded, error) {
	var out []publish.Loaded
	for _, f := range files {
		now, err := rulefile.Parse(f.Path, f.New)
		if err != nil {
			return nil, err
		}
		for _, a := range answers {
			if a.File == f.Path {
				r := now.Groups[a.rule.GroupIndex].Rules[a.rule.Index]
				out = append(out, publish.Loaded{Group: r.Group, Alert: r.Alert, Expr: r.Expr})
			}
		}
	}
	return out, nil
}
