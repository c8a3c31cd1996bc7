package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// maxBody bounds how much of a body is read. A longer one is cut, which is not
// an error: the text that is looked for stands at the beginning or not at all.
const maxBody = 1 << 20

// client sends the probes of one target over at most one connection.
type client struct {
	target    Target
	transport *http.Transport
	http      *http.Client
}

func newClient(t Target) *client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxConnsPerHost:     1,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     10 * time.Minute,
	}
	return &client{target: t, transport: transport, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// cool makes the next probe open a connection.
func (c *client) cool() { c.transport.CloseIdleConnections() }

func (c *client) close() { c.transport.CloseIdleConnections() }

// outcome is what one probe has measured.
type outcome struct {
	result  Result
	err     error // why, for the log
	reused  bool  // an open connection was used
	seconds float64
	phases  [phaseCount]float64
	timed   bool // seconds is the time of an answer, or of waiting for one in vain
}

// probe sends one request that was due at due.
func (c *client) probe(ctx context.Context, due time.Time) outcome {
	ctx, cancel := context.WithTimeout(ctx, c.target.Timeout)
	defer cancel()
	clock := newPhaseClock(due)
	result, err := c.send(clock.trace(ctx))
	phases, reused := clock.stop(time.Now())
	o := outcome{result: result, err: err, reused: reused, phases: phases}
	for _, p := range phases {
		o.seconds += p
	}
	switch result {
	case Timeout:
		// An answer might have come later still: never less than the deadline.
		o.seconds, o.timed = max(o.seconds, c.target.Timeout.Seconds()), true
	case DNS, Connect, TLS, Other:
		// No answer, and no time of one.
	default:
		o.timed = true
	}
	return o
}

func (c *client) send(ctx context.Context) (Result, error) {
	req, err := http.NewRequestWithContext(ctx, c.target.Method, c.target.URL, nil)
	if err != nil {
		return Other, err
	}
	req.Header.Set("User-Agent", "upkeep-exporter")
	for name, value := range c.target.Headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return resultOf(err), err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		if r := resultOf(err); r == Timeout {
			return r, err
		}
		return Body, err
	}
	if !slices.Contains(c.target.ExpectStatus, resp.StatusCode) {
		return resultOfStatus(resp.StatusCode), fmt.Errorf("status %d is none of %d", resp.StatusCode, c.target.ExpectStatus)
	}
	if want := c.target.BodyContains; want != "" && !bytes.Contains(body, []byte(want)) {
		return Body, errors.New("the body does not hold the text that is expected")
	}
	return Success, nil
}

func resultOf(err error) Result {
	if errors.Is(err, http.ErrSchemeMismatch) {
		return TLS // the server does not speak it
	}
	switch collect.CauseOf(err) {
	case collect.Timeout:
		return Timeout
	case collect.DNS:
		return DNS
	case collect.TLS:
		return TLS
	case collect.Connect:
		return Connect
	default:
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return Connect
		}
		return Other
	}
}
