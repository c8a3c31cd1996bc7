package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// What the client must mend.
var (
	errBadInput = errors.New("bad input")
	errForeign  = errors.New("another site may not decide here")
)

// decision is what a person sends: by the API as JSON, by a page as a form.
type decision struct {
	Verdict string `json:"verdict"`
	Note    string `json:"note"`
	By      string `json:"by"`
}

// The lengths of what people write.
const (
	maxNote = 4 << 10
	maxName = 200
)

// decide is one thing that a person may do.
type decide func(ctx context.Context, r *http.Request, d decision) error

func (s *Server) acknowledge(ctx context.Context, r *http.Request, d decision) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	return s.Store.Acknowledge(ctx, id, d.By, s.Now())
}

func (s *Server) close(ctx context.Context, r *http.Request, d decision) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	return s.Store.Close(ctx, id, d.By, s.Now())
}

func (s *Server) judge(ctx context.Context, r *http.Request, d decision) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	v, err := verdict.Parse(d.Verdict)
	if err != nil {
		return fmt.Errorf("%w: %w", errBadInput, err)
	}
	return s.Store.Judge(ctx, incident.Judgement{
		Incident: id, Verdict: v, Source: incident.SourceHuman, Confidence: 1, By: d.By, Note: d.Note, At: s.Now(),
	})
}

func (s *Server) approve(ctx context.Context, r *http.Request, d decision) error {
	return s.Store.Approve(ctx, r.PathValue("run"), d.By, s.Now())
}

func (s *Server) deny(ctx context.Context, r *http.Request, d decision) error {
	return s.Store.Deny(ctx, r.PathValue("run"), d.By, s.Now())
}

func (s *Server) pause(ctx context.Context, _ *http.Request, d decision) error {
	return s.Store.SetPaused(ctx, true, d.By, s.Now())
}

func (s *Server) resume(ctx context.Context, _ *http.Request, d decision) error {
	return s.Store.SetPaused(ctx, false, d.By, s.Now())
}

// complete fills in who decided: the name that the listener has checked, else
// the one that was given, else the peer's address.
func (d *decision) complete(r *http.Request) error {
	if user, _, ok := r.BasicAuth(); ok && user != "" {
		d.By = user
	}
	if d.By == "" {
		d.By = "somebody at " + r.RemoteAddr
	}
	if len(d.By) > maxName || len(d.Note) > maxNote {
		return fmt.Errorf("%w: by may have %d bytes and note %d", errBadInput, maxName, maxNote)
	}
	return nil
}

func number(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("%w: %q is not the number of an incident", errBadInput, r.PathValue("id"))
	}
	return id, nil
}
