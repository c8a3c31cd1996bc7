package history

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/MNS-Vic/upkeep/internal/promapi"
)

// Limits of fetching: points in one request (servers take 11,000), and samples
// of one rule in all.
const (
	chunk  = 10_000
	budget = 5_000_000
)

// Series is one series on the grid of evaluations; NaN where it has no value.
type Series struct {
	Labels map[string]string
	Start  time.Time
	Values []float64
}

// Samples evaluates expr over (end-window, end] every step, on multiples of
// the step, in chunks, one at a time.
func Samples(ctx context.Context, prom *promapi.Client, expr string, end time.Time, window, step time.Duration) ([]Series, error) {
	if step <= 0 || window < step {
		return nil, fmt.Errorf("fetching samples: step %s and window %s do not fit", step, window)
	}
	last := end.Truncate(step)
	points := int(window / step)
	start := last.Add(-time.Duration(points-1) * step)
	index := map[string]int{}
	var out []Series
	for done := 0; done < points; done += chunk {
		n := min(chunk, points-done)
		from := start.Add(time.Duration(done) * step)
		got, err := prom.QueryRange(ctx, expr, from, from.Add(time.Duration(n-1)*step), step)
		if err != nil {
			return nil, fmt.Errorf("fetching samples of %q: %w", expr, err)
		}
		for _, s := range got {
			delete(s.Labels, "__name__")
			key := fmt.Sprint(s.Labels) // maps print in order of their keys
			i, ok := index[key]
			if !ok {
				if (len(out)+1)*points > budget {
					return nil, fmt.Errorf("fetching samples of %q: more than %d samples; shorten --window or evaluate the group less often", expr, budget)
				}
				i = len(out)
				index[key] = i
				values := make([]float64, points)
				for j := range values {
					values[j] = math.NaN()
				}
				out = append(out, Series{Labels: s.Labels, Start: start, Values: values})
			}
			for _, p := range s.Points {
				if j := int(p.T.Sub(start) / step); j >= 0 && j < points {
					out[i].Values[j] = p.V
				}
			}
		}
	}
	return out, nil
}
