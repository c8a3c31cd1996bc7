package tune

import (
	"strconv"
	"time"
)

// The plain rule: when more than a fifth of a rule's pages of thirty days were
// false, its threshold is multiplied by 1.2.
const (
	seedShare  = 0.2
	seedFactor = 1.2
)

// Seed is the plain rule, to the letter: pages that nobody judged count among
// all pages, a rule without pages has a share of 0, and the threshold is
// multiplied also where that makes the rule looser (for < and <=, or a
// negative number), which the reason then says.
func Seed(r Rule, pages []Page, b Bounds, now time.Time, window time.Duration) Outcome {
	e := count(within(pages, now, window))
	if e.Pages > 0 {
		e.FalseShare = float64(e.False) / float64(e.Pages)
	}
	percent := strconv.FormatFloat(100*e.FalseShare, 'f', 1, 64) + "%"
	if e.FalseShare <= seedShare {
		return no(GateQuiet, e, "false alarm rate %s is not above 20%% (%d of %d pages), no change", "误报率 %s，未超过 20%%（%d/%d），不调整", percent, e.False, e.Pages)
	}
	wanted := tidy(r.Threshold * seedFactor)
	value, review := b.limit(r.Threshold, wanted)
	if (value-r.Threshold)*(wanted-r.Threshold) <= 0 { // no step is left, or only one backwards
		return no(GateOutOfBounds, e, "false alarm rate %s is above 20%% (%d of %d pages), but the bounds leave no room to change %v", "误报率过高 %s，超过 20%%（%d/%d），但上下限不允许调整 %v", percent, e.False, e.Pages, r.Threshold)
	}
	out := no(GatePassed, e, "false alarm rate %s is above 20%% (%d of %d pages), threshold raised by a factor 1.2", "误报率过高 %s，超过 20%%（%d/%d），阈值乘以 1.2", percent, e.False, e.Pages)
	out.New, out.Review = value, review
	if value != wanted {
		out.English += ", held at the bound " + strconv.FormatFloat(value, 'g', -1, 64)
		out.Chinese += "，限于边界 " + strconv.FormatFloat(value, 'g', -1, 64)
	}
	if (r.Op == "<" || r.Op == "<=") != (r.Threshold < 0) {
		out.English += "; to the letter, which makes this rule fire more often"
		out.Chinese += "；按原规则执行，会使该告警更频繁"
	}
	return out
}

// tidy takes the noise of binary arithmetic off a number: 12 digits say more
// than any threshold needs.
func tidy(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
	if err != nil {
		return v
	}
	return out
}
