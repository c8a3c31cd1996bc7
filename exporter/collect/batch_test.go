package collect

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// expected is what the library of the text format writes for the same data.
func expected(t *testing.T, snapshots ...*Snapshot) string {
	t.Helper()
	var out bytes.Buffer
	for _, f := range Families(snapshots, nil) {
		if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func text(t *testing.T, snapshots ...*Snapshot) string {
	t.Helper()
	var out strings.Builder
	if err := WriteText(&out, snapshots, nil); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func some(n Names, values ...float64) *Snapshot {
	gauge := n.Gauge("a_gauge", "With \\ and\nnewline.", "zone", "disk")
	counter := n.Counter("a_total", "Plain.").As("a")
	untyped := n.Untyped("b_any", "Any.", "x")
	histogram := n.Histogram("c_seconds", "Times.", "cmd")
	open := n.Histogram("d_seconds", "Times.")
	summary := n.Summary("e_seconds", "Quantiles.", "cmd")
	return Fill(0, func(b *Batch) {
		for i, v := range values {
			b.Add(gauge, v, fmt.Sprint("zone", i), "back\\slash \"quoted\" new\nline")
			b.Add(untyped, -v, "bad \xff utf-8 "+fmt.Sprint(i))
		}
		b.Add(counter, 42)
		b.AddHistogram(histogram, &Histogram{Count: 3, Sum: 1.5, Buckets: []Bucket{{0.001, 1}, {1, 2}, {math.Inf(1), 3}}}, "get")
		b.AddHistogram(open, &Histogram{Count: 1 << 40, Sum: math.NaN(), Buckets: []Bucket{{1e-9, 0}, {1e9, 5}}})
		b.AddSummary(summary, &Summary{Count: 2, Sum: 7, Quantiles: []Quantile{{0.5, 3}, {0.999, 4}}}, "get")
		b.AddSummary(summary, &Summary{}, "set")
	})
}

func TestTheTextIsTheLibrarysByteForByte(t *testing.T) {
	numbers := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1.5, 999999, 1e6, 1e6 + 1, 123456789, 1e20, 1e21, 1e22, 1e-4, 1e-5, 5e-324, math.MaxFloat64,
		math.Inf(1), math.Inf(-1), math.NaN(), 1700000000.123, 9007199254740993, -999999, -1e6,
	}
	one := some(NewNames(Naming{Aliases: true}), numbers...)
	labelled := some(NewNames(Naming{Aliases: true, Target: "db 2", Labels: map[string]string{"team": "\"a\"", "Zone": "z"}}), 1, 2)
	for name, snapshots := range map[string][]*Snapshot{"one": {one}, "labelled": {labelled}, "two": {one, labelled}} {
		if diff := cmp.Diff(expected(t, snapshots...), text(t, snapshots...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\"b\\c\nd", 1.5)
	f.Add("\xff\xfe", math.Inf(-1))
	f.Fuzz(func(t *testing.T, value string, number float64) {
		gauge := NewNames(Naming{}).Gauge("a", "Help.", "l")
		s := Fill(0, func(b *Batch) { b.Add(gauge, number, value) })
		if got, want := s.Text(), expected(t, s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		parser := expfmt.NewTextParser(model.LegacyValidation)
		if _, err := parser.TextToMetricFamilies(strings.NewReader(s.Text())); err != nil {
			t.Error(err)
		}
	})
}

func TestAliasesAreTheSameSeriesAndCanBeLeftOut(t *testing.T) {
	with := some(NewNames(Naming{Aliases: true})).Text()
	without := some(NewNames(Naming{})).Text()
	if !strings.Contains(with, "\na 42\n") || strings.Contains(without, "\na 42\n") || !strings.Contains(without, "\na_total 42\n") {
		t.Errorf("with:\n%s\nwithout:\n%s", with, without)
	}
}

func TestNoFamilyGrowsWithoutBound(t *testing.T) {
	gauge := NewNames(Naming{}).Gauge("a", "Help.", "l")
	b := NewBatch(3)
	for round := range 3 {
		b.begin()
		for i := range 10 {
			b.Add(gauge, 1, fmt.Sprint(round*100+i))
		}
		b.Add(gauge, 2, fmt.Sprint(round*100)) // twice the same
		s, _ := b.seal(0)
		if diff := cmp.Diff([]Cut{{"a", 7, 1}}, s.cut); diff != "" || s.Series() != 3 {
			t.Errorf("%d series, cut %s", s.Series(), diff)
		}
		if text := s.Text(); strings.Contains(text, " 2\n") {
			t.Errorf("the second value replaced the first:\n%s", text)
		}
		if g := b.groups[gauge.family]; len(g.series) != 3 {
			t.Errorf("%d series are remembered", len(g.series))
		}
	}
	b.begin()
	if s, _ := b.seal(0); s.Series() != 0 || len(b.groups) != 0 {
		t.Error("what is gone is remembered")
	}
}

func TestASnapshotDoesNotChangeWithTheNextRound(t *testing.T) {
	gauge := NewNames(Naming{}).Gauge("a", "Help.", "l")
	b := NewBatch(0)
	round := func(v float64) *Snapshot {
		b.begin()
		for i := range 100 {
			b.Add(gauge, v, fmt.Sprint(i))
		}
		s, _ := b.seal(0)
		return s
	}
	first := round(1)
	before := first.Text()
	round(2)
	if first.Text() != before || expected(t, first) != before {
		t.Error("an older snapshot has changed")
	}
}

// A round with the same series as the one before allocates what it hands out
// and nothing for each series.
func TestARoundDoesNotAllocateForEachSeries(t *testing.T) {
	gauge := NewNames(Naming{}).Gauge("a", "Help.", "l")
	values := make([]string, 2000)
	for i := range values {
		values[i] = fmt.Sprint("value", i)
	}
	b, size := NewBatch(0), 0
	round := func() {
		b.begin()
		for _, v := range values {
			b.Add(gauge, 1.25, v)
		}
		_, size = b.seal(size)
	}
	round()
	if n := testing.AllocsPerRun(20, round); n > 20 {
		t.Errorf("%v allocations for %d series", n, len(values))
	}
}

func BenchmarkRound(b *testing.B) {
	n := NewNames(Naming{})
	var families []Family
	for i := range 30 {
		families = append(families, n.Gauge(fmt.Sprint("family_", i), "Help.", "datname", "schemaname", "relname"))
	}
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprint("table_", i)
	}
	batch, size := NewBatch(0), 0
	var s *Snapshot
	round := func() {
		batch.begin()
		for i, f := range families {
			for j, name := range names {
				batch.Add(f, float64(i*j)*1.1, "bench", "public", name)
			}
		}
		s, size = batch.seal(size)
	}
	b.Run("collect", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			round()
		}
	})
	b.Run("scrape", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := WriteText(io.Discard, []*Snapshot{s}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
