package collect

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
)

// Snapshot is what one collection has found, rendered. It never changes.
type Snapshot struct {
	blocks []block // sorted by name
	series int
	cut    []Cut

	once  sync.Once
	proto []*dto.MetricFamily
}

// block is one family of a snapshot.
type block struct {
	family  *family
	text    []byte // without its header
	samples []sample
}

// Cut says that a family has more series than are served.
type Cut struct {
	Family     string
	OverLimit  int // beyond the limit of series
	Duplicates int // a source that names the same series twice
}

// Series is how many series the snapshot holds, a histogram counting as one.
func (s *Snapshot) Series() int { return s.series }

// seal renders the round and ends it.
func (b *Batch) seal(lastSize int) (*Snapshot, int) {
	b.tidy()
	out := &Snapshot{series: b.size, blocks: make([]block, 0, len(b.groups))}
	samples := make([]sample, 0, b.size)
	for _, g := range b.groups {
		from := len(samples)
		samples = append(samples, g.found...)
		out.blocks = append(out.blocks, block{family: g.family, samples: samples[from:len(samples):len(samples)]})
		if g.overLimit > 0 || g.duplicates > 0 {
			out.cut = append(out.cut, Cut{g.family.name, g.overLimit, g.duplicates})
		}
	}
	slices.SortFunc(out.blocks, func(a, b block) int { return strings.Compare(a.family.name, b.family.name) })
	text := make([]byte, 0, lastSize+lastSize/16+512)
	for i := range out.blocks {
		from := len(text)
		text = out.blocks[i].render(text)
		out.blocks[i].text = text[from:]
	}
	for i, from := 0, 0; i < len(out.blocks); i++ { // text may have moved while it grew
		n := len(out.blocks[i].text)
		out.blocks[i].text = text[from : from+n : from+n]
		from += n
	}
	return out, len(text)
}

// Fill runs fill on a new batch and returns what it holds: for tests, and for
// metrics that are made on demand.
func Fill(limit int, fill func(*Batch)) *Snapshot {
	b := NewBatch(limit)
	fill(b)
	s, _ := b.seal(0)
	return s
}

// WriteText writes the snapshots in the Prometheus text format, families sorted
// by name. Families that several snapshots have are put together; those that
// skip names are left out. Nothing is copied on the way.
func WriteText(w io.Writer, snapshots []*Snapshot, skip map[string]bool) error {
	next := make([]int, len(snapshots)) // the first block of each that is not written yet
	for {
		name := ""
		for i, s := range snapshots {
			if next[i] < len(s.blocks) && (name == "" || s.blocks[next[i]].family.name < name) {
				name = s.blocks[next[i]].family.name
			}
		}
		if name == "" {
			return nil
		}
		begun := skip[name]
		for i, s := range snapshots {
			for next[i] < len(s.blocks) && s.blocks[next[i]].family.name == name {
				b := &s.blocks[next[i]]
				next[i]++
				if skip[name] {
					continue
				}
				if !begun {
					begun = true
					if _, err := io.WriteString(w, b.family.header); err != nil {
						return err
					}
				}
				if _, err := w.Write(b.text); err != nil {
					return err
				}
			}
		}
	}
}

// Text is the snapshot in the Prometheus text format; "" for none.
func (s *Snapshot) Text() string {
	if s == nil {
		return ""
	}
	var b strings.Builder
	_ = WriteText(&b, []*Snapshot{s}, nil) // a builder takes everything
	return b.String()
}

// Once collects one time, outside of any Set. The snapshot is never nil.
func Once(ctx context.Context, c Collector) (*Snapshot, error) {
	var err error
	s := Fill(0, func(b *Batch) { err = c.Collect(ctx, b) })
	return s, err
}
