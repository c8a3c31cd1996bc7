package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// fakeGrafana is as much of Grafana as push and annotate use, with the ways in
// which a real one refuses.
type fakeGrafana struct {
	token string
	fault http.HandlerFunc // answers instead, when set

	mu          sync.Mutex
	folders     map[string]string
	dashboards  map[string]map[string]any
	saved       []saveRequest
	annotations []map[string]any
}

func startFakeGrafana(t *testing.T) (*fakeGrafana, string) {
	t.Helper()
	g := &fakeGrafana{token: "glsa_secret", folders: map[string]string{}, dashboards: map[string]map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /grafana/api/folders/{uid}", g.folder)
	mux.HandleFunc("POST /grafana/api/folders", g.makeFolder)
	mux.HandleFunc("GET /grafana/api/dashboards/uid/{uid}", g.dashboard)
	mux.HandleFunc("POST /grafana/api/dashboards/db", g.save)
	mux.HandleFunc("POST /grafana/api/annotations", g.annotate)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		switch {
		case g.fault != nil:
			g.fault(w, r)
		case r.Header.Get("Authorization") != "Bearer "+g.token:
			answer(w, http.StatusUnauthorized, map[string]any{"message": "Invalid API key " + r.Header.Get("Authorization")})
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return g, srv.URL + "/grafana/" // below a path, as behind a proxy
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func (g *fakeGrafana) folder(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	if title, ok := g.folders[uid]; ok {
		answer(w, http.StatusOK, map[string]any{"uid": uid, "title": title})
		return
	}
	answer(w, http.StatusNotFound, map[string]any{"message": "folder not found"})
}

func (g *fakeGrafana) makeFolder(w http.ResponseWriter, r *http.Request) {
	var f struct{ UID, Title string }
	if json.NewDecoder(r.Body).Decode(&f) != nil || f.Title == "" {
		answer(w, http.StatusBadRequest, map[string]any{"message": "bad folder"})
		return
	}
	g.folders[f.UID] = f.Title
	answer(w, http.StatusOK, map[string]any{"uid": f.UID, "title": f.Title})
}

func (g *fakeGrafana) dashboard(w http.ResponseWriter, r *http.Request) {
	d, ok := g.dashboards[r.PathValue("uid")]
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"message": "Dashboard not found"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"meta": map[string]any{"version": d["version"]}, "dashboard": d})
}

// save numbers a dashboard and counts its versions, as Grafana does.
func (g *fakeGrafana) save(w http.ResponseWriter, r *http.Request) {
	var s saveRequest
	var d map[string]any
	if json.NewDecoder(r.Body).Decode(&s) != nil || json.Unmarshal(s.Dashboard, &d) != nil || g.folders[s.FolderUID] == "" {
		answer(w, http.StatusBadRequest, map[string]any{"message": "bad request data"})
		return
	}
	if d["id"] != nil {
		answer(w, http.StatusNotFound, map[string]any{"message": "Dashboard not found"})
		return
	}
	uid := d["uid"].(string)
	d["id"], d["version"] = 7, 1
	if old, ok := g.dashboards[uid]; ok {
		d["version"] = old["version"].(int) + 1
	}
	g.dashboards[uid] = d
	g.saved = append(g.saved, s)
	answer(w, http.StatusOK, map[string]any{"status": "success"})
}

func (g *fakeGrafana) annotate(w http.ResponseWriter, r *http.Request) {
	var a map[string]any
	if json.NewDecoder(r.Body).Decode(&a) != nil {
		answer(w, http.StatusBadRequest, map[string]any{"message": "bad request data"})
		return
	}
	g.annotations = append(g.annotations, a)
	answer(w, http.StatusOK, map[string]any{"id": len(g.annotations), "message": "Annotation added"})
}
