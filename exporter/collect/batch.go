package collect

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// DefaultSeriesLimit bounds the series of one family of one source where the
// configuration does not.
const DefaultSeriesLimit = 5000

// Batch takes what one collection finds. It is kept from one collection to the
// next, so that the text of a series' labels is made once, and it is used by
// one collection at a time.
type Batch struct {
	limit  int // series of one family
	groups map[*family]*group
	round  uint64
	size   int // series in this round
	key    []byte
}

// group is one family and its series.
type group struct {
	family     *family
	series     map[string]*series
	found      []sample // this round's
	round      uint64
	overLimit  int // series that were left out
	duplicates int
}

// series is one set of label values and the text of it.
type series struct {
	values []string // in the order of family.labels
	text   string   // a="b",c="d"
	round  uint64
}

type sample struct {
	series    *series
	value     float64
	histogram *Histogram
	summary   *Summary
}

// Histogram is a distribution that a source counts by itself.
type Histogram struct {
	Count   uint64
	Sum     float64
	Buckets []Bucket // ascending; +Inf may be left out
}

// Bucket counts observations at or below its upper bound.
type Bucket struct {
	UpperBound float64
	Cumulative uint64
}

// Summary is a distribution of which a source knows some quantiles.
type Summary struct {
	Count     uint64
	Sum       float64
	Quantiles []Quantile // ascending
}

// Quantile is a value that the share Quantile, 0 to 1, of observations does
// not exceed.
type Quantile struct{ Quantile, Value float64 }

// NewBatch makes a Batch; limit bounds the series of one family, 0 for the
// default.
func NewBatch(limit int) *Batch {
	if limit <= 0 {
		limit = DefaultSeriesLimit
	}
	return &Batch{limit: limit, groups: map[*family]*group{}, round: 1}
}

// Len is how many series the round has found.
func (b *Batch) Len() int { return b.size }

// Add takes one value. Values of labels come from servers and from the kernel;
// bytes that are not UTF-8 are replaced, since one of them would spoil the
// whole exposition. A series that was added before is left as it is, and one
// beyond the limit is left out; both are counted.
func (b *Batch) Add(f Family, value float64, labelValues ...string) {
	b.put(f.family, sample{value: value}, labelValues)
	for _, alias := range f.aliases {
		b.put(alias, sample{value: value}, labelValues)
	}
}

// AddHistogram takes a distribution. h is kept until the next round.
func (b *Batch) AddHistogram(f Family, h *Histogram, labelValues ...string) {
	b.put(f.family, sample{histogram: h}, labelValues)
}

// AddSummary takes a summary. s is kept until the next round.
func (b *Batch) AddSummary(f Family, s *Summary, labelValues ...string) {
	b.put(f.family, sample{summary: s}, labelValues)
}

func (b *Batch) put(f *family, s sample, values []string) {
	if len(values) != f.given {
		panic(fmt.Sprintf("%s takes %d label values and got %d", f.name, f.given, len(values)))
	}
	g := b.groups[f]
	if g == nil {
		g = &group{family: f, series: map[string]*series{}}
		b.groups[f] = g
	}
	if g.round != b.round {
		g.round, g.found, g.overLimit, g.duplicates = b.round, g.found[:0], 0, 0
	}
	b.key = b.key[:0]
	for _, v := range values {
		if !utf8.ValidString(v) {
			v = strings.ToValidUTF8(v, "\uFFFD")
		}
		b.key = append(append(b.key, v...), 0xff)
	}
	known := g.series[string(b.key)]
	switch {
	case known != nil && known.round == b.round:
		g.duplicates++
		return
	case len(g.found) >= b.limit:
		g.overLimit++
		return
	case known == nil:
		known = f.series(values)
		g.series[string(b.key)] = known
	}
	known.round = b.round
	s.series = known
	g.found = append(g.found, s)
	b.size++
}

// Restart forgets what the round has found so far, for a collection that asks
// again.
func (b *Batch) Restart() { b.begin() }

// Cut tells that n more series of f exist than the source hands over.
func (b *Batch) Cut(f Family, n int) {
	if g := b.groups[f.family]; n > 0 && g != nil && g.round == b.round {
		g.overLimit += n
	}
}

// begin starts a round.
func (b *Batch) begin() {
	b.round++
	b.size = 0
}

// tidy forgets what the round has not found again.
func (b *Batch) tidy() {
	for f, g := range b.groups {
		if g.round != b.round {
			delete(b.groups, f)
			continue
		}
		if len(g.series) == len(g.found) {
			continue
		}
		for key, s := range g.series {
			if s.round != b.round {
				delete(g.series, key)
			}
		}
	}
}
