// Package promapi asks a Prometheus-compatible server (Prometheus, Thanos,
// Mimir, VictoriaMetrics) over its HTTP API: instant and range queries, the
// state of rules, and a reload. Answers are bounded in size, every call obeys
// its context, and a failing server is always an error, never an empty result.
//
// It never retries: callers know whether asking again makes sense.
package promapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds one answer. A range query of 11,000 points and 100 series
// is about 30 MB.
const maxAnswer = 256 << 20

// Client asks one server.
type Client struct {
	base string
	http *http.Client
}

// New returns a client for the server at base, such as http://127.0.0.1:9090.
// A nil httpClient gets one with a timeout of a minute.
func New(base string, httpClient *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("prometheus address %q is not of the form http://host:port", base)
	}
	if httpClient == nil {
		httpClient = &http.Client{Timeout: time.Minute}
	}
	return &Client{base: strings.TrimRight(base, "/"), http: httpClient}, nil
}

// Base is the address the client asks.
func (c *Client) Base() string { return c.base }

// Point is one sample of a series.
type Point struct {
	T time.Time
	V float64
}

// Series is one series of a result, its points in order of time.
type Series struct {
	Labels map[string]string
	Points []Point
}

// Query evaluates expr at one instant; the zero time means now on the server.
// A scalar becomes one series without labels.
func (c *Client) Query(ctx context.Context, expr string, at time.Time) ([]Series, error) {
	form := url.Values{"query": {expr}}
	if !at.IsZero() {
		form.Set("time", formatTime(at))
	}
	return c.query(ctx, "/api/v1/query", form)
}

// QueryRange evaluates expr from start to end, both included, every step.
func (c *Client) QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]Series, error) {
	return c.query(ctx, "/api/v1/query_range", url.Values{
		"query": {expr}, "start": {formatTime(start)}, "end": {formatTime(end)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

// Reload makes the server read its configuration and rule files again. It
// needs --web.enable-lifecycle there.
func (c *Client) Reload(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/-/reload", nil)
	if err != nil {
		return fmt.Errorf("reloading prometheus: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("reloading prometheus: %w", err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("reloading prometheus at %s: %s: %s", c.base, resp.Status, strings.TrimSpace(string(text)))
	}
	return nil
}

func formatTime(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

// envelope is the frame of every answer.
type envelope struct {
	Status    string          `json:"status"`
	Data      json.RawMessage `json:"data"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
}

// call sends a form and decodes the frame's data into out.
func (c *Client) call(ctx context.Context, method, path string, form url.Values, out any) error {
	target, body := c.base+path, io.Reader(nil)
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else if len(form) > 0 {
		target += "?" + form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return fmt.Errorf("asking prometheus: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("asking prometheus: %w", err)
	}
	defer resp.Body.Close()
	limited := &io.LimitedReader{R: resp.Body, N: maxAnswer}
	var frame envelope
	if err := json.NewDecoder(limited).Decode(&frame); err != nil {
		if limited.N == 0 {
			err = errors.New("the answer is larger than 256 MiB, ask for a shorter range")
		}
		return fmt.Errorf("asking prometheus at %s%s: %s: %w", c.base, path, resp.Status, err)
	}
	if frame.Status != "success" {
		return fmt.Errorf("asking prometheus at %s%s: %s: %s: %s", c.base, path, resp.Status, frame.ErrorType, frame.Error)
	}
	if err := json.Unmarshal(frame.Data, out); err != nil {
		return fmt.Errorf("reading prometheus' answer to %s: %w", path, err)
	}
	return nil
}
