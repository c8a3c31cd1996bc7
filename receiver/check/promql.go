package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/internal/promapi"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// promQL holds when the expression returns anything, as an alerting rule
// fires: comparisons without "bool" leave only the series for which they are true.
type promQL struct{ api *promapi.Client }

func (p promQL) check(ctx context.Context, c incident.Check) (incident.Finding, error) {
	if p.api == nil {
		return incident.Finding{}, errors.New("no prometheus is configured, set global.prometheus")
	}
	series, err := p.api.Query(ctx, c.Query, time.Time{})
	if err != nil {
		return incident.Finding{}, err
	}
	if len(series) == 0 {
		return incident.Finding{Text: "no series"}, nil
	}
	f := incident.Finding{Holds: true, Text: name(series[0].Labels)}
	if points := series[0].Points; len(points) > 0 {
		value := points[len(points)-1].V
		f.Value = &value
		f.Text += fmt.Sprintf(" is %g", value)
	}
	if more := len(series) - 1; more > 0 {
		f.Text += fmt.Sprintf(", and %d more", more)
	}
	return f, nil
}

// name writes labels as PromQL does.
func name(labels map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if key != "__name__" {
			parts = append(parts, fmt.Sprintf("%s=%q", key, labels[key]))
		}
	}
	return labels["__name__"] + "{" + strings.Join(parts, ",") + "}"
}
