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
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// The overview lists at most so many open incidents and looks for the closed
// ones among the newest closedShown. What the last run of an incident came to
// is asked for the first resultsShown of each: a storm of alerts must not make
// the page slow.
const (
	openShown    = 1000
	closedShown  = 50
	resultsShown = 25
)

type pages struct{ overview, incident *template.Template }

func newPages() (p pages, err error) {
	funcs := template.FuncMap{"time": clock, "span": span, "sorted": sortedKeys, "promise": promise, "late": late, "named": named, "words": words, "isLink": isLink}
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
		open, err = s.Store.List(r.Context(), incident.Filter{OpenOnly: true, Limit: openShown})
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
	data := struct {
		common
		Open, Closed []row
		Most         bool
	}{common: c, Most: len(open) == openShown}
	if data.Open, err = s.rows(r, open); err == nil {
		data.Closed, err = s.rows(r, closed)
	}
	if err != nil {
		s.failPage(w, err)
		return
	}
	s.render(w, s.pages.overview, data)
}

// row is an incident with the run that was last heard of, if there is one.
type row struct {
	incident.Incident
	Last *incident.Run
}

func (s *Server) rows(r *http.Request, list []incident.Incident) ([]row, error) {
	out := make([]row, len(list))
	for i, in := range list {
		out[i].Incident = in
		if i >= resultsShown {
			continue
		}
		d, err := s.Store.Detail(r.Context(), in.ID)
		if err != nil {
			return nil, err
		}
		for _, run := range d.Runs {
			if out[i].Last == nil || run.UpdatedAt.After(out[i].Last.UpdatedAt) {
				out[i].Last = &run
			}
		}
	}
	return out, nil
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
	}{c, d})
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

// named is the name of an alert, and something to click on when it has none.
func named(alertname string) string {
	if strings.TrimSpace(alertname) == "" {
		return "(no name)"
	}
	return alertname
}

// words writes a state, a kind or a verdict as people say it.
func words(s any) string {
	if v, ok := s.(*verdict.Verdict); ok && v != nil {
		s = *v
	}
	return strings.ReplaceAll(fmt.Sprint(s), "_", " ")
}

// isLink tells the addresses that a page may lead to.
func isLink(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// promise is the clock of an incident against its promise, for people.
func promise(in incident.Incident, now time.Time) string {
	switch {
	case in.State.Ended(), in.State == incident.Recovered, in.State == incident.Reported:
		return ""
	case !in.AcknowledgedAt.IsZero():
		return "taken by " + in.AcknowledgedBy
	case late(in, now):
		return "late by " + span(in.AnswerBy, now)
	}
	return span(now, in.AnswerBy) + " left"
}

// late reports whether nobody has answered in time, and somebody still must.
func late(in incident.Incident, now time.Time) bool {
	waits := !in.State.Ended() && in.State != incident.Recovered && in.State != incident.Reported
	return waits && in.AcknowledgedAt.IsZero() && now.After(in.AnswerBy)
}
