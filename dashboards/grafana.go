package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/grafana-tools/sdk"

	"github.com/MNS-Vic/upkeep/internal/secret"
)

// Limits of every request to Grafana.
const (
	requestTimeout = 15 * time.Second
	maxAnswer      = 32 << 20
	excerpt        = 300 // bytes of an error answer that are shown
)

type grafanaOptions struct {
	URL       string
	TokenFile string // GRAFANA_TOKEN when empty
	Folder    string
}

// grafana talks to one Grafana: through the SDK where the SDK is sound, by a
// request of our own for the dashboard itself, because the SDK knows only
// numbered folders, which Grafana is giving up.
type grafana struct {
	base   *url.URL
	http   *http.Client
	client *sdk.Client
}

// withGrafana reads the token and calls use with a client.
func withGrafana(o grafanaOptions, use func(*grafana) error) error {
	token := secret.New(os.Getenv("GRAFANA_TOKEN"))
	if o.TokenFile != "" {
		var err error
		if token, err = secret.FromFile(o.TokenFile); err != nil {
			return err
		}
	}
	if token.Empty() {
		return errors.New("no token for Grafana: set GRAFANA_TOKEN or give --grafana.token-file")
	}
	c, err := newGrafana(o.URL, token)
	if err != nil {
		return err
	}
	return use(c)
}

func newGrafana(address string, token secret.Secret) (*grafana, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("grafana.url %q: want http://HOST or https://HOST", address)
	}
	if base.User != nil {
		return nil, fmt.Errorf("grafana.url %q: a password does not belong in an address, use GRAFANA_TOKEN", base.Redacted())
	}
	client := &http.Client{
		Timeout:   requestTimeout,
		Transport: strictTransport{next: http.DefaultTransport, token: token},
		// A redirect would take the token to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c, err := sdk.NewClient(strings.TrimRight(address, "/"), "", client)
	if err != nil {
		return nil, fmt.Errorf("grafana.url %q: %w", address, err)
	}
	return &grafana{base: base, http: client, client: c}, nil
}

// statusError is an answer that is not a success.
type statusError struct {
	Code int
	Body string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("grafana answered %d: %s", e.Code, e.Body)
	switch {
	case e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden:
		text += " (check the token and its role: Editor is needed)"
	case strings.Contains(e.Body, "provisioned"):
		text += " (this Grafana reads the dashboards from files: use files or push, not both)"
	}
	return text
}

// strictTransport signs each request and makes an error of every answer that
// is not a success. The SDK looks at the status of some answers only, and
// stops the program on some others.
type strictTransport struct {
	next  http.RoundTripper
	token secret.Secret
}

// RoundTrip implements http.RoundTripper.
func (t strictTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if user, password, basic := strings.Cut(t.token.Reveal(), ":"); basic {
		req.SetBasicAuth(user, password)
	} else {
		req.Header.Set("Authorization", "Bearer "+t.token.Reveal())
	}
	req.Header.Set("User-Agent", "upkeep-dashboards")
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		resp.Body = limitedBody{io.LimitReader(resp.Body, maxAnswer), resp.Body}
		return resp, nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, excerpt))
	return nil, &statusError{Code: resp.StatusCode, Body: t.token.Mask(strings.TrimSpace(string(body)))}
}

type limitedBody struct {
	io.Reader
	io.Closer
}

func isNotFound(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound
}

// ensureFolder makes the folder when it is not there.
func (g *grafana) ensureFolder(ctx context.Context, uid string) error {
	_, err := g.client.GetFolderByUID(ctx, uid)
	if !isNotFound(err) {
		return wrap(err, "asking for folder %q", uid)
	}
	_, err = g.client.CreateFolder(ctx, sdk.Folder{UID: uid, Title: "Upkeep"})
	return wrap(err, "making folder %q", uid)
}

// stored is the dashboard as Grafana has it, or nil.
func (g *grafana) stored(ctx context.Context, uid string) ([]byte, error) {
	raw, _, err := g.client.GetRawDashboardByUID(ctx, uid)
	if isNotFound(err) {
		return nil, nil
	}
	return raw, wrap(err, "asking for dashboard %q", uid)
}

// saveRequest is what Grafana's save call reads.
type saveRequest struct {
	Dashboard json.RawMessage `json:"dashboard"`
	FolderUID string          `json:"folderUid"`
	Overwrite bool            `json:"overwrite"`
	Message   string          `json:"message"`
}

func (g *grafana) save(ctx context.Context, s saveRequest) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding dashboard: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base.JoinPath("api/dashboards/db").String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := g.http.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
