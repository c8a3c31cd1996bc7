// Package web serves the receiver's pages and its JSON API: what is broken,
// what was done about it, what a person decides.
//
// It renders on the server, needs no script, and holds no state: everything it
// shows is read from the ledger, and everything a person does goes into the
// ledger with who and when. It never acts on the world itself.
package web

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Store is the ledger as people see it. Errors wrap incident.ErrNotFound,
// incident.ErrTransition or incident.ErrDown.
type Store interface {
	List(ctx context.Context, f incident.Filter) ([]incident.Incident, error)
	Detail(ctx context.Context, id int64) (incident.Detail, error)
	Acknowledge(ctx context.Context, id int64, by string, at time.Time) error
	Close(ctx context.Context, id int64, by string, at time.Time) error
	Judge(ctx context.Context, j incident.Judgement) error
	Approve(ctx context.Context, run, by string, at time.Time) error
	Deny(ctx context.Context, run, by string, at time.Time) error
	SetPaused(ctx context.Context, paused bool, by string, at time.Time) error
	Paused(ctx context.Context) (bool, error)
	History(ctx context.Context, since time.Time, alertname string, yield func(incident.Incident) error) error
}

// Reports writes reports.
type Reports struct {
	Markdown func(incident.Detail) []byte
	JSON     func(incident.Detail) ([]byte, error)
}

// Options of the pages.
type Options struct {
	Store   Store
	Reports Reports
	Logger  *slog.Logger
	Wake    func() // called when a person has changed something
	Now     func() time.Time
}

// Server answers requests.
type Server struct {
	Options
	pages pages
	guard *http.CrossOriginProtection
}

//go:embed page/*.html page/style.css
var files embed.FS

// New reads the templates.
func New(o Options) (*Server, error) {
	if o.Store == nil || o.Reports.Markdown == nil || o.Reports.JSON == nil {
		return nil, errors.New("web: Store and Reports are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	s := &Server{Options: o, pages: p, guard: http.NewCrossOriginProtection()}
	s.guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.fail(w, errForeign) }))
	return s, nil
}

// Register adds every route to mux.
func (s *Server) Register(mux *http.ServeMux) {
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /api/v1/incidents":               s.apiList,
		"GET /api/v1/incidents/{id}":          s.apiDetail,
		"POST /api/v1/incidents/{id}/ack":     s.api(s.acknowledge),
		"POST /api/v1/incidents/{id}/close":   s.api(s.close),
		"POST /api/v1/incidents/{id}/verdict": s.api(s.judge),
		"POST /api/v1/runs/{run}/approve":     s.api(s.approve),
		"POST /api/v1/runs/{run}/deny":        s.api(s.deny),
		"POST /api/v1/pause":                  s.api(s.pause),
		"POST /api/v1/resume":                 s.api(s.resume),
		"GET /api/v1/history":                 s.apiHistory,
		"GET /api/v1/reports/{id}":            s.apiReport,

		"GET /{$}":                                s.overview,
		"GET /incidents/{id}":                     s.incident,
		"POST /incidents/{id}/ack":                s.form(s.acknowledge),
		"POST /incidents/{id}/close":              s.form(s.close),
		"POST /incidents/{id}/verdict":            s.form(s.judge),
		"POST /incidents/{id}/runs/{run}/approve": s.form(s.approve),
		"POST /incidents/{id}/runs/{run}/deny":    s.form(s.deny),
		"GET /static/style.css":                   s.style,
	} {
		mux.Handle(pattern, s.safe(handle))
	}
}

// policy lets a page load our stylesheet and post to us, and nothing else.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// safe sets the headers of every answer and refuses posts from other sites.
func (s *Server) safe(next http.Handler) http.Handler {
	guarded := s.guard.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		guarded.ServeHTTP(w, r)
	})
}
