package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/internal/strictyaml"
)

// The rule files that ship, with every alert that may be tuned judged false:
// apply must change one number of each, nothing else, and promtool and the
// rule tests must still pass.
func TestShippedRulesStayGoodAfterApply(t *testing.T) {
	dir := repository(t)
	if err := os.RemoveAll(dir + "/rules"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pattern := range []string{"*.yml", "tests/*.yml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 5 {
			t.Fatal(found, err)
		}
		names = append(names, found...)
	}
	before := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before[name] = string(data)
		write(t, dir, "rules/"+name, string(data))
	}
	var tuned tuning
	if err := strictyaml.DecodeFile("tuning.yml", &tuned); err != nil {
		t.Fatal(err)
	}
	open, lines := 0, ""
	for alert, e := range tuned.Alerts {
		if e.Fixed == "" {
			open++
			lines += falsePages(alert, 2, `"false_positive"`)
		}
	}
	write(t, dir, "history.jsonl", lines)
	code, out := invoke(t, dir, "apply", "--reviewed", "--tests="+dir+"/rules/tests/*.yml")
	if code != exitChanged {
		t.Fatalf("exit %d\n%s", code, out)
	}
	changed := 0
	for _, name := range names {
		old, now := strings.Split(before[name], "\n"), strings.Split(read(t, dir, "rules/"+name), "\n")
		if len(old) != len(now) {
			t.Fatalf("%s has %d lines, had %d", name, len(now), len(old))
		}
		for i := range old {
			if old[i] == now[i] {
				continue
			}
			changed++
			if strings.Trim(without(old[i], now[i]), "0123456789.") != "" {
				t.Errorf("%s:%d changed in more than a number:\n%s\n%s", name, i+1, old[i], now[i])
			}
		}
	}
	if open < 8 || changed < 8 || changed > open {
		t.Errorf("%d numbers changed, %d are open:\n%s", changed, open, out)
	}
}

// without is what of a is left when the beginning and the end that it shares
// with b are taken off.
func without(a, b string) string {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a + b
}
