package action

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// engineAPI speaks the two calls of the Engine API that a restart needs, over
// a socket, in states that a real engine cannot easily be brought into.
// dockerd_test.go does the same with a real one.
type engineAPI struct {
	mu        sync.Mutex
	container map[string]any // the answer to inspect
	restarted []string
}

const webID = "3f4e2c1b0a9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f"

func startEngineAPI(t *testing.T) (*engineAPI, string) {
	t.Helper()
	e := &engineAPI{container: map[string]any{"Id": webID, "Name": "/web", "RestartCount": 0, "State": map[string]any{"Pid": 7, "StartedAt": "2026-01-01T00:00:00Z"}}}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.44") })
	mux.HandleFunc("GET /{version}/containers/{id}/json", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !strings.HasPrefix(webID, r.PathValue("id")) && r.PathValue("id") != "web" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"message":"No such container: %s"}`, r.PathValue("id"))
			return
		}
		_ = json.NewEncoder(w).Encode(e.container)
	})
	mux.HandleFunc("POST /{version}/containers/{id}/restart", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.restarted = append(e.restarted, r.PathValue("id")+" t="+r.URL.Query().Get("t"))
		w.WriteHeader(http.StatusNoContent)
	})
	path := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(mux)
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	return e, "unix://" + path
}

func container(id string) incident.Target {
	return incident.Target{Name: "web", Kind: "container", Params: map[string]string{"id": id}}
}

func TestDockerRestart(t *testing.T) {
	e, host := startEngineAPI(t)
	a := All(Options{DockerHost: host})["docker.restart"]
	r := incident.Request{Target: container("web"), With: incident.Params{"stop_timeout": {"1500ms"}}}
	if err := a.Precheck(t.Context(), r); err != nil || len(e.restarted) != 0 {
		t.Fatalf("precheck: %v, restarted %v", err, e.restarted)
	}
	out, err := a.Do(t.Context(), r)
	if err != nil || !strings.Contains(out, "restarted container web (3f4e2c1b0a9d)") {
		t.Errorf("got %q, %v", out, err)
	}
	if len(e.restarted) != 1 || e.restarted[0] != webID+" t=2" {
		t.Errorf("restarted %v", e.restarted)
	}
}

func TestDockerRestartRefuses(t *testing.T) {
	state := func(s map[string]any, restarts int) func(*engineAPI) {
		return func(e *engineAPI) { e.container["State"], e.container["RestartCount"] = s, restarts }
	}
	for name, tc := range map[string]struct {
		target incident.Target
		with   incident.Params
		spoil  func(*engineAPI)
		want   string
	}{
		"another container":      {target: container("other"), want: "No such container"},
		"the beginning of an id": {target: container(webID[:8]), want: "only resembles"},
		"no id":                  {target: incident.Target{Name: "web", Kind: "container"}, want: "has no id"},
		"another kind":           {target: incident.Target{Name: "db", Kind: "postgres"}, want: `needs kind "container"`},
		"a misspelt argument":    {target: container("web"), with: incident.Params{"timeout": {"1s"}}, want: `"timeout" is not known`},
		"a bad duration":         {target: container("web"), with: incident.Params{"stop_timeout": {"20"}}, want: "not a duration"},
		"paused":                 {target: container("web"), spoil: state(map[string]any{"Paused": true}, 0), want: "paused"},
		"a crash loop": {target: container("web"), want: "6 times",
			spoil: state(map[string]any{"StartedAt": time.Now().Add(-time.Minute).Format(time.RFC3339Nano)}, 6)},
	} {
		t.Run(name, func(t *testing.T) {
			e, host := startEngineAPI(t)
			if tc.spoil != nil {
				tc.spoil(e)
			}
			a := All(Options{DockerHost: host})["docker.restart"]
			r := incident.Request{Target: tc.target, With: tc.with}
			if err := a.Precheck(t.Context(), r); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("precheck: %v, want %s", err, tc.want)
			}
			if _, err := a.Do(t.Context(), r); err == nil || len(e.restarted) != 0 {
				t.Errorf("do: %v, restarted %v", err, e.restarted)
			}
		})
	}
	// Long ago is no loop, and the full id is the container itself.
	e, host := startEngineAPI(t)
	e.container["RestartCount"] = 60
	if err := All(Options{DockerHost: host})["docker.restart"].Precheck(t.Context(), incident.Request{Target: container(webID)}); err != nil {
		t.Error(err)
	}
}
