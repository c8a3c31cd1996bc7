package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPushSendsOnlyWhatDiffers(t *testing.T) {
	g, address := startFakeGrafana(t)
	t.Setenv("GRAFANA_TOKEN", g.token)
	push := func(args ...string) {
		t.Helper()
		if code, _, stderr := cli(t, append([]string{"push", "--grafana.url", address}, args...)...); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
	}
	push("--commit", "abc1234")
	pages := len(pages(build{}))
	if len(g.saved) != pages {
		t.Fatalf("%d dashboards saved, want %d", len(g.saved), pages)
	}
	first := g.saved[0]
	if first.FolderUID != "upkeep" || !first.Overwrite || !strings.Contains(first.Message, "abc1234") {
		t.Errorf("saved into folder %q with overwrite %v and message %q", first.FolderUID, first.Overwrite, first.Message)
	}
	push("--commit", "abc1234")
	if len(g.saved) != pages {
		t.Errorf("pushing the same again saved %d more", len(g.saved)-pages)
	}
	g.dashboards[overviewUID]["title"] = "edited by hand"
	push("--commit", "abc1234")
	if len(g.saved) != pages+1 {
		t.Errorf("a dashboard that was edited by hand was saved %d times, want once", len(g.saved)-pages)
	}
}

func TestPushSaysWhyItCannot(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault http.HandlerFunc
		want  string
	}{
		{"proxy error without JSON", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway)
		}, "grafana answered 502: <html>bad gateway</html>"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusMovedPermanently)
		}, "grafana answered 301"},
		{"provisioned", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "dashboards") {
				answer(w, http.StatusNotFound, map[string]any{})
				return
			}
			if r.Method == http.MethodGet {
				answer(w, http.StatusOK, map[string]any{"uid": "upkeep"})
				return
			}
			answer(w, http.StatusBadRequest, map[string]any{"message": "Cannot save provisioned dashboard"})
		}, "use files or push, not both"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, address := startFakeGrafana(t)
			g.fault = test.fault
			t.Setenv("GRAFANA_TOKEN", g.token)
			code, _, stderr := cli(t, "push", "--grafana.url", address)
			if code != 1 || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d, %q; want 1, %q", code, stderr, test.want)
			}
		})
	}
}

func TestWrongTokenFailsAndIsNotShown(t *testing.T) {
	_, address := startFakeGrafana(t)
	t.Setenv("GRAFANA_TOKEN", "glsa_wrong")
	for _, args := range [][]string{{"push"}, {"annotate", "--text", "x", "--tag", "y"}} {
		code, stdout, stderr := cli(t, append(args, "--grafana.url", address)...)
		if code != 1 || !strings.Contains(stderr, "grafana answered 401") || !strings.Contains(stderr, "check the token") {
			t.Errorf("%s: exit code %d, %q", args[0], code, stderr)
		}
		if strings.Contains(stdout+stderr, "glsa_wrong") {
			t.Errorf("%s: the token is shown: %q", args[0], stderr)
		}
	}
}

func TestTokenIsNotSentElsewhere(t *testing.T) {
	var got string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	defer elsewhere.Close()
	g, address := startFakeGrafana(t)
	g.fault = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }
	t.Setenv("GRAFANA_TOKEN", g.token)
	if code, _, _ := cli(t, "push", "--grafana.url", address); code != 1 || got != "" {
		t.Errorf("exit code %d, and the other host was given %q", code, got)
	}
}

func TestAnnotate(t *testing.T) {
	g, address := startFakeGrafana(t)
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(g.token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := cli(t, "annotate", "--grafana.url", address, "--grafana.token-file", tokenFile,
		"--text", "restarted sample", "--tag", "remediation", "--tag", "docker.restart",
		"--start", "2026-01-02T03:04:05Z", "--end", "2026-01-02T03:05:05Z")
	if code != 0 || len(g.annotations) != 1 {
		t.Fatalf("exit code %d, %d annotations: %s", code, len(g.annotations), stderr)
	}
	a := g.annotations[0]
	if a["text"] != "restarted sample" || a["time"] != 1767323045000.0 || a["timeEnd"] != 1767323105000.0 || len(a["tags"].([]any)) != 2 {
		t.Errorf("annotation %v", a)
	}
}

func TestAddressOfGrafana(t *testing.T) {
	t.Setenv("GRAFANA_TOKEN", "x")
	for address, want := range map[string]string{
		"127.0.0.1:3000":          "want http://HOST",
		"ftp://grafana":           "want http://HOST",
		"http://u:secret@grafana": "a password does not belong in an address",
	} {
		code, _, stderr := cli(t, "push", "--grafana.url", address)
		if code != 1 || !strings.Contains(stderr, want) || strings.Contains(stderr, "secret@") {
			t.Errorf("%s: exit code %d, %q; want %q", address, code, stderr, want)
		}
	}
}
