package rulefile

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// one wraps the lines of a rule into a file.
func one(rule string) string {
	return "groups:\n- name: g\n  rules:\n" + rule
}

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("t.yml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return f
}

// Each of these is a way in which real files are written that a text
// replacement, or a round trip through YAML, gets wrong.
func TestTrapsAreEditedInPlace(t *testing.T) {
	for name, tc := range map[string]struct{ in, old, now string }{
		"plain":                      {one("  - alert: A\n    expr: up > 5\n"), "> 5\n", "> 6\n"},
		"CRLF":                       {strings.ReplaceAll(one("  - alert: A\n    expr: |\n      up\n      > 5\n    for: 5m\n"), "\n", "\r\n"), "> 5\r", "> 6\r"},
		"byte order mark":            {"\uFEFF" + one("  - alert: A\n    expr: up > 5\n"), "> 5", "> 6"},
		"byte order mark, flow":      {"\uFEFF{groups: [{name: g, rules: [{alert: A, expr: up > 5}]}]}\n", "> 5", "> 6"},
		"tab before a comment":       {one("  - alert: A\n    expr: up > 5\t# five\n"), "> 5\t# five", "> 6\t# five"},
		"no final newline":           {one("  - alert: A\n    expr: up > 5"), "> 5", "> 6"},
		"no blank before the number": {one("  - alert: A\n    expr: up >5\n"), ">5", ">6"},
		"flow style":                 {`{"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up > 5"}]}]}`, "> 5", "> 6"},
		"single quotes":              {one("  - alert: A\n    expr: 'up{a=\"it''s\"} > 5'\n"), "> 5'", "> 6'"},
		"double quotes with escapes": {one("  - alert: A\n    expr: \"up{a=\\\"\\x35\\\"} > 5\"\n"), "> 5\"", "> 6\""},
		"plain on several lines":     {one("  - alert: A\n    expr: up\n      and up > 5\n\n    for: 5m\n"), "> 5", "> 6"},
		"literal":                    {one("  - alert: A\n    expr: |-\n      up\n\n        and\n      up > 5\n"), "up > 5", "up > 6"},
		"literal with a digit":       {one("  - alert: A\n    expr: |2+\n       up > 5\n\n\n"), "> 5", "> 6"},
		"literal with a comment":     {one("  - alert: A\n    expr: | # here\n      up > 5\n"), "> 5", "> 6"},
		"folded":                     {one("  - alert: A\n    expr: >\n      up\n      and\n\n      up\n        and up\n      > 5\n    for: 5m\n"), "      > 5\n", "      > 6\n"},
		"comment in the expression":  {one("  - alert: A\n    expr: |\n      # more than 5 is bad\n      up > 5\n"), "up > 5", "up > 6"},
		"the number twice":           {one("  - alert: A\n    expr: up{a=\"5\"} + 5 > 5\n"), "5 > 5", "5 > 6"},
		"quoted key":                 {one("  - alert: A\n    \"expr\": up > 5\n"), "> 5", "> 6"},
		"non-ASCII before it":        {one("  - {alert: 延迟, annotations: {summary: 超过五}, expr: up > 5}\n"), "> 5", "> 6"},
		"trailing spaces":            {one("  - alert: A   \n    expr: up > 5   \n"), "> 5   ", "> 6   "},
		"number on the left":         {one("  - alert: A\n    expr: 5 < up\n"), "5 < up", "6 < up"},
		"negative":                   {one("  - alert: A\n    expr: up < - 5\n"), "< - 5", "< - 6"},
		"leading document mark":      {"---\n" + one("  - alert: A\n    expr: up > 5\n"), "> 5", "> 6"},
		"second document":            {one("  - alert: A\n    expr: up > 5\n") + "---\ngroups: []\n", "> 5", "> 6"},
		"same name twice": {
			one("  - alert: A\n    expr: up > 5\n  - alert: A\n    expr: down > 5\n"), "up > 5", "up > 6",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse(t, tc.in)
			r := f.Groups[0].Rules[0]
			if len(r.Thresholds) != 1 {
				t.Fatalf("thresholds %+v, refusals %+v", r.Thresholds, r.Refusals)
			}
			th := r.Thresholds[0]
			to := 6.0
			if th.Value < 0 {
				to = -6
			}
			data, text, err := f.Edit(r, th, to)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(tc.in, tc.old, tc.now, 1)
			if string(data) != want || text != "6" {
				t.Errorf("got\n%q\nwant\n%q", data, want)
			}
		})
	}
}

func TestWhatIsRefusedAndWhy(t *testing.T) {
	for name, tc := range map[string]struct {
		in, why string
		line    int
	}{
		"state":              {one("  - alert: A\n    expr: up == 5\n"), "tests a state", 5},
		"zero":               {one("  - alert: A\n    expr: up > 0\n"), "presence or a state", 5},
		"one":                {one("  - alert: A\n    expr: up < 1\n"), "presence or a state", 5},
		"arithmetic":         {one("  - alert: A\n    expr: |\n      up\n      > 14.4 * 0.001\n"), "is computed", 7},
		"chained":            {one("  - alert: A\n    expr: 3 <= up < 20\n"), "chained", 5},
		"bool":               {one("  - alert: A\n    expr: up > bool 5\n"), "bool", 5},
		"or":                 {one("  - alert: A\n    expr: up > 5 or down > 6\n"), "under or", 5},
		"right of unless":    {one("  - alert: A\n    expr: up unless down > 6\n"), "right of unless", 5},
		"in a function":      {one("  - alert: A\n    expr: count(up > 5)\n"), "inside a function", 5},
		"in arithmetic":      {one("  - alert: A\n    expr: (up > 5) * 2\n"), "inside arithmetic", 5},
		"no number":          {one("  - alert: A\n    expr: up > down\n"), "no number", 5},
		"no comparison":      {one("  - alert: A\n    expr: absent(up)\n"), "compares nothing", 5},
		"anchor":             {one("  - alert: A\n    expr: &x up > 5\n"), "anchored", 5},
		"alias":              {one("  - alert: A\n    expr: &x up > 5\n  - alert: B\n    expr: *x\n"), "anchored", 5},
		"merge key":          {one("  - &r\n    alert: A\n    expr: up > 5\n  - <<: *r\n    for: 5m\n"), "anchored", 6},
		"name has it":        {one("  - alert: Above50\n    expr: up > 50\n"), "alert's name", 5},
		"label has it":       {one("  - alert: A\n    expr: up > 50\n    labels: {limit: \"50\"}\n"), "the label limit", 5},
		"label tune":         {one("  - alert: A\n    expr: up > 50\n    labels: {tune: \"off\"}\n"), "tune", 5},
		"locked above":       {one("  # upkeep: locked\n  - alert: A\n    expr: up > 50\n"), "locks", 6},
		"locked beside":      {one("  - alert: A\n    expr: up > 50 # threshold: locked\n"), "locks", 5},
		"generated":          {"# Code generated. DO NOT EDIT.\n" + one("  - alert: A\n    expr: up > 50\n"), "generated", 6},
		"escaped number":     {one("  - alert: A\n    expr: \"up > \\x355\"\n"), "escapes", 5},
		"hexadecimal number": {one("  - alert: A\n    expr: up > 0x1F\n"), "written as 0x1F", 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := parse(t, tc.in).Groups[0].Rules[0]
			if len(r.Thresholds) != 0 || len(r.Refusals) == 0 {
				t.Fatalf("thresholds %+v, refusals %+v", r.Thresholds, r.Refusals)
			}
			if got := r.Refusals[0]; !strings.Contains(got.Reason, tc.why) || got.Line != tc.line {
				t.Errorf("got line %d %q, want line %d %q", got.Line, got.Reason, tc.line, tc.why)
			}
		})
	}
}

func TestARuleThatAnotherRepeatsIsLeftAlone(t *testing.T) {
	f := parse(t, "x: &r {alert: A, expr: up > 5}\n"[:0]+one("  - alert: A\n    expr: up > 5\n"))
	r := f.Groups[0].Rules[0]
	th := r.Thresholds[0]
	f.Data = bytes.Replace(f.Data, []byte("> 5"), []byte("> 7"), 1)
	if _, _, err := f.Edit(r, th, 6); err == nil {
		t.Error("a number that is no longer there was replaced")
	}
	for _, to := range []float64{-6, 0} {
		f := parse(t, one("  - alert: A\n    expr: up > 5\n"))
		_, text, err := f.Edit(f.Groups[0].Rules[0], f.Groups[0].Rules[0].Thresholds[0], to)
		if (err == nil) != (to == 0) {
			t.Errorf("to %v: %q, %v", to, text, err)
		}
	}
}

func TestSeveralThresholdsOfOneRule(t *testing.T) {
	f := parse(t, one("  - alert: A\n    expr: (up > 5) and on(x) rate(down[5m]) < 0.25 unless up > 9\n"))
	r := f.Groups[0].Rules[0]
	if len(r.Thresholds) != 2 || r.Thresholds[0].Op != ">" || r.Thresholds[1].Op != "<" || r.Thresholds[1].Measured != "rate(down[5m])" {
		t.Fatalf("got %+v", r.Thresholds)
	}
	data, _, err := f.Edit(r, r.Thresholds[1], 0.5)
	if err != nil || !bytes.Contains(data, []byte("(up > 5) and on(x) rate(down[5m]) < 0.50 unless up > 9")) {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestNotation(t *testing.T) {
	for _, tc := range []struct {
		old   string
		value float64
		want  string
	}{
		{"100", 120, "120"}, {"0.5", 0.6, "0.6"}, {"0.50", 0.6, "0.60"}, {".5", 0.6, ".6"}, {"5e8", 6e8, "6e8"}, {"5E8", 6e8, "6E8"},
		{"1e-3", 0.0012, "1.2e-3"}, {"500000000", 6e8, "600000000"}, {"1000000", 1.2e6, "1200000"}, {"5", 6.25, "6.25"}, {"2.0", 3, "3.0"},
		{"1e6", 123456789, "123.456789e6"},
	} {
		got := Notation(tc.old, tc.value)
		if got != tc.want || !reads(got, tc.value) {
			t.Errorf("%s to %v: got %q, want %q", tc.old, tc.value, got, tc.want)
		}
	}
}

// The files that ship are edited by this package: every alert must be seen
// for what it is.
func TestShippedFiles(t *testing.T) {
	files, err := filepath.Glob("../*.yml")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	edited := 0
	for _, name := range files {
		if filepath.Base(name) == "tuning.yml" {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := parse(t, string(data))
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Alert != "" && len(r.Thresholds)+len(r.Refusals) == 0 {
					t.Errorf("%s: nothing is said of %s", name, r.Alert)
				}
				for _, th := range r.Thresholds {
					if _, _, err := f.Edit(r, th, th.Value*1.2); err != nil {
						t.Error(err)
					}
					edited++
				}
			}
		}
	}
	if edited < 10 {
		t.Errorf("only %d thresholds were found", edited)
	}
}

func FuzzEdit(f *testing.F) {
	for _, seed := range []string{
		one("  - alert: A\n    expr: up > 5\n"), one("  - alert: A\n    expr: |-\n      up\n        > 5\n"), one("  - alert: A\n    expr: >2\n      up\n\n      > 5e3\n"),
		one("  - alert: A\n    expr: \"up\\n > \\x35 and up < -0.5\"\n"), "\uFEFF{groups: [{name: g, rules: [{alert: A, expr: 'up>5'}]}]}", one("  - &r\n    alert: A\n    expr: up > 5\n  - <<: *r\n"),
	} {
		f.Add(seed, 6.5)
	}
	f.Fuzz(func(t *testing.T, text string, to float64) {
		file, err := Parse("fuzz.yml", []byte(text))
		if err != nil {
			return
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				for _, th := range r.Thresholds {
					data, written, err := file.Edit(r, th, to)
					if err != nil {
						continue
					}
					if string(data) != text[:th.Start]+written+text[th.End:] {
						t.Fatalf("more than the number changed: %q", data)
					}
					again, err := Parse("fuzz.yml", data)
					if err != nil {
						t.Fatal(err)
					}
					if to != 0 && to != 1 { // those are read as states then
						if got := again.Groups[r.GroupIndex].Rules[r.Index]; len(got.Thresholds) == len(r.Thresholds) {
							continue
						}
						if names := r.names(written); names == "" {
							t.Fatalf("the thresholds changed: %q", data)
						}
					}
				}
			}
		}
	})
}
