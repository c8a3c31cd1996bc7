package httpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func start(t *testing.T, h http.Handler) (url string, stop func() error) {
	t.Helper()
	s, err := Listen(Options{ListenAddress: "127.0.0.1:0", Handler: h, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return "http://" + s.Addr(), func() error { cancel(); return <-done }
}

func TestStopLetsARunningRequestFinish(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	url, stop := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "whole")
	}))
	body := make(chan string, 1)
	go func() {
		resp, err := http.Get(url)
		if err != nil {
			body <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		body <- string(b)
	}()
	<-arrived
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(release)
	if got := <-body; got != "whole" {
		t.Errorf("the running request got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestHealthEndpoints(t *testing.T) {
	mux := http.NewServeMux()
	notReady, badConfig := errors.New("the store is not open"), errors.New("line 3")
	Health(mux, "upkeep-test", func() error { return notReady }, func() error { return badConfig })
	url, stop := start(t, mux)
	for _, tc := range []struct {
		method, path string
		code         int
		text         string
	}{
		{"GET", "/-/healthy", 200, "upkeep-test is healthy."},
		{"GET", "/-/ready", 503, "the store is not open"},
		{"POST", "/-/reload", 500, "line 3"},
		{"GET", "/-/reload", 405, ""},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), tc.method, url+tc.path, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tc.code || !strings.Contains(string(b), tc.text) {
			t.Errorf("%s %s: %d %q", tc.method, tc.path, resp.StatusCode, b)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
