package web

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// closedShown is how many closed incidents the overview lists below the open ones.
const closedShown = 50

type pages struct{ overview, incident *template.Template }

func newPages() (p pages, err error) {
	funcs := template.FuncMap{"time": clock, "span": span, "sorted": sortedKeys, "promise": promise}
	parse := func(name string) *template.Template {
		t, parseErr := template.New("layout.html").Funcs(funcs).ParseFS(files, "page/layout.html", "page/"+name)
		if parseErr != nil {
			err = fmt.Errorf("reading the page %s: %w", name, parseErr)
		}
		return t
	}
	p = pages{overview: parse("overview.html"), incident: parse("incident.html")}
	return p, err
}

// common is what every page needs.
type common struct {
	Title  string
	Now    time.Time
	Paused bool
}

func (s *Server) common(r *http.Request, title string) (common, error) {
	paused, err := s.Store.Paused(r.Context())
	return common{Title: title, Now: s.Now(), Paused: paused}, err
}

func (s *Server) overview(w http.ResponseWriter, r *http.Request) {
	c, err := s.common(r, "Upkeep")
	var open, all []incident.Incident
	if err == nil {
		open, err = s.Store.List(r.Context(), incident.Filter{OpenOnly: true, Limit: 1000})
	}
	if err == nil {
		all, err = s.Store.List(r.Context(), incident.Filter{Limit: closedShown})
	}
	if err != nil {
		s.failPage(w, err)
		return
	}
	slices.SortStableFunc(open, func(a, b incident.Incident) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.OpenedAt.Compare(b.OpenedAt))
	})
	closed := slices.DeleteFunc(all, func(in incident.Incident) bool { return !in.State.Ended() })
	s.render(w, s.pages.overview, struct {
		common
		Open, Closed []incident.Incident
	}{c, open, closed})
}

func (s *Server) incident(w http.ResponseWriter, r *http.Request) {
	d, err := s.detail(r)
	var c common
	if err == nil {
		c, err = s.common(r, fmt.Sprintf("Incident %d", d.Incident.ID))
	}
	if err != nil {
		s.failPage(w, err)
		return
	}
	s.render(w, s.pages.incident, struct {
		common
		incident.Detail
		Choices []verdict.Verdict
	}{c, d, verdict.All()})
}

// form makes a page's button of a decision: it goes back to the incident.
func (s *Server) form(do decide) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxPost)
		id, err := number(r) // before anything is done: the way back
		if err == nil {
			err = parseForm(r)
		}
		d := decision{Verdict: r.PostForm.Get("verdict"), Note: r.PostForm.Get("note")}
		if err == nil {
			err = d.complete(r)
		}
		if err == nil {
			err = do(r.Context(), r, d)
		}
		if err != nil {
			s.failPage(w, err)
			return
		}
		s.Wake()
		http.Redirect(w, r, fmt.Sprintf("/incidents/%d", id), http.StatusSeeOther)
	}
}

func parseForm(r *http.Request) error {
	err := r.ParseForm()
	if tooLarge := new(http.MaxBytesError); err == nil || errors.As(err, &tooLarge) {
		return err
	}
	return fmt.Errorf("%w: reading the form: %w", errBadInput, err)
}

// render writes a page only when it is whole.
func (s *Server) render(w http.ResponseWriter, t *template.Template, data any) {
	var buf bytes.Buffer
	if err := t.Execute(&buf, data); err != nil {
		s.failPage(w, fmt.Errorf("writing the page: %w", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = buf.WriteTo(w)
}

func (s *Server) failPage(w http.ResponseWriter, err error) {
	code, hint := answerTo(err)
	if code >= http.StatusInternalServerError {
		s.Logger.Error("a page failed", "err", err)
	}
	http.Error(w, err.Error()+"\n"+hint, code)
}

func (s *Server) style(w http.ResponseWriter, _ *http.Request) {
	data, err := fs.ReadFile(files, "page/style.css")
	if err != nil {
		s.failPage(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(data)
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// span is how long it is from one time to another, in the two largest units.
func span(from, to time.Time) string {
	d := to.Sub(from)
	if d < 0 {
		d = -d
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// promise is the clock of an incident against its promise, for people.
func promise(in incident.Incident, now time.Time) string {
	switch {
	case in.State.Ended(), in.State == incident.Recovered, in.State == incident.Reported:
		return ""
	case !in.AcknowledgedAt.IsZero():
		return "taken by " + in.AcknowledgedBy
	case now.After(in.AnswerBy):
		return "late by " + span(in.AnswerBy, now)
	}
	return span(now, in.AnswerBy) + " left"
}
