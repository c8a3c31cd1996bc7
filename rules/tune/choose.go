package tune

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// choose takes the candidate with the least loss.
func (m machine) choose(base []replayed, e Evidence, b Bounds) Outcome {
	u0 := m.sigma * m.rule.Threshold
	incidents := m.incidents(base)
	e.Incidents = len(incidents)
	if len(incidents) == 0 {
		return no(GateUnconfirmed, e, "no confirmed page is in the replay: nothing says which number is too high", "回放中没有已确认的告警：无法确定上限")
	}
	lowest, mean := math.Inf(1), 0.0
	for _, s := range incidents {
		lowest = min(lowest, s)
		mean += (s - u0) / float64(len(incidents))
	}
	e.Lowest = m.sigma * lowest
	falseNow := 0
	candidates := []float64{u0}
	for _, p := range base {
		if p.verdict == False {
			falseNow++
			if p.survival > u0 && p.survival < lowest {
				candidates = append(candidates, p.survival)
			}
		}
	}
	slices.Sort(candidates)
	candidates = slices.Compact(candidates)
	best, bestLoss := u0, math.Inf(1)
	for _, u := range candidates {
		f, t, lost := m.sent(u, base)
		if lost {
			continue
		}
		c := float64(len(incidents))
		risk := 0.0
		if mean > 0 {
			risk = m.weight() * c * kappa * (1 - math.Exp(-(u-u0)/mean)) / (c + kappa)
		}
		extra := max(0, t-trues(base))
		if loss := float64(f) + risk + 0.5*float64(extra); loss < bestLoss {
			best, bestLoss = u, loss
		}
	}
	if best == u0 {
		return no(GateNoBetter, e, "no number removes false pages cheaply enough: the lowest confirmed page reached %v", "没有更合适的阈值：最低的已确认告警达到 %v", e.Lowest)
	}
	value := m.sigma * m.write(best, lowest, base)
	value, review := b.limit(m.rule.Threshold, value)
	f, t, lost := m.sent(m.sigma*value, base)
	e.FalseAfter, e.TrueAfter = f, t
	removed := falseNow - f
	switch {
	case lost, (value-m.rule.Threshold)*m.sigma <= 0:
		return no(GateOutOfBounds, e, "the better number %v may not be written within the bounds", "更合适的阈值 %v 超出允许范围", m.sigma*best)
	case float64(removed) < max(1, minRemoved*float64(falseNow)):
		return no(GateNoBetter, e, "the best number would remove only %d of %d false pages", "最佳阈值仅能减少 %d/%d 次误报", removed, falseNow)
	}
	out := no(GatePassed, e, "removes %d of %d false pages and keeps all %d confirmed incidents, the lowest of which reached %v", "减少 %d/%d 次误报，保留全部 %d 次已确认事件（最低达到 %v）", removed, falseNow, len(incidents), e.Lowest)
	out.New, out.Review = value, review
	return out
}

// incidents groups true pages that are close, over all series, and returns the
// highest level that each incident survives.
func (m machine) incidents(base []replayed) []float64 {
	var trues []replayed
	for _, p := range base {
		if p.verdict == True {
			trues = append(trues, p)
		}
	}
	slices.SortFunc(trues, func(a, b replayed) int { return a.start.Compare(b.start) })
	gap := max(incidentGap, 5*m.rule.Interval)
	var out []float64
	var end time.Time
	for _, p := range trues {
		if len(out) > 0 && p.start.Sub(end) < gap {
			out[len(out)-1] = max(out[len(out)-1], p.survival)
		} else {
			out = append(out, p.survival)
		}
		if p.end.After(end) {
			end = p.end
		}
	}
	return out
}

// sent counts the false and true pages that a level would have sent, splits
// included, and reports whether a confirmed page would have been lost.
func (m machine) sent(level float64, base []replayed) (falses, trues int, lost bool) {
	now := m.run(level)
	for _, p := range base {
		n := 0
		for _, q := range now {
			if q.series == p.series && q.from <= p.to && q.to >= p.from {
				n++
			}
		}
		switch p.verdict {
		case False:
			falses += n
		case True:
			trues += n
			lost = lost || n == 0
		}
	}
	return falses, trues, lost
}

func trues(base []replayed) int {
	n := 0
	for _, p := range base {
		if p.verdict == True {
			n++
		}
	}
	return n
}

// weight is how many false pages one lost incident is worth.
func (m machine) weight() float64 {
	switch m.rule.Severity {
	case "P1", "critical":
		return weightCritical
	case "P3", "P4", "info":
		return weightInfo
	}
	return weightWarning
}

// write picks, between the chosen level and the next one that any page
// survives, the number with the fewest digits in the lower half: all of them
// decide the history alike.
func (m machine) write(level, lowest float64, base []replayed) float64 {
	next := lowest
	for _, p := range base {
		if p.survival > level {
			next = min(next, p.survival)
		}
	}
	low, high := level, level+(next-level)/2
	inclusive := m.rule.Op == ">=" || m.rule.Op == "<="
	for digits := 1; digits <= 15; digits++ {
		for _, v := range roundings(high, digits) {
			if (v > low || (v == low && !inclusive)) && v <= high {
				return v
			}
		}
	}
	return high
}

// roundings are the numbers of so many digits around v, the lower first.
func roundings(v float64, digits int) []float64 {
	if v == 0 {
		return []float64{0}
	}
	unit := math.Pow10(int(math.Floor(math.Log10(math.Abs(v)))) - digits + 1)
	var out []float64
	for _, n := range []float64{math.Floor(v / unit), math.Ceil(v / unit)} {
		text := strconv.FormatFloat(n*unit, 'g', max(digits, 1), 64)
		if r, err := strconv.ParseFloat(text, 64); err == nil {
			out = append(out, r)
		}
	}
	return out
}
