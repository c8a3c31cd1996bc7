package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// maxPost bounds what a person may send.
const maxPost = 64 << 10

// api makes an endpoint of a decision. An empty body decides without words.
func (s *Server) api(do decide) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var d decision
		err := readJSON(w, r, &d)
		if err == nil {
			err = d.complete(r)
		}
		if err == nil {
			err = do(r.Context(), r, d)
		}
		if err != nil {
			s.fail(w, err)
			return
		}
		s.Wake()
		s.writeJSON(w, map[string]string{"status": "ok"})
	}
}

func readJSON(w http.ResponseWriter, r *http.Request, out any) error {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPost))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: reading the body: %w", errBadInput, err)
	}
	if len(data) == 0 {
		return nil
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return fmt.Errorf("%w: Content-Type %q is not application/json", errBadInput, r.Header.Get("Content-Type"))
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%w: %w", errBadInput, err)
	}
	return nil
}

func (s *Server) apiList(w http.ResponseWriter, r *http.Request) {
	f, err := filter(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	list, err := s.Store.List(r.Context(), f)
	if err != nil {
		s.fail(w, err)
		return
	}
	if list == nil {
		list = []incident.Incident{} // a list without incidents is no null
	}
	s.writeJSON(w, map[string]any{"incidents": list})
}

// filter reads ?state=&alertname=&since=&limit=; state "open" is every
// incident that is not closed.
func filter(r *http.Request) (incident.Filter, error) {
	q := r.URL.Query()
	f := incident.Filter{Alertname: q.Get("alertname")}
	switch state := incident.State(q.Get("state")); {
	case state == "open":
		f.OpenOnly = true
	case state == "" || slices.Contains(incident.States(), state):
		f.State = state
	default:
		return f, fmt.Errorf("%w: state %q is not one of %v", errBadInput, state, incident.States())
	}
	var err error
	if f.Since, err = since(r); err != nil {
		return f, err
	}
	if text := q.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 {
			return f, fmt.Errorf("%w: limit %q is not a number above 0", errBadInput, text)
		}
	}
	return f, nil
}

func since(r *http.Request) (time.Time, error) {
	text := r.URL.Query().Get("since")
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0), nil
	}
	return time.Time{}, fmt.Errorf("%w: since %q is neither RFC 3339 nor seconds since 1970", errBadInput, text)
}

func (s *Server) apiDetail(w http.ResponseWriter, r *http.Request) {
	d, err := s.detail(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.writeJSON(w, d)
}

func (s *Server) detail(r *http.Request) (incident.Detail, error) {
	id, err := number(r)
	if err != nil {
		return incident.Detail{}, err
	}
	return s.Store.Detail(r.Context(), id)
}

// apiHistory streams one line per incident, oldest first.
func (s *Server) apiHistory(w http.ResponseWriter, r *http.Request) {
	from, err := since(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	begun := false
	err = s.Store.History(r.Context(), from, r.URL.Query().Get("alertname"), func(in incident.Incident) error {
		begun = true
		return verdict.Write(w, in.Page())
	})
	switch {
	case err == nil:
	case begun:
		// Half of the history must not look like all of it: cut the connection.
		s.Logger.Error("the history was cut off", "err", err)
		panic(http.ErrAbortHandler)
	default:
		s.fail(w, err)
	}
}

func (s *Server) apiReport(w http.ResponseWriter, r *http.Request) {
	d, err := s.detail(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	switch format := r.URL.Query().Get("format"); format {
	case "", "markdown":
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		_, _ = w.Write(s.Reports.Markdown(d))
	case "json":
		data, err := s.Reports.JSON(d)
		if err != nil {
			s.fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data)
	default:
		s.fail(w, fmt.Errorf("%w: format %q is not one of markdown, json", errBadInput, format))
	}
}

func (s *Server) writeJSON(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(data, '\n'))
}

// answerTo says which status an error is, and what to do about it.
func answerTo(err error) (code int, hint string) {
	tooLarge := new(http.MaxBytesError)
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("send at most %d bytes", tooLarge.Limit)
	case errors.Is(err, errForeign):
		return http.StatusForbidden, "use the pages of the receiver itself, or a client that is no browser"
	case errors.Is(err, errBadInput):
		return http.StatusBadRequest, "correct the request"
	case errors.Is(err, incident.ErrNotFound):
		return http.StatusNotFound, "list what there is at /api/v1/incidents"
	case errors.Is(err, incident.ErrTransition):
		return http.StatusConflict, "look at its present state, somebody was faster"
	case errors.Is(err, incident.ErrDown):
		return http.StatusServiceUnavailable, "nothing was changed, try again; the receiver's log says more"
	}
	return http.StatusInternalServerError, "the receiver's log says more"
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	code, hint := answerTo(err)
	if code >= http.StatusInternalServerError {
		s.Logger.Error("a request failed", "err", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error(), "hint": hint})
}
