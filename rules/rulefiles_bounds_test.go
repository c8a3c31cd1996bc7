package main_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// literals are the numbers of an expression, wherever they stand.
func literals(t *testing.T, expr string) (numbers []*parser.NumberLiteral) {
	t.Helper()
	parser.Inspect(parse(t, expr), func(n parser.Node, _ []parser.Node) error {
		if l, ok := n.(*parser.NumberLiteral); ok {
			numbers = append(numbers, l)
		}
		return nil
	})
	return numbers
}

func parse(t *testing.T, expr string) parser.Expr {
	t.Helper()
	node, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%v\n%s", err, expr)
	}
	return node
}

// thresholds are the numbers that may be tuned: compared by order with
// something that is measured, and neither 0 nor 1.
func thresholds(t *testing.T, expr string) (numbers []*parser.NumberLiteral) {
	t.Helper()
	ordered := []parser.ItemType{parser.LSS, parser.LTE, parser.GTR, parser.GTE}
	parser.Inspect(parse(t, expr), func(n parser.Node, _ []parser.Node) error {
		b, ok := n.(*parser.BinaryExpr)
		if !ok || !slices.Contains(ordered, b.Op) {
			return nil
		}
		for _, side := range []parser.Expr{b.LHS, b.RHS} {
			if l, ok := side.(*parser.NumberLiteral); ok && l.Val != 0 && l.Val != 1 {
				numbers = append(numbers, l)
			}
		}
		return nil
	})
	return numbers
}

func TestEveryAlertIsTunableOrFixed(t *testing.T) {
	all, tuning := alerts(t), readTuning(t)
	for name := range tuning {
		if _, ok := all[name]; !ok {
			t.Errorf("tuning.yml: there is no alert %s", name)
		}
	}
	for name, r := range all {
		b, ok := tuning[name]
		switch {
		case !ok:
			t.Errorf("tuning.yml: alert %s is missing", name)
		case b.Fixed != "":
			if b.Min != nil || b.Max != nil || b.Step != 0 {
				t.Errorf("tuning.yml: %s is fixed and has bounds", name)
			}
		case b.Min == nil || b.Max == nil || *b.Min >= *b.Max || b.Step < 0 || b.Step > 1:
			t.Errorf("tuning.yml: %s: want min below max and a step of at most 1, or a reason why it is fixed", name)
		default:
			found := thresholds(t, r.Expr)
			if len(found) != 1 {
				t.Errorf("%s: %d thresholds can be tuned, want one: %s", name, len(found), r.Expr)
			} else if v := found[0].Val; v < *b.Min || v > *b.Max {
				t.Errorf("%s: threshold %v is outside of %v to %v", name, v, *b.Min, *b.Max)
			}
		}
	}
}

// The tests of a rule file hold its bounds: they pass for every threshold
// between them and fail outside, for each alert.
func TestRuleTestsHoldTheBounds(t *testing.T) {
	tuning := readTuning(t)
	for _, f := range readRules(t) {
		var tunable []rule
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if b, ok := tuning[r.Alert]; ok && b.Fixed == "" {
					tunable = append(tunable, r)
				}
			}
		}
		if len(tunable) == 0 {
			continue
		}
		for _, try := range []struct {
			name  string
			pass  bool
			value func(bounds) float64
		}{
			{"at the lower bound", true, func(b bounds) float64 { return *b.Min }},
			{"at the upper bound", true, func(b bounds) float64 { return *b.Max }},
			{"below the lower bound", false, func(b bounds) float64 { return *b.Min * 0.8 }},
			{"above the upper bound", false, func(b bounds) float64 { return *b.Max * 1.25 }},
		} {
			t.Run(f.Path+" "+try.name, func(t *testing.T) {
				t.Parallel()
				dir := withThresholds(t, f.Path, tunable, func(r rule) float64 { return try.value(tuning[r.Alert]) })
				out, err := promtool(t, dir, "test", "rules", filepath.Join("tests", f.Path))
				if try.pass && err != nil {
					t.Error(out)
				}
				for _, r := range tunable {
					if failed := strings.Contains(out, `alertname=\"`+r.Alert+`\"`); failed == try.pass {
						t.Errorf("%s: a test of it fails: %v", r.Alert, failed)
					}
				}
			})
		}
	}
}

// withThresholds makes a folder with all rule files and tests, in which the
// alerts of one file have other thresholds.
func withThresholds(t *testing.T, path string, tunable []rule, value func(rule) float64) string {
	t.Helper()
	dir := t.TempDir()
	for _, pattern := range []string{"*.yml", "tests/*.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err == nil && f == path {
				for _, r := range tunable {
					data = withThreshold(t, data, r, value(r))
				}
			}
			if err = cmp.Or(err, os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o700)); err == nil {
				err = os.WriteFile(filepath.Join(dir, f), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// withThreshold replaces the one threshold of an alert in the text of its file.
func withThreshold(t *testing.T, source []byte, r rule, value float64) []byte {
	t.Helper()
	numbers := thresholds(t, r.Expr)
	if len(numbers) != 1 {
		t.Fatalf("%d thresholds in %s", len(numbers), r.Expr)
	}
	number := `([<>]=? )` + regexp.QuoteMeta(numbers[0].String()) + `\b`
	at := regexp.MustCompile(`(- alert: ` + regexp.QuoteMeta(r.Alert) + `\n(?s:.*?))` + number)
	found := at.FindSubmatchIndex(source)
	if found == nil {
		t.Fatalf("cannot find the threshold of %s in the text", r.Alert)
	}
	return slices.Concat(source[:found[5]], fmt.Append(nil, value), source[found[1]:])
}
