package action

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// httpCall sends one request to the target's server. Arguments: method (POST),
// url (the target's; another path on the same server may be given), body,
// headers (a list of "Name: value"), expect (a status or class, 2xx).
//
// Redirects are not followed: they would lead to a server that nobody allowed.
type httpCall struct{ client *http.Client }

func (httpCall) Name() string { return "http.call" }

func (a httpCall) Precheck(ctx context.Context, r incident.Request) error {
	_, _, err := a.prepare(ctx, r)
	return err
}

func (a httpCall) Do(ctx context.Context, r incident.Request) (string, error) {
	req, want, err := a.prepare(ctx, r)
	if err != nil {
		return "", err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("calling: %w", err)
	}
	defer resp.Body.Close()
	body := &excerpt{}
	// The action is done with the status; a body that breaks off is only less to read.
	_, _ = io.Copy(body, io.LimitReader(resp.Body, 2*excerptHalf))
	output := strings.TrimSpace(resp.Status + "\n" + body.String())
	if !statusFits(want, resp.StatusCode) {
		return output, fmt.Errorf("calling %s %s: status %s, want %s", req.Method, req.URL.Redacted(), resp.Status, want)
	}
	return output, nil
}

// prepare makes the request and refuses one that would leave the target.
func (a httpCall) prepare(ctx context.Context, r incident.Request) (*http.Request, string, error) {
	if err := known(r.With, "method", "url", "body", "headers", "expect"); err != nil {
		return nil, "", err
	}
	home, err := param(r.Target, "http", "url")
	if err != nil {
		return nil, "", err
	}
	base, err := url.Parse(home)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, "", fmt.Errorf("the url of target %q is not of the form http://host", r.Target.Name)
	}
	address := r.With.Get("url")
	if address == "" {
		address = home
	}
	method := r.With.Get("method")
	if method == "" {
		method = http.MethodPost
	}
	want := r.With.Get("expect")
	if want == "" {
		want = "2xx"
	}
	if !validStatus(want) {
		return nil, "", fmt.Errorf("expect %q is not a status such as 200 or 2xx", want)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(r.With.Get("body")))
	if err != nil {
		return nil, "", fmt.Errorf("preparing the call: %w", err)
	}
	if req.URL.Scheme != base.Scheme || req.URL.Host != base.Host {
		return nil, "", fmt.Errorf("address %q is not on the server of target %q, which is %s://%s", req.URL.Redacted(), r.Target.Name, base.Scheme, base.Host)
	}
	req.Header.Set("User-Agent", "upkeep-receiver")
	req.Header.Set("Idempotency-Key", idempotencyKey(r))
	if r.With.Get("body") != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range r.With.List("headers") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, "", fmt.Errorf("header %q is not of the form Name: value", line)
		}
		req.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return req, want, nil
}

// idempotencyKey is the same for every attempt at a step, so that a server
// that knows such keys acts once.
func idempotencyKey(r incident.Request) string {
	if r.Step == 0 {
		return r.Run
	}
	return r.Run + "-" + strconv.Itoa(r.Step)
}

func validStatus(want string) bool {
	if class, ok := strings.CutSuffix(want, "xx"); ok {
		return len(class) == 1 && class[0] >= '1' && class[0] <= '5'
	}
	code, err := strconv.Atoi(want)
	return err == nil && code >= 100 && code <= 599
}

func statusFits(want string, code int) bool {
	if class, ok := strings.CutSuffix(want, "xx"); ok {
		return strconv.Itoa(code/100) == class
	}
	return strconv.Itoa(code) == want
}

var _ Action = httpCall{}
