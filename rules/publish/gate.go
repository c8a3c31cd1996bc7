// Package publish makes a change of rule files real: it asks promtool first,
// replaces the files, commits them with git, and makes Prometheus reload.
//
// What fails leaves nothing half done: files are put back. It never decides
// what to change and never touches a file that it was not given. The rules
// program calls it.
package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// File is a rule file with its old and its new content.
type File struct {
	Path     string
	Old, New []byte
}

// Gate asks promtool whether it accepts the new content of files, and whether
// the unit tests still pass with it. others are rule files that do not change
// but that tests may load. Nothing outside a temporary folder is written.
func Gate(ctx context.Context, files []File, others, tests []string) error {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		return fmt.Errorf("asking promtool: %w; it comes with Prometheus (on Debian: apt-get install prometheus)", err)
	}
	dir, err := os.MkdirTemp("", "upkeep-rules-")
	if err != nil {
		return fmt.Errorf("asking promtool: %w", err)
	}
	defer os.RemoveAll(dir)
	copies := map[string][]byte{}
	for _, path := range append(append([]string{}, others...), tests...) {
		if copies[path], err = os.ReadFile(path); err != nil {
			return fmt.Errorf("asking promtool: %w", err)
		}
	}
	var check []string
	for _, f := range files {
		copies[f.Path] = f.New
	}
	// Absolute paths below the folder keep what tests say of places true.
	for path, data := range copies {
		to, err := below(dir, path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return fmt.Errorf("asking promtool: %w", err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return fmt.Errorf("asking promtool: %w", err)
		}
	}
	for _, f := range files {
		to, err := below(dir, f.Path)
		if err != nil {
			return err
		}
		check = append(check, to)
	}
	if err := ask(ctx, promtool, dir, append([]string{"check", "rules"}, check...)); err != nil {
		return err
	}
	if len(tests) == 0 {
		return nil
	}
	args := []string{"test", "rules"}
	for _, path := range tests {
		to, err := below(dir, path)
		if err != nil {
			return err
		}
		args = append(args, to)
	}
	return ask(ctx, promtool, dir, args)
}

func below(dir, path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("asking promtool: %w", err)
	}
	return filepath.Join(dir, abs), nil
}

func ask(ctx context.Context, promtool, dir string, args []string) error {
	cmd := exec.CommandContext(ctx, promtool, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		text := strings.ReplaceAll(strings.TrimSpace(string(out)), dir, "")
		return fmt.Errorf("promtool %s refuses the change, nothing was written: %w", strings.Join(args[:2], " "), errors.New(text))
	}
	return nil
}
