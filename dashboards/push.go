package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/grafana-tools/sdk"
)

// push sends every dashboard that Grafana has differently. What is equal is not
// sent, so that a second run makes no new versions.
func push(ctx context.Context, g *grafana, folder string, b build, logger *slog.Logger) error {
	files, err := render(b)
	if err != nil {
		return err
	}
	if err := g.ensureFolder(ctx, folder); err != nil {
		return err
	}
	message := "upkeep-dashboards push"
	if b.Commit != "" {
		message += " of " + b.Commit
	}
	for _, f := range files {
		stored, err := g.stored(ctx, f.UID)
		if err != nil {
			return err
		}
		same, err := equal(stored, f.JSON)
		if err != nil {
			return fmt.Errorf("comparing dashboard %q: %w", f.UID, err)
		}
		if same {
			logger.Info("dashboard unchanged", "uid", f.UID)
			continue
		}
		if err := g.save(ctx, saveRequest{Dashboard: f.JSON, FolderUID: folder, Overwrite: true, Message: message}); err != nil {
			return fmt.Errorf("saving dashboard %q: %w", f.UID, err)
		}
		logger.Info("dashboard pushed", "uid", f.UID, "folder", folder)
	}
	return nil
}

// equal compares two dashboards without what Grafana adds when it stores one.
func equal(stored, ours []byte) (bool, error) {
	if stored == nil {
		return false, nil
	}
	var a, b map[string]any
	if err := json.Unmarshal(stored, &a); err != nil {
		return false, err
	}
	if err := json.Unmarshal(ours, &b); err != nil {
		return false, err
	}
	for _, m := range []map[string]any{a, b} {
		delete(m, "id")
		delete(m, "version")
	}
	return reflect.DeepEqual(a, b), nil
}

// annotation is a point or a span in time that every page shows.
type annotation struct {
	Text       string
	Tags       []string
	Start, End time.Time // End is zero for a point
}

// setTimes reads the times that were given; now stands in for a missing start.
func (a *annotation) setTimes(start, end string, now time.Time) (err error) {
	a.Start = now
	if start != "" {
		if a.Start, err = time.Parse(time.RFC3339, start); err != nil {
			return fmt.Errorf("start %q: want a time such as 2026-01-02T15:04:05Z", start)
		}
	}
	if end == "" {
		return nil
	}
	if a.End, err = time.Parse(time.RFC3339, end); err != nil {
		return fmt.Errorf("end %q: want a time such as 2026-01-02T15:04:05Z", end)
	}
	if a.End.Before(a.Start) {
		return fmt.Errorf("end %q: is before the start", end)
	}
	return nil
}

// annotate stores one annotation for the whole organisation; pages find it by tag.
func (g *grafana) annotate(ctx context.Context, a annotation) error {
	request := sdk.CreateAnnotationRequest{Text: a.Text, Tags: a.Tags, Time: a.Start.UnixMilli()}
	if !a.End.IsZero() {
		request.TimeEnd = a.End.UnixMilli()
	}
	_, err := g.client.CreateAnnotation(ctx, request)
	return wrap(err, "storing annotation")
}
