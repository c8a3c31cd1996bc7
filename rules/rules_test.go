package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/internal/servers"
)

const ruleFile = `groups:
- name: sample   # kept
  rules:
  - alert: QueueLong
    expr: sample_queue_length > 100   # a guess
    for: 1s
  - alert: Steady
    expr: sample_rate < 5
`

// falsePages are judged pages of one alert.
func falsePages(alert string, n int, verdict string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"alertname":%q,"labels":{},"fingerprint":"a","startsAt":"2026-01-%02dT00:00:00Z","endsAt":null,"verdict":%s,"value":null}`+"\n", alert, i+2, verdict)
	}
	return b.String()
}

// repository is a folder with a rule file, its tuning file and a history,
// under git.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "rules/sample.yml", ruleFile)
	write(t, dir, "rules/tuning.yml", "alerts:\n  QueueLong: {min: 50, max: 500}\n  Steady: {fixed: no reason to move}\n")
	write(t, dir, "rules/tests/sample.yml", "rule_files: [../sample.yml]\ntests:\n- interval: 1m\n  input_series: [{series: sample_queue_length, values: '600x5'}]\n  alert_rule_test:\n  - {eval_time: 3m, alertname: QueueLong, exp_alerts: [{}]}\n")
	write(t, dir, "history.jsonl", falsePages("QueueLong", 3, `"false_positive"`)+falsePages("Steady", 3, `"false_positive"`))
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"config", "user.email", "t@localhost"}, {"config", "user.name", "t"},
		{"config", "commit.gpgsign", "false"}, {"add", "."}, {"commit", "-q", "-m", "first"},
	} {
		git(t, dir, args...)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// invoke runs a command line in dir's files.
func invoke(t *testing.T, dir, command string, more ...string) (int, string) {
	t.Helper()
	if _, err := servers.Find("promtool"); err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		command, "--strategy=seed", "--now=2026-01-20T00:00:00Z", "--history=" + dir + "/history.jsonl",
		"--rules=" + dir + "/rules/*.yml", "--tuning=" + dir + "/rules/tuning.yml",
	}, more...)
	var out bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(read(t, dir, "history.jsonl")), &out, &out)
	return code, out.String()
}

func TestApplyChangesOneNumberAndCommitsIt(t *testing.T) {
	dir := repository(t)
	code, out := invoke(t, dir, "apply", "--commit", "--branch=tune", "--tests="+dir+"/rules/tests/*.yml")
	if code != exitChanged {
		t.Fatalf("exit %d\n%s", code, out)
	}
	if got, want := read(t, dir, "rules/sample.yml"), strings.Replace(ruleFile, "> 100 ", "> 120 ", 1); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := git(t, dir, "log", "-1", "--format=%s%n%b"); !strings.Contains(got, "rules: QueueLong > 120, was 100") || !strings.Contains(got, "pages: 3, false 3") {
		t.Errorf("the commit says\n%s", got)
	}
	if got := git(t, dir, "branch", "--show-current") + git(t, dir, "status", "--porcelain"); got != "tune\n" {
		t.Errorf("branch and status: %q", got)
	}
	if out, err := exec.Command("promtool", "test", "rules", dir+"/rules/tests/sample.yml").CombinedOutput(); err != nil {
		t.Errorf("the unit tests fail afterwards: %s", out)
	}
}

func TestWithNothingToDoNothingIsWritten(t *testing.T) {
	dir := repository(t)
	write(t, dir, "history.jsonl", falsePages("QueueLong", 3, `"true_positive"`))
	before, err := os.Stat(dir + "/rules/sample.yml")
	if err != nil {
		t.Fatal(err)
	}
	head := git(t, dir, "rev-parse", "HEAD")
	code, out := invoke(t, dir, "apply", "--commit")
	after, err := os.Stat(dir + "/rules/sample.yml")
	if err != nil {
		t.Fatal(err)
	}
	if code != exitNothing || !after.ModTime().Equal(before.ModTime()) || !os.SameFile(before, after) || git(t, dir, "rev-parse", "HEAD") != head {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestWhatFailsLeavesTheFilesAsTheyWere(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(dir string)
		args    []string
		want    string
	}{
		"a unit test fails": {
			func(dir string) {
				write(t, dir, "rules/tests/sample.yml", strings.Replace(read(t, dir, "rules/tests/sample.yml"), "600x5", "110x5", 1))
			},
			[]string{"--tests=TESTS"}, "promtool test rules refuses the change, nothing was written",
		},
		"changes that are not committed": {
			func(dir string) { write(t, dir, "rules/sample.yml", ruleFile+"# mine\n") },
			[]string{"--commit"}, "have changes that are not committed",
		},
		"a detached head": {
			func(dir string) { git(t, dir, "switch", "-q", "--detach") }, []string{"--commit"}, "HEAD is detached",
		},
		"a hook refuses": {
			func(dir string) {
				write(t, dir, ".git/hooks/pre-commit", "#!/bin/sh\necho not today\nexit 1\n")
				if err := os.Chmod(dir+"/.git/hooks/pre-commit", 0o755); err != nil {
					t.Fatal(err)
				}
			}, []string{"--commit"}, "not today",
		},
		"no repository": {
			func(dir string) {
				if err := os.RemoveAll(dir + "/.git"); err != nil {
					t.Fatal(err)
				}
			}, []string{"--commit"}, "no git repository",
		},
		"push without commit":       {nil, []string{"--push"}, "need --commit"},
		"reload without prometheus": {nil, []string{"--reload"}, "needs --prometheus.url"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repository(t)
			if tc.prepare != nil {
				tc.prepare(dir)
			}
			before := read(t, dir, "rules/sample.yml")
			for i, a := range tc.args {
				tc.args[i] = strings.Replace(a, "TESTS", dir+"/rules/tests/*.yml", 1)
			}
			code, out := invoke(t, dir, "apply", tc.args...)
			if code != exitError || !strings.Contains(out, tc.want) {
				t.Errorf("exit %d, want %q in\n%s", code, tc.want, out)
			}
			if read(t, dir, "rules/sample.yml") != before {
				t.Error("the rule file was changed")
			}
		})
	}
}

func TestPlanShowsAndWritesCopies(t *testing.T) {
	dir := repository(t)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, "  - > 100\n  + > 120\n"},
		{[]string{"--format=json"}, `"new": "120"`},
		{[]string{"--format=markdown"}, "| QueueLong | `> 100` | `> 120` | no |"},
		{[]string{"--language=zh"}, "阈值乘以 1.2"},
		{[]string{"--output=" + dir + "/new"}, "QueueLong"},
	} {
		if code, out := invoke(t, dir, "plan", tc.args...); code != exitChanged || !strings.Contains(out, tc.want) {
			t.Errorf("%q: exit %d\n%s", tc.args, code, out)
		}
	}
	if read(t, dir, "rules/sample.yml") != ruleFile || !strings.Contains(read(t, dir, "new/sample.yml"), "> 120 ") {
		t.Error("plan changed the file itself, or not the copy")
	}
}

func TestAStepThatIsTooLargeWaitsForAPerson(t *testing.T) {
	dir := repository(t)
	write(t, dir, "rules/tuning.yml", "alerts:\n  QueueLong: {step: 0.1}\n")
	if code, out := invoke(t, dir, "apply"); code != exitNothing || !strings.Contains(out, "need a person's agreement") || read(t, dir, "rules/sample.yml") != ruleFile {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out := invoke(t, dir, "apply", "--reviewed"); code != exitChanged || read(t, dir, "rules/sample.yml") == ruleFile {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestCheckAndBadInput(t *testing.T) {
	dir := repository(t)
	code, out := invoke(t, dir, "check")
	if code != exitNothing || !strings.Contains(out, "sample.yml:5:33: QueueLong: may be tuned: > 100\n") || !strings.Contains(out, "Steady: not tuned: it is fixed: no reason to move") {
		t.Errorf("exit %d\n%s", code, out)
	}
	caret := strings.Split(out, "\n")
	if strings.Index(caret[1], "100") != strings.Index(caret[2], "^^^") {
		t.Errorf("the marks do not stand under the number:\n%s", out)
	}
	for _, tc := range []struct{ file, text, want string }{
		{"rules/tuning.yml", "alerts:\n  QueueLang: {min: 1, max: 2}\n", "tuning.yml:2: alerts.QueueLang: no rule file has an alert of this name"},
		{"rules/tuning.yml", "alerts:\n  QueueLong: {min: 3, max: 2}\n", "tuning.yml:2: alerts.QueueLong: min 3 is not below max 2"},
		{"rules/tuning.yml", "alerts:\n  QueueLong: {mim: 3}\n", `tuning.yml:2: unknown key "mim"`},
		{"rules/sample.yml", "groups:\n- name: g\n  rules: [{alert: A, expr: 'up >'}]\n", "sample.yml"},
		{"history.jsonl", "{\n", "history line 1"},
	} {
		dir := repository(t)
		write(t, dir, tc.file, tc.text)
		if code, out := invoke(t, dir, "plan"); code != exitError || !strings.Contains(out, tc.want) {
			t.Errorf("%s: exit %d\n%s", tc.want, code, out)
		}
	}
	for _, args := range [][]string{{"--nonsense"}, {"--rules=" + dir + "/none/*.yml"}, {"--now=tomorrow"}, {"--receiver.url=http://127.0.0.1:1"}} {
		if code, out := invoke(t, dir, "plan", args...); code != exitError {
			t.Errorf("%q: exit %d\n%s", args, code, out)
		}
	}
	var b bytes.Buffer
	for _, flag := range []string{"--help", "--version"} {
		if code := run(t.Context(), []string{flag}, nil, &b, &b); code != exitNothing {
			t.Errorf("%s: exit %d", flag, code)
		}
	}
	// Standard input as a word of its own.
	code = run(t.Context(), []string{"plan", "--strategy", "seed", "--now", "2026-01-20T00:00:00Z", "--history", "-", "--rules", dir + "/rules/*.yml"}, strings.NewReader(read(t, dir, "history.jsonl")), &b, &b)
	if code != exitChanged {
		t.Errorf("exit %d\n%s", code, b.String())
	}
}
