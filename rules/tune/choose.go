package tune

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// choose takes the number with the least loss.
func (m machine) choose(base []replayed, e Evidence, b Bounds) Outcome {
	u0 := m.sigma * m.rule.Threshold
	incidents := m.incidents(base)
	e.Incidents = len(incidents)
	if len(incidents) == 0 {
		return no(GateUnconfirmed, e, "no confirmed page is in the replay: nothing says which number is too high", "回放中没有已确认的告警：无法确定上限")
	}
	lowest, mean := math.Inf(1), 0.0
	for _, c := range incidents {
		lowest = min(lowest, c.survival)
		mean += (c.survival - u0) / float64(len(incidents))
	}
	e.Lowest = m.sigma * lowest
	now := m.sent(u0, base, incidents)
	best, bestLoss := candidate{value: m.rule.Threshold, sent: now}, float64(now.falses)
	blocked := false
	for _, level := range m.levels(u0, lowest, base) {
		c := candidate{value: m.sigma * m.write(level, lowest, base)}
		c.value, c.review = b.limit(m.rule.Threshold, c.value)
		u := m.sigma * c.value
		if u <= u0 {
			blocked = true
			continue
		}
		if c.sent = m.sent(u, base, incidents); c.sent.lost {
			continue
		}
		n, risk := float64(len(incidents)), 0.0
		if mean > 0 {
			risk = m.weight() * n * kappa * (1 - math.Exp(-(min(level, u)-u0)/mean)) / (n + kappa)
		}
		extra := max(0, c.sent.trues-now.trues)
		if loss := float64(c.sent.falses) + risk + 0.5*float64(extra); loss < bestLoss {
			best, bestLoss = c, loss
		}
	}
	removed := now.falses - best.sent.falses
	e.FalseAfter, e.TrueAfter = best.sent.falses, best.sent.trues
	switch {
	case best.value == m.rule.Threshold && blocked:
		return no(GateOutOfBounds, e, "the bounds leave no room beyond %v", "上下限不允许超过 %v", m.rule.Threshold)
	case best.value == m.rule.Threshold:
		return no(GateNoBetter, e, "no number removes false pages cheaply enough: the lowest confirmed incident reached %v", "没有更合适的阈值：最低的已确认事件达到 %v", e.Lowest)
	case float64(removed) < max(1, minRemoved*float64(now.falses)):
		return no(GateNoBetter, e, "the best number would remove only %d of %d false pages", "最佳阈值仅能减少 %d/%d 次误报", removed, now.falses)
	}
	out := no(GatePassed, e, "removes %d of %d false pages and keeps all %d confirmed incidents, the lowest of which reached %v", "减少 %d/%d 次误报，保留全部 %d 次已确认事件（最低达到 %v）", removed, now.falses, len(incidents), e.Lowest)
	out.New, out.Review = best.value, best.review
	return out
}

// candidate is a number that could be written, and what it would have sent.
type candidate struct {
	value  float64
	review bool
	sent   sent
}

// levels are where a false page ends to be sent, below what every incident
// reaches, in order.
func (m machine) levels(u0, lowest float64, base []replayed) []float64 {
	var out []float64
	for _, p := range base {
		if p.verdict == False && p.survival >= u0 && p.survival < lowest {
			out = append(out, p.survival)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// incident is confirmed pages that are close, over all series.
type incident struct {
	pages    []int   // of the replay
	survival float64 // the highest level that any of them survives
}

func (m machine) incidents(base []replayed) []incident {
	var trues []int
	for i, p := range base {
		if p.verdict == True {
			trues = append(trues, i)
		}
	}
	slices.SortStableFunc(trues, func(a, b int) int { return base[a].start.Compare(base[b].start) })
	gap := max(incidentGap, 5*m.rule.Interval)
	var out []incident
	var end time.Time
	for _, i := range trues {
		p := base[i]
		if len(out) == 0 || p.start.Sub(end) >= gap {
			out = append(out, incident{survival: math.Inf(-1)})
		}
		c := &out[len(out)-1]
		c.pages = append(c.pages, i)
		c.survival = max(c.survival, p.survival)
		if p.end.After(end) {
			end = p.end
		}
	}
	return out
}

// sent is what a level would have sent: false and true pages, splits included,
// and whether a confirmed incident would have been lost.
type sent struct {
	falses, trues int
	lost          bool
}

func (m machine) sent(level float64, base []replayed, incidents []incident) sent {
	var out sent
	pages := make([]int, len(base))
	for i, p := range base {
		pages[i] = len(m.episodes(nil, p.series, p.from, p.to, level))
		switch p.verdict {
		case False:
			out.falses += pages[i]
		case True:
			out.trues += pages[i]
		}
	}
	for _, c := range incidents {
		out.lost = out.lost || !slices.ContainsFunc(c.pages, func(i int) bool { return pages[i] > 0 })
	}
	return out
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
