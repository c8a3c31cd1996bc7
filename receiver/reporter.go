package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/MNS-Vic/upkeep/internal/atomicfile"
	"github.com/MNS-Vic/upkeep/receiver/ledger"
	"github.com/MNS-Vic/upkeep/receiver/report"
)

// reporter writes an incident's report when the engine closes it. Without a
// folder the report is made when it is asked for: the ledger has all of it.
type reporter struct {
	ledger *ledger.Ledger
	dir    string
}

// Report writes the report as Markdown and JSON and says where it is.
func (r reporter) Report(ctx context.Context, id int64) (string, error) {
	if r.dir == "" {
		return fmt.Sprintf("/api/v1/reports/%d", id), nil
	}
	d, err := r.ledger.Detail(ctx, id)
	if err != nil {
		return "", err
	}
	js, err := report.JSON(d)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(r.dir, 0o750); err != nil {
		return "", fmt.Errorf("making the folder of reports: %w", err)
	}
	base := filepath.Join(r.dir, fmt.Sprintf("incident-%d", id))
	if err := atomicfile.Write(base+".json", js, 0o640); err != nil {
		return "", err
	}
	return base + ".md", atomicfile.Write(base+".md", report.Markdown(d), 0o640)
}
