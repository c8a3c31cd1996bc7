package collect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
)

// Cause says why a collection failed. It is a metric label, so the set is closed.
type Cause string

// The causes, from the network inwards.
const (
	Timeout Cause = "timeout" // the deadline passed
	DNS     Cause = "dns"     // the name has no address
	Connect Cause = "connect" // refused, reset or unreachable
	TLS     Cause = "tls"     // the handshake or the certificate
	Auth    Cause = "auth"    // the password, the role or its rights
	Limit   Cause = "limit"   // the server takes no more connections
	Query   Cause = "query"   // the server refused the question
	Read    Cause = "read"    // a file could not be read
	Parse   Cause = "parse"   // the answer was not understood
	Panic   Cause = "panic"   // a defect of ours
	Other   Cause = "other"
)

// Causes is the closed set.
func Causes() []Cause {
	return []Cause{Timeout, DNS, Connect, TLS, Auth, Limit, Query, Read, Parse, Panic, Other}
}

type failure struct {
	cause Cause
	err   error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Fail gives err a cause; nil stays nil.
func Fail(cause Cause, err error) error {
	if err == nil {
		return nil
	}
	return &failure{cause, err}
}

// CauseOf finds the cause of err: the deadline first, since it is behind
// whatever else went wrong then, next the one given with Fail, else what the
// standard library's errors tell.
func CauseOf(err error) Cause {
	var (
		given   *failure
		netErr  net.Error
		dnsErr  *net.DNSError
		opErr   *net.OpError
		certErr *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
		alert   tls.AlertError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return Timeout
	case errors.As(err, &given):
		return given.cause
	case errors.As(err, &dnsErr):
		return DNS
	case errors.As(err, &certErr), errors.As(err, &unknown), errors.As(err, &record), errors.As(err, &alert):
		return TLS
	case errors.As(err, &opErr):
		return Connect
	default:
		return Other
	}
}
