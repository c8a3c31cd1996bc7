package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/MNS-Vic/upkeep/dashboards/panel"
	"github.com/MNS-Vic/upkeep/internal/atomicfile"
)

// build is what the pages depend on besides the code.
type build struct {
	Language string // en or zh
	Commit   string // shown at the foot of each page; empty in committed files
}

// file is one generated dashboard.
type file struct {
	UID  string
	JSON []byte
}

// Name is the name of the file in the output folder.
func (f file) Name() string { return f.UID + ".json" }

// pages are all dashboards, in the order in which the reader meets them.
func pages(b build) []panel.Page {
	return []panel.Page{
		overview(b),
	}
}

func render(b build) ([]file, error) {
	var files []file
	for _, p := range pages(b) {
		data, err := panel.Render(p)
		if err != nil {
			return nil, err
		}
		files = append(files, file{UID: p.UID, JSON: data})
	}
	return files, nil
}

// generate writes every dashboard into dir.
func generate(dir string, b build, logger *slog.Logger) error {
	files, err := render(b)
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		if err := atomicfile.Write(path, f.JSON, 0o644); err != nil {
			return err
		}
		logger.Info("dashboard written", "file", path)
	}
	return nil
}

// check compares the files in dir with what generate would write, and reports
// every file that differs.
func check(dir string, b build) error {
	files, err := render(b)
	if err != nil {
		return err
	}
	var drift []error
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		stored, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			drift = append(drift, fmt.Errorf("%s is missing; run: make generate", path))
		case err != nil:
			return fmt.Errorf("reading dashboard file: %w", err)
		case !bytes.Equal(stored, f.JSON):
			drift = append(drift, fmt.Errorf("%s differs from the code at line %d; run: make generate", path, firstDifference(stored, f.JSON)))
		}
	}
	return errors.Join(drift...)
}

// firstDifference is the number of the first line in which a and b differ.
func firstDifference(a, b []byte) int {
	line := 1
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '\n' {
			line++
		}
	}
	return line
}
