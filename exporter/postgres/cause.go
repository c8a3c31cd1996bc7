package postgres

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// explain gives err its cause, and takes the secret out of its text.
func (l *link) explain(err error) error {
	cause := collect.CauseOf(err)
	var pgErr *pgconn.PgError
	switch {
	case errors.As(err, &pgErr):
		cause = causeOfCode(pgErr.Code)
	case cause == collect.Other && broken(err):
		cause = collect.Connect
	}
	text := err.Error()
	for _, hidden := range l.secrets {
		text = hidden.Mask(text)
	}
	return collect.Fail(cause, errors.New(text))
}

// causeOfCode reads an SQLSTATE.
func causeOfCode(code string) collect.Cause {
	switch {
	case code == "53300", code == "53400": // too many connections
		return collect.Limit
	case strings.HasPrefix(code, "28"), code == "42501": // invalid authorisation, insufficient privilege
		return collect.Auth
	case code == "57014", code == "55P03": // statement_timeout, lock_timeout
		return collect.Timeout
	case strings.HasPrefix(code, "57P"): // shutting down or starting up
		return collect.Connect
	default:
		return collect.Query
	}
}

// broken tells a connection that is gone from a question that was refused:
// the server says that it goes away, or says nothing at all.
func broken(err error) bool {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return causeOfCode(pgErr.Code) == collect.Connect
	}
	return collect.CauseOf(err) != collect.Parse
}
