package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// service is what is repaired: it is down until somebody posts to /restart.
type service struct {
	*httptest.Server
	up       atomic.Bool
	restarts atomic.Int32
}

func newService(t *testing.T) *service {
	s := &service{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if !s.up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("POST /restart", func(w http.ResponseWriter, _ *http.Request) {
		s.restarts.Add(1)
		s.up.Store(true)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// conf is a receiver that repairs the service.
func conf(t *testing.T, s *service, mode string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "receiver.yml")
	text := fmt.Sprintf(`global: {mode: %s, reports_dir: %s}
webhook: {max_body: 64KiB}
storage: sqlite://%s
targets: [{name: web, kind: http, url: '%s'}]
remediations:
  - name: restart-web
    matchers: ['alertname="Down"']
    target: web
    mode: auto
    hold: 0s
    confirm: [{http: {url: '%s/health', status: '!2xx'}}]
    steps:
      - action: http.call
        with: {url: '%s/restart'}
        verify: {http: {url: '%s/health'}, within: 30s}
`, mode, filepath.Join(dir, "reports"), filepath.Join(dir, "receiver.db"), s.URL, s.URL, s.URL, s.URL)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a receiver until stop is called or the test ends.
func start(t *testing.T, configFile string) (a *App, stop func()) {
	t.Helper()
	o := Options{ConfigFile: configFile, ListenAddress: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if configFile == "" {
		o.Storage = "sqlite://" + filepath.Join(t.TempDir(), "receiver.db")
	}
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	var once atomic.Bool
	stop = func() {
		if once.CompareAndSwap(false, true) {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return a, stop
}

const firing = `{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Down","severity":"P1"},"startsAt":"2026-11-23T03:00:00Z"}]}`

func resolved() string { return strings.ReplaceAll(firing, `"firing"`, `"resolved"`) }

func post(t *testing.T, a *App, path, body string) (int, string) {
	t.Helper()
	resp, err := http.Post("http://"+a.Addr()+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func get(t *testing.T, a *App, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + a.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// await reads an incident until it is as wanted.
func await(t *testing.T, a *App, id int, what string, ok func(incident.Detail) bool) incident.Detail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		code, text := get(t, a, fmt.Sprintf("/api/v1/incidents/%d", id))
		var d incident.Detail
		if code == http.StatusOK {
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			if ok(d) {
				return d
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("incident %d is not %s: %s", id, what, text)
		case <-tick.C:
		}
	}
}

func closed(d incident.Detail) bool { return d.Incident.State == incident.Closed }

func TestFiveDeliveriesMakeOneIncidentAndOneRun(t *testing.T) {
	s := newService(t)
	a, _ := start(t, conf(t, s, "auto"))
	for _, path := range []string{"/api/v1/webhook", "/api/v1/webhook/", "/api/v1/webhook", "/api/v1/webhook", "/api/v1/webhook"} {
		if code, text := post(t, a, path, firing); code != http.StatusAccepted {
			t.Fatalf("%s: %d %s", path, code, text)
		}
	}
	await(t, a, 1, "repaired", func(d incident.Detail) bool { return len(d.Runs) == 1 && d.Runs[0].State == incident.RunSucceeded })
	if code, _ := post(t, a, "/api/v1/webhook", resolved()); code != http.StatusAccepted {
		t.Fatal(code)
	}
	d := await(t, a, 1, "closed", closed)
	if d.Incident.Deliveries != 6 || len(d.Runs) != 1 || s.restarts.Load() != 1 || d.Incident.Verdict == nil || *d.Incident.Verdict != "true_positive" {
		t.Errorf("%d restarts, %+v", s.restarts.Load(), d)
	}
	var list struct{ Incidents []incident.Incident }
	if _, text := get(t, a, "/api/v1/incidents"); json.Unmarshal([]byte(text), &list) != nil || len(list.Incidents) != 1 {
		t.Errorf("got %s", text)
	}
	if _, text := get(t, a, "/api/v1/reports/1"); !strings.HasPrefix(text, "# Incident 1: Down") {
		t.Errorf("the report is %q", text)
	}
	if _, text := get(t, a, "/metrics"); !strings.Contains(text, `upkeep_remediation_runs_total{action="http.call",remediation="restart-web",result="succeeded"} 1`) {
		t.Errorf("the metrics do not show the run:\n%s", text)
	}
}

func TestDryRunActsOnNothing(t *testing.T) {
	s := newService(t)
	a, _ := start(t, conf(t, s, "dry_run"))
	post(t, a, "/api/v1/webhook", firing)
	d := await(t, a, 1, "decided", func(d incident.Detail) bool { return len(d.Runs) == 1 && d.Runs[0].State.Ended() })
	if d.Runs[0].State != incident.RunSkipped || d.Runs[0].Reason != "dry run" || s.restarts.Load() != 0 {
		t.Errorf("%d restarts, %+v", s.restarts.Load(), d.Runs)
	}
}

func TestAnAlertThatIsNotRealIsFalse(t *testing.T) {
	s := newService(t)
	s.up.Store(true)
	a, _ := start(t, conf(t, s, "auto"))
	post(t, a, "/api/v1/webhook", firing)
	d := await(t, a, 1, "closed", closed)
	if s.restarts.Load() != 0 || d.Incident.Verdict == nil || *d.Incident.Verdict != "false_positive" || d.Incident.VerdictFrom != incident.SourceConfirm {
		t.Errorf("%d restarts, %+v", s.restarts.Load(), d.Incident)
	}
	if _, text := get(t, a, "/api/v1/history"); !strings.Contains(text, `"verdict":"false_positive"`) {
		t.Errorf("the history is %s", text)
	}
}

func TestWhatTheWebhookAnswers(t *testing.T) {
	a, _ := start(t, conf(t, newService(t), "dry_run"))
	for name, tc := range map[string]struct {
		body string
		code int
	}{
		"no JSON":        {"hello", 400},
		"over the limit": {`{"alerts":[{"labels":{"a":"` + strings.Repeat("x", 70<<10) + `"}}]}`, 413},
		"good":           {firing, 202},
	} {
		if code, text := post(t, a, "/api/v1/webhook", tc.body); code != tc.code {
			t.Errorf("%s: %d %s", name, code, text)
		}
	}
	before, _ := get(t, a, "/-/ready")
	if err := a.ledger.Shutdown(); err != nil {
		t.Fatal(err)
	}
	after, _ := get(t, a, "/-/ready")
	if code, text := post(t, a, "/api/v1/webhook", firing); code != 503 || before != 200 || after != 503 {
		t.Errorf("with the store gone: %d %s, ready %d then %d", code, text, before, after)
	}
}

func TestARestartKeepsEverythingAndABadReloadChangesNothing(t *testing.T) {
	file := conf(t, newService(t), "dry_run")
	a, stop := start(t, file)
	post(t, a, "/api/v1/webhook", firing)
	if code, text := post(t, a, "/api/v1/pause", `{}`); code != 200 {
		t.Fatal(code, text)
	}
	stop()
	a, _ = start(t, file)
	if _, text := get(t, a, "/metrics"); !strings.Contains(text, "upkeep_remediation_paused 1") || !strings.Contains(text, `upkeep_incidents_open{priority="P1"} 1`) {
		t.Errorf("after the restart:\n%s", text)
	}
	if err := os.WriteFile(file, []byte("global: {mod: auto}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, text := post(t, a, "/-/reload", ""); code != 500 || !strings.Contains(text, `receiver.yml:1: unknown key "mod"`) {
		t.Errorf("a bad file: %d %s", code, text)
	}
	if _, text := get(t, a, "/metrics"); !strings.Contains(text, "upkeep_config_last_reload_successful 0") {
		t.Error("the metric does not say that the reload failed")
	}
	if code, _ := get(t, a, "/-/healthy"); code != 200 {
		t.Error("it is not healthy any more")
	}
}

func TestWithoutConfigurationItRecordsAndActsOnNothing(t *testing.T) {
	a, _ := start(t, "")
	post(t, a, "/api/v1/webhook", firing)
	d := await(t, a, 1, "notified", func(d incident.Detail) bool { return d.Incident.State == incident.Notified })
	if len(d.Runs) != 0 {
		t.Errorf("it has runs: %+v", d.Runs)
	}
}

// invoke runs a command line of the program.
func invoke(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

func TestCommands(t *testing.T) {
	s := newService(t)
	file := conf(t, s, "dry_run")
	a, _ := start(t, file)
	post(t, a, "/api/v1/webhook", firing)
	url := "--url=http://" + a.Addr()
	for _, tc := range []struct {
		in   string
		args []string
		code int
		want string // in what is printed
	}{
		{args: []string{"--version"}, want: "upkeep-receiver, version"},
		{args: []string{"--help"}, want: "--web.listen-address"},
		{args: []string{"check", file}, want: "good: 1 targets, 1 remediations, mode dry_run"},
		{args: []string{"check", "/nowhere.yml"}, code: 1, want: "reading configuration"},
		{in: firing, args: []string{"test", file, "-"}, want: "remediation restart-web on web"},
		{in: "x", args: []string{"test", file, "-"}, code: 1, want: "malformed"},
		{args: []string{"incidents", url}, want: "Down"},
		{args: []string{"incidents", "list", "--state=open", "--format=json", url}, want: `"alertname":"Down"`},
		{args: []string{"incidents", "show", "1", url}, want: "# Incident 1: Down"},
		{args: []string{"verdict", "1", "false_positive", "--note=load test", url}, want: "incident 1 is judged false_positive"},
		{args: []string{"verdict", "1", "maybe", url}, code: 1, want: `verdict "maybe" is not one of`},
		{args: []string{"verdict", "99", "benign", url}, code: 1, want: "not found"},
		{args: []string{"report", "1", url}, want: "load test"},
		{args: []string{"pause", url}}, {args: []string{"resume", url}},
		{args: []string{"incidents", "--url=http://127.0.0.1:1"}, code: 1, want: "is it running there?"},
		{args: []string{"nonsense"}, code: 1, want: "try --help"},
		{args: []string{"serve", "--storage=postgres://x"}, code: 1, want: "not supported yet"},
	} {
		code, out, errOut := invoke(t, tc.in, tc.args...)
		if code != tc.code || !strings.Contains(out+errOut, tc.want) {
			t.Errorf("%q: exit %d, want %d and %q:\n%s%s", tc.args, code, tc.code, tc.want, out, errOut)
		}
	}
	if s.restarts.Load() != 0 {
		t.Error("a command acted")
	}
}
