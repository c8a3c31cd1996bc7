package tune

import (
	"math"
	"slices"
	"time"
)

// Series is the measured side of a rule for one fingerprint, on the grid of
// its evaluations. NaN stands where there is no value.
type Series struct {
	Fingerprint string
	Start       time.Time
	Values      []float64
}

// Defaults of the method, from the written description.
const (
	groupInterval  = 5 * time.Minute // episodes closer than this are one page
	minJudged      = 5
	minShare       = 0.2
	minFidelity    = 0.9
	minRemoved     = 0.1
	wilsonZ        = 0.84
	kappa          = 2.0
	incidentGap    = 30 * time.Minute
	weightCritical = 30.0
	weightWarning  = 10.0
	weightInfo     = 3.0
)

// replayed is one page of a replay.
type replayed struct {
	series     int
	from, to   int // evaluations, from the first active one to the last firing one
	start, end time.Time
	verdict    Verdict
	survival   float64 // the highest level that it would still have passed
}

// Replay looks for the number that removes most false pages without losing a
// confirmed one, by replaying the rule over its history.
func Replay(r Rule, series []Series, pages []Page, b Bounds, now time.Time, window time.Duration) Outcome {
	pages = within(pages, now, window)
	e := count(pages)
	judged := e.True + e.False
	if judged > 0 {
		e.FalseShare = float64(e.False) / float64(judged)
	}
	if judged < minJudged {
		return no(GateFewPages, e, "%d pages were judged, %d are needed", "已判定 %d 次告警，至少需要 %d 次", judged, minJudged)
	}
	if low := wilson(e.False, judged); low <= minShare {
		return no(GateHealthy, e, "%d of %d judged pages were false, which is not surely above 20%% (at least %.0f%%)", "%d/%d 次为误报，无法确定高于 20%%（下限 %.0f%%）", e.False, judged, 100*low)
	}
	if e.True == 0 {
		return no(GateUnconfirmed, e, "none of %d judged pages was true: nothing says which number is too high; consider a lower severity", "%d 次已判定告警均为误报：无法确定上限，建议降低级别", judged)
	}
	m := machine{rule: r, sigma: sigma(r.Op), series: series}
	base := m.run(m.sigma * r.Threshold)
	missing := m.missing(base, pages)
	e.Fidelity = 1 - float64(len(missing))/float64(len(pages))
	if e.Fidelity < minFidelity {
		return no(GateFidelity, e, "replay matches only %.0f%% of the recorded pages: has the expression changed, or is data missing?", "回放仅吻合 %.0f%% 的告警记录：表达式是否变更，或数据缺失？", 100*e.Fidelity)
	}
	for _, q := range missing {
		if q.Verdict == True { // what it reached is not known, so no number is known to keep it
			at := q.Start.UTC().Format(time.RFC3339)
			return no(GateFidelity, e, "replay lacks the confirmed page of %s: has the expression changed, or is data missing?", "回放中缺少 %s 的已确认告警：表达式是否变更，或数据缺失？", at)
		}
	}
	m.judge(base, pages)
	return m.choose(base, e, b)
}

// machine is Prometheus' alert state machine over fetched series.
type machine struct {
	rule   Rule
	sigma  float64 // +1 for > and >=, -1 for < and <=: levels grow with severity
	series []Series
}

func sigma(op string) float64 {
	if op == "<" || op == "<=" {
		return -1
	}
	return 1
}

func (m machine) active(value, level float64) bool {
	if math.IsNaN(value) {
		return false
	}
	y := m.sigma * value
	return y > level || (y == level && (m.rule.Op == ">=" || m.rule.Op == "<="))
}

// hold is how many evaluations an alert must stay active before it fires.
func (m machine) hold() int { return ceil(m.rule.For, m.rule.Interval) }

func ceil(d, step time.Duration) int { return int((d + step - 1) / step) }

// run returns the pages that the rule would have sent with a level, by series
// and time.
func (m machine) run(level float64) []replayed {
	var out []replayed
	for s := range m.series {
		out = m.episodes(out, s, 0, len(m.series[s].Values)-1, level)
	}
	return out
}

// episodes appends the pages of one series between two evaluations. A page of
// a stricter level lies within one of a looser level, so that only those need
// to be looked at again.
func (m machine) episodes(out []replayed, s, from, to int, level float64) []replayed {
	hold, keep := m.hold(), ceil(m.rule.KeepFiringFor, m.rule.Interval)
	begun, last, firing := -1, -1, false
	flush := func() {
		if firing {
			out = m.add(out, s, begun, last)
		}
		begun, firing = -1, false
	}
	for i := from; i <= to; i++ {
		switch {
		case m.active(m.series[s].Values[i], level):
			if begun < 0 {
				begun = i
			}
			last = i
			firing = firing || i-begun >= hold
		case begun >= 0 && (!firing || i-last > keep):
			flush()
		}
	}
	flush()
	return out
}

// add appends an episode, joined to the one before it when Alertmanager would
// have sent one page of both.
func (m machine) add(out []replayed, s, from, to int) []replayed {
	at := func(i int) time.Time { return m.series[s].Start.Add(time.Duration(i) * m.rule.Interval) }
	start, end := at(from+m.hold()), at(to)
	if n := len(out); n > 0 && out[n-1].series == s && start.Sub(out[n-1].end) <= groupInterval {
		out[n-1].to, out[n-1].end = to, end
		return out
	}
	return append(out, replayed{series: s, from: from, to: to, start: start, end: end})
}

// judge carries verdicts over to replayed pages and computes their survival.
func (m machine) judge(base []replayed, pages []Page) {
	for i := range base {
		p := &base[i]
		for _, q := range pages {
			if q.Fingerprint != m.series[p.series].Fingerprint || !overlap(*p, q, 2*m.rule.Interval) {
				continue
			}
			if q.Verdict == True || (q.Verdict == False && p.verdict == Unjudged) {
				p.verdict = q.Verdict
			}
		}
		p.survival = survival(m.series[p.series].Values[p.from:p.to+1], m.hold(), m.sigma)
	}
}

func overlap(p replayed, q Page, slack time.Duration) bool {
	return !q.Start.After(p.end.Add(slack)) && (q.End.IsZero() || !q.End.Before(p.start.Add(-slack)))
}

// missing are the recorded pages that the replay does not have. Pages of series
// that were not fetched are among them.
func (m machine) missing(base []replayed, pages []Page) []Page {
	var out []Page
	for _, q := range pages {
		if !slices.ContainsFunc(base, func(p replayed) bool {
			return m.series[p.series].Fingerprint == q.Fingerprint && overlap(p, q, 2*m.rule.Interval)
		}) {
			out = append(out, q)
		}
	}
	return out
}

// survival is the highest level that a page still passes: over all windows of
// hold+1 evaluations, the largest of their least values. A missing value ends
// a window. The minima come from a queue of rising values.
func survival(values []float64, hold int, sigma float64) float64 {
	best, from := math.Inf(-1), 0
	var queue []int
	for i, v := range values {
		if math.IsNaN(v) {
			queue, from = queue[:0], i+1
			continue
		}
		for len(queue) > 0 && sigma*values[queue[len(queue)-1]] >= sigma*v {
			queue = queue[:len(queue)-1]
		}
		queue = append(queue, i)
		if queue[0] < i-hold {
			queue = queue[1:]
		}
		if i-from >= hold {
			best = max(best, sigma*values[queue[0]])
		}
	}
	return best
}

// wilson is the one-sided lower bound of a share.
func wilson(hits, n int) float64 {
	z, total := wilsonZ, float64(n)
	p := float64(hits) / total
	return (p + z*z/(2*total) - z*math.Sqrt(p*(1-p)/total+z*z/(4*total*total))) / (1 + z*z/total)
}
