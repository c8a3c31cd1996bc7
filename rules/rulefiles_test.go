package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/internal/strictyaml"
)

// ruleFile is a rule file as these tests see it.
type ruleFile struct {
	Path   string `yaml:"-"`
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert, Record, Expr string
	For                 *string
	KeepFiringFor       string `yaml:"keep_firing_for"`
	Labels, Annotations map[string]string
}

// bounds is what tuning.yml says of one alert.
type bounds struct {
	Min, Max *float64
	Step     float64
	Fixed    string
}

func readRules(t *testing.T) []ruleFile {
	t.Helper()
	paths, err := filepath.Glob("*.yml")
	if err != nil {
		t.Fatal(err)
	}
	var files []ruleFile
	for _, p := range paths {
		if p == "tuning.yml" {
			continue
		}
		f := ruleFile{Path: p}
		if err := strictyaml.DecodeFile(p, &f); err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) < 6 {
		t.Fatalf("found only %d rule files", len(files))
	}
	return files
}

func alerts(t *testing.T) map[string]rule {
	t.Helper()
	all := map[string]rule{}
	for _, f := range readRules(t) {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Alert == "" {
					continue
				}
				if _, twice := all[r.Alert]; twice {
					t.Errorf("%s: alert %s is there twice", f.Path, r.Alert)
				}
				all[r.Alert] = r
			}
		}
	}
	return all
}

func readTuning(t *testing.T) map[string]bounds {
	t.Helper()
	var tuning struct{ Alerts map[string]bounds }
	if err := strictyaml.DecodeFile("tuning.yml", &tuning); err != nil {
		t.Fatal(err)
	}
	return tuning.Alerts
}

func promtool(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Fatal("promtool is not installed; run: make deps")
	}
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestPromtoolAcceptsEachFileAndItsTests(t *testing.T) {
	for _, f := range readRules(t) {
		t.Run(f.Path, func(t *testing.T) {
			t.Parallel()
			if out, err := promtool(t, ".", "check", "rules", f.Path); err != nil {
				t.Error(out)
			}
			if out, err := promtool(t, ".", "test", "rules", filepath.Join("tests", f.Path)); err != nil {
				t.Error(out)
			}
		})
	}
}

func TestEachAlertIsTested(t *testing.T) {
	for _, f := range readRules(t) {
		tests, err := os.ReadFile(filepath.Join("tests", f.Path))
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Alert == "" {
					continue
				}
				quoted := regexp.QuoteMeta(r.Alert)
				fires := regexp.MustCompile(`labels: 'ALERTS\{alertname="` + quoted + `"`).Match(tests)
				quiet := regexp.MustCompile(`expr: ALERTS\{alertname="` + quoted + `", .*\n.*\n\s+exp_samples: \[\]`).Match(tests)
				if !fires || (!quiet && r.Alert != "Watchdog") {
					t.Errorf("tests/%s: alert %s: fires in a test: %v, is quiet in one: %v", f.Path, r.Alert, fires, quiet)
				}
			}
		}
	}
}

func TestAlertsFollowTheHouseRules(t *testing.T) {
	pages := map[string]bool{}
	for name, r := range alerts(t) {
		if want := []string{"P1", "P2", "P3"}; !slices.Contains(want, r.Labels["severity"]) && name != "Watchdog" {
			t.Errorf("%s: severity %q, want one of %q", name, r.Labels["severity"], want)
		}
		if r.Labels["component"] == "" || len(r.Labels) != 2 {
			t.Errorf("%s: labels %v, want severity and component", name, r.Labels)
		}
		if r.For == nil && name != "Watchdog" {
			t.Errorf("%s: does not say for how long", name)
		}
		if len(r.Annotations) != 4 || r.Annotations["summary"] == "" {
			t.Errorf("%s: annotations %v, want summary, description, runbook_url and dashboard_url", name, r.Annotations)
		}
		if !strings.Contains(r.Annotations["description"], "{{ $value | humanize") {
			t.Errorf("%s: the description does not show the value", name)
		}
		for _, number := range literals(t, r.Expr) {
			for _, text := range []string{"summary", "description"} {
				if regexp.MustCompile(`\b`+regexp.QuoteMeta(number.String())+`\b`).MatchString(strings.ReplaceAll(r.Annotations[text], "(1 is ", "(")) && number.Val > 1 {
					t.Errorf("%s: %s repeats the number %s, which may change", name, text, number)
				}
			}
		}
		page := "docs/runbooks/" + name + ".md"
		if r.Annotations["runbook_url"] != "https://github.com/MNS-Vic/upkeep/blob/main/"+page {
			t.Errorf("%s: runbook_url %q", name, r.Annotations["runbook_url"])
		}
		data, err := os.ReadFile("../" + page)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, section := range []string{"# " + name, "## Meaning", "## Impact", "## Diagnosis", "## Repair by hand", "## What Upkeep does by itself"} {
			if !strings.Contains(string(data), section+"\n\n") {
				t.Errorf("%s: no section %q", page, section)
			}
		}
		pages[filepath.Base(page)] = true
		if uid, ok := strings.CutPrefix(r.Annotations["dashboard_url"], "/d/"); !ok {
			t.Errorf("%s: dashboard_url %q", name, r.Annotations["dashboard_url"])
		} else if _, err := os.Stat("../dashboards/" + uid + ".json"); err != nil {
			t.Errorf("%s: dashboard_url: %v", name, err)
		}
	}
	onDisk, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range onDisk {
		if !pages[filepath.Base(p)] && filepath.Base(p) != "README.md" {
			t.Errorf("%s: no alert leads there", p)
		}
	}
}
