package tune

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func now() time.Time { return time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC) }

const month = 30 * 24 * time.Hour

// judged makes pages of which so many were true, false and not judged.
func judged(true_, false_, none int) []Page {
	var out []Page
	for i := range true_ + false_ + none {
		p := Page{Fingerprint: "f", Start: now().Add(-time.Duration(i+1) * time.Hour), End: now().Add(-time.Duration(i+1)*time.Hour + time.Minute)}
		switch {
		case i < true_:
			p.Verdict = True
		case i < true_+false_:
			p.Verdict = False
		}
		out = append(out, p)
	}
	return out
}

func TestSeedToTheLetter(t *testing.T) {
	hi := 110.0
	old := judged(0, 5, 0)
	for i := range old {
		old[i].Start = now().Add(-31 * 24 * time.Hour)
	}
	for name, tc := range map[string]struct {
		op    string
		at    float64
		pages []Page
		b     Bounds
		gate  Gate
		want  float64
	}{
		"no pages":                      {">", 100, nil, Bounds{}, GateQuiet, 0},
		"a fifth is not above a fifth":  {">", 100, judged(4, 1, 0), Bounds{}, GateQuiet, 0},
		"above a fifth":                 {">", 100, judged(3, 1, 0), Bounds{}, GatePassed, 120},
		"not judged counts as a page":   {">", 100, judged(0, 1, 4), Bounds{}, GateQuiet, 0},
		"one page, false":               {">", 0.7, judged(0, 1, 0), Bounds{}, GatePassed, 0.84},
		"older than the window":         {">", 100, old, Bounds{}, GateQuiet, 0},
		"below, to the letter":          {"<", 10, judged(0, 3, 0), Bounds{}, GatePassed, 12},
		"negative, to the letter":       {">", -10, judged(0, 3, 0), Bounds{}, GatePassed, -12},
		"held by a bound":               {">", 100, judged(0, 3, 0), Bounds{Max: &hi}, GatePassed, 110},
		"beyond the bound already":      {">", 600, judged(0, 3, 0), Bounds{Max: &hi}, GateOutOfBounds, 0},
		"at the bound already":          {">", 110, judged(0, 3, 0), Bounds{Max: &hi}, GateOutOfBounds, 0},
		"a step that a person must see": {">", 100, judged(0, 3, 0), Bounds{Step: 0.1}, GatePassed, 120},
	} {
		got := Seed(Rule{Op: tc.op, Threshold: tc.at}, tc.pages, tc.b, now(), month)
		if got.Gate != tc.gate || got.New != tc.want || got.English == "" || got.Chinese == "" {
			t.Errorf("%s: got %+v", name, got)
		}
		if loose := strings.HasSuffix(name, "to the letter"); loose != strings.Contains(got.English, "fire more often") {
			t.Errorf("%s: the reason is %q", name, got.English)
		}
		if got.Review != (tc.b.Step == 0.1) {
			t.Errorf("%s: review is %v", name, got.Review)
		}
	}
}

// world is a random history: a metric with humps, the pages that the rule
// really sent, and verdicts.
func world(r *rand.Rand, op string) (Rule, []Series, []Page) {
	rule := Rule{Op: op, Threshold: 100, For: time.Duration(r.IntN(4)) * time.Minute, Interval: time.Minute, Severity: "P2"}
	s := sigma(op)
	var series []Series
	for k := range 1 + r.IntN(3) {
		values := make([]float64, 3000)
		for i := range values {
			values[i] = 100 + s*(-20+5*r.NormFloat64())
		}
		for range 4 + r.IntN(12) {
			at, height := r.IntN(2900), 5+r.ExpFloat64()*30
			for i := range 3 + r.IntN(30) {
				values[at+i] = 100 + s*(height+2*r.NormFloat64())
			}
		}
		for range r.IntN(3) {
			values[r.IntN(3000)] = math.NaN()
		}
		series = append(series, Series{Fingerprint: string(rune('a' + k)), Start: now().Add(-3000 * time.Minute), Values: values})
	}
	m := machine{rule: rule, sigma: s, series: series}
	var pages []Page
	for _, p := range m.run(s * rule.Threshold) {
		v := False
		if r.IntN(4) == 0 {
			v = True
		} else if r.IntN(5) == 0 {
			v = Unjudged
		}
		pages = append(pages, Page{Fingerprint: series[p.series].Fingerprint, Start: p.start, End: p.end, Verdict: v})
	}
	return rule, series, pages
}

// No confirmed incident is ever lost, the same input gives the same answer, and a
// proposal sends fewer false pages and lies within its bounds.
func TestReplayNeverLosesAConfirmedIncident(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	proposed := 0
	for i := range 600 {
		rule, series, pages := world(r, []string{">", ">=", "<", "<="}[i%4])
		lo, hi := 60.0, 160.0
		b := Bounds{Min: &lo, Max: &hi}
		got := Replay(rule, series, pages, b, now(), month)
		if again := Replay(rule, series, pages, b, now(), month); !reflect.DeepEqual(got, again) {
			t.Fatalf("world %d: %+v, then %+v", i, got, again)
		}
		if got.Gate != GatePassed {
			continue
		}
		proposed++
		m := machine{rule: rule, sigma: sigma(rule.Op), series: series}
		before, after := m.run(m.sigma*rule.Threshold), m.run(m.sigma*got.New)
		m.judge(before, pages)
		kept, since := true, time.Time{} // an incident: confirmed pages less than half an hour apart
		slices.SortFunc(before, func(a, b replayed) int { return a.start.Compare(b.start) })
		for _, p := range before {
			if p.verdict != True {
				continue
			}
			if p.start.Sub(since) >= 30*time.Minute {
				if !kept {
					break
				}
				kept = false
			}
			if p.end.After(since) {
				since = p.end
			}
			kept = kept || slices.ContainsFunc(after, func(q replayed) bool { return q.series == p.series && q.from <= p.to && q.to >= p.from })
		}
		if !kept {
			t.Fatalf("world %d: %s %v loses the confirmed incident until %s", i, rule.Op, got.New, since)
		}
		if got.New < lo || got.New > hi || (got.New-rule.Threshold)*m.sigma <= 0 {
			t.Fatalf("world %d: proposes %s %v", i, rule.Op, got.New)
		}
		if got.Evidence.FalseAfter >= got.Evidence.False {
			t.Fatalf("world %d: removes nothing: %+v", i, got.Evidence)
		}
	}
	if proposed < 50 {
		t.Fatalf("only %d proposals were tested", proposed)
	}
}

func TestGatesSayWhyNothingChanges(t *testing.T) {
	rule := Rule{Op: ">", Threshold: 100, Interval: time.Minute}
	for want, pages := range map[Gate][]Page{
		GateFewPages: judged(1, 2, 9), GateHealthy: judged(8, 1, 0), GateUnconfirmed: judged(0, 9, 0), GateFidelity: judged(3, 6, 0),
	} {
		if got := Replay(rule, nil, pages, Bounds{}, now(), month); got.Gate != want {
			t.Errorf("got %s, want %s", got.Gate, want)
		}
	}
}

func TestWilson(t *testing.T) { // figures of the written method
	for _, tc := range []struct {
		hits, n int
		want    float64
	}{{3, 8, 0.247}, {2, 5, 0.240}, {4, 10, 0.281}} {
		if got := wilson(tc.hits, tc.n); math.Abs(got-tc.want) > 0.0006 {
			t.Errorf("%d of %d: got %.4f, want %.3f", tc.hits, tc.n, got, tc.want)
		}
	}
}

func TestSurvivalEqualsThePlainDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		values := make([]float64, 1+r.IntN(30))
		for i := range values {
			values[i] = float64(r.IntN(9))
			if r.IntN(8) == 0 {
				values[i] = math.NaN()
			}
		}
		hold := r.IntN(6)
		want := math.Inf(-1)
		for i := range values {
			if i+hold >= len(values) {
				break
			}
			least := math.Inf(1)
			for _, v := range values[i : i+hold+1] {
				if math.IsNaN(v) {
					least = math.Inf(-1)
				}
				least = min(least, v)
			}
			if !math.IsNaN(least) {
				want = max(want, least)
			}
		}
		if got := survival(values, hold, 1); got != want {
			t.Fatalf("%v hold %d: got %v, want %v", values, hold, got, want)
		}
	}
}

// What a confirmed page reached must be known before any number can be said to
// keep it; a page that is judged false may be missing.
func TestAConfirmedPageThatTheReplayLacks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	tried := 0
	for range 200 {
		rule, series, pages := world(r, ">")
		if Replay(rule, series, pages, Bounds{}, now(), month).Gate != GatePassed || len(pages) < 20 {
			continue
		}
		tried++
		lost := Page{Fingerprint: series[0].Fingerprint, Start: now().Add(-20 * 24 * time.Hour), End: now().Add(-20 * 24 * time.Hour), Verdict: True}
		if got := Replay(rule, series, append(pages, lost), Bounds{}, now(), month); got.Gate != GateFidelity || !strings.Contains(got.English, "2026-01-11") {
			t.Fatalf("got %+v", got)
		}
		lost.Verdict = False
		if got := Replay(rule, series, append(pages, lost), Bounds{}, now(), month); got.Gate != GatePassed {
			t.Fatalf("got %+v", got)
		}
	}
	if tried < 10 {
		t.Fatalf("only %d worlds were tried", tried)
	}
}

// A candidate is replayed within the pages of the present rule only: the
// answer must be that of a replay of everything.
func TestReplayWithinPagesEqualsReplayOfAll(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 200 {
		rule, series, pages := world(r, []string{">", ">=", "<", "<="}[i%4])
		rule.KeepFiringFor = time.Duration(r.IntN(3)) * time.Minute
		m := machine{rule: rule, sigma: sigma(rule.Op), series: series}
		base := m.run(m.sigma * rule.Threshold)
		m.judge(base, pages)
		level := m.sigma*rule.Threshold + 30*r.Float64()
		var want sent
		for _, q := range m.run(level) {
			for _, p := range base {
				if q.series == p.series && q.from <= p.to && q.to >= p.from {
					switch p.verdict {
					case True:
						want.trues++
					case False:
						want.falses++
					}
				}
			}
		}
		if got := m.sent(level, base, nil); got != want {
			t.Fatalf("world %d: got %+v, want %+v", i, got, want)
		}
	}
}
