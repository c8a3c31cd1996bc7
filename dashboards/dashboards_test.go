package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func mustRender(t *testing.T, b build) []file {
	t.Helper()
	files, err := render(b)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func cli(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestCommittedFilesAreWhatTheCodeSays(t *testing.T) {
	code, _, stderr := cli(t, "check", "--output.dir", ".")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	// A file without a page would be provisioned as well.
	onDisk, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(onDisk), len(mustRender(t, build{})); got != want {
		t.Errorf("%d JSON files are committed, %d pages are written: %q", got, want, onDisk)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	want := mustRender(t, build{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := render(build{})
			if err != nil {
				t.Error(err)
				return
			}
			for i := range want {
				if !bytes.Equal(got[i].JSON, want[i].JSON) {
					t.Errorf("%s: line %d differs between two runs", want[i].UID, firstDifference(got[i].JSON, want[i].JSON))
				}
			}
		})
	}
	wg.Wait()
}

func TestCheckNamesTheFileThatDrifted(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := cli(t, "check", "--output.dir", dir); code != 1 || !strings.Contains(stderr, overviewUID+".json is missing; run: make generate") {
		t.Errorf("missing file: exit code %d, %q", code, stderr)
	}
	if code, _, stderr := cli(t, "generate", "--output.dir", dir); code != 0 {
		t.Fatalf("generate: exit code %d, %q", code, stderr)
	}
	if code, _, stderr := cli(t, "check", "--output.dir", dir); code != 0 || stderr != "" {
		t.Errorf("after generate: exit code %d, %q", code, stderr)
	}
	path := filepath.Join(dir, overviewUID+".json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := bytes.Replace(data, []byte(`"Upkeep overview"`), []byte(`"Mine"`), 1)
	if err := os.WriteFile(path, edited, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := cli(t, "check", "--output.dir", dir); code != 1 || !strings.Contains(stderr, path+" differs from the code at line ") {
		t.Errorf("edited file: exit code %d, %q", code, stderr)
	}
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"unknown command", []string{"paint"}, 1, `expected command but got "paint"`},
		{"no command", nil, 1, "try --help"},
		{"unknown language", []string{"check", "--language", "fr"}, 1, "must be one of en,zh"},
		{"annotate without text", []string{"annotate", "--grafana.url", "http://127.0.0.1:1", "--tag", "x"}, 1, "--text"},
		{"push without token", []string{"push", "--grafana.url", "http://127.0.0.1:1"}, 1, "set GRAFANA_TOKEN or give --grafana.token-file"},
		{"bad time", []string{"annotate", "--grafana.url", "http://127.0.0.1:1", "--tag", "x", "--text", "y", "--start", "noon"}, 1, `start "noon": want a time`},
		{"end before start", []string{"annotate", "--grafana.url", "http://127.0.0.1:1", "--tag", "x", "--text", "y", "--start", "2026-01-02T00:00:00Z", "--end", "2026-01-01T00:00:00Z"}, 1, "is before the start"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("GRAFANA_TOKEN", "")
			code, _, stderr := cli(t, test.args...)
			if code != test.code || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit code %d, %q; want %d, %q", code, stderr, test.code, test.stderr)
			}
		})
	}
	if code, stdout, _ := cli(t, "--help"); code != 0 || !strings.Contains(stdout, "annotate") {
		t.Errorf("--help: exit code %d, %q", code, stdout)
	}
	if code, stdout, stderr := cli(t, "--version"); code != 0 || !strings.Contains(stdout+stderr, "upkeep-dashboards") {
		t.Errorf("--version: exit code %d, %q, %q", code, stdout, stderr)
	}
}

func TestLanguageChangesWordsOnly(t *testing.T) {
	en, zh := mustRender(t, build{Language: "en"}), mustRender(t, build{Language: "zh"})
	for i := range en {
		a, b := decode(t, en[i]), decode(t, zh[i])
		if a.Title == b.Title {
			t.Errorf("%s: title %q in both languages", en[i].UID, a.Title)
		}
		if len(a.Panels) != len(b.Panels) || a.UID != b.UID {
			t.Fatalf("%s: pages differ in more than words", en[i].UID)
		}
		for j := range a.Panels {
			for k := range a.Panels[j].Targets {
				if a.Panels[j].Targets[k].Expr != b.Panels[j].Targets[k].Expr {
					t.Errorf("%s: panel %q asks another question in Chinese", en[i].UID, a.Panels[j].Title)
				}
			}
		}
	}
}

func TestCommitIsNamedOnThePage(t *testing.T) {
	for _, f := range mustRender(t, build{Commit: "abc1234"}) {
		if !bytes.Contains(f.JSON, []byte("abc1234")) {
			t.Errorf("%s does not name the commit", f.UID)
		}
	}
}
