package action

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func TestHTTPCall(t *testing.T) {
	hits := map[string]int{}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type"), r.Header.Get("X-Who"), body)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/there", func(http.ResponseWriter, *http.Request) { hits["there"]++ })
	mux.HandleFunc("/no", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no worker", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	target := incident.Target{Name: "api", Kind: "http", Params: map[string]string{"url": srv.URL + "/echo"}}
	a := All(Options{})["http.call"]
	for name, tc := range map[string]struct {
		with   incident.Params
		step   int
		output string
		err    string
	}{
		"the target itself": {output: "200 OK\nPOST r1"},
		"all arguments": {step: 1, output: `200 OK
PUT r1-1 application/json me {"a":1}`, with: incident.Params{"method": {"PUT"}, "body": {`{"a":1}`}, "headers": {"X-Who: me"}, "url": {srv.URL + "/echo"}, "expect": {"200"}}},
		"a redirect":            {with: incident.Params{"url": {srv.URL + "/away"}}, output: "307", err: "want 2xx"},
		"an error":              {with: incident.Params{"url": {srv.URL + "/no"}}, output: "no worker", err: "503"},
		"another server":        {with: incident.Params{"url": {"http://127.0.0.1:1/"}}, err: "not on the server of target"},
		"a user in the address": {with: incident.Params{"url": {strings.Replace(srv.URL, "http://", "http://x@evil:80@", 1)}}, err: ""},
		"unknown argument":      {with: incident.Params{"uri": {"/"}}, err: `"uri" is not known`},
		"a bad status":          {with: incident.Params{"expect": {"ok"}}, err: `expect "ok"`},
		"a bad header":          {with: incident.Params{"headers": {"X"}}, err: "Name: value"},
	} {
		out, err := a.Do(t.Context(), incident.Request{Target: target, With: tc.with, Run: "r1", Step: tc.step})
		wantsErr := tc.err != "" || name == "a user in the address"
		if (err != nil) != wantsErr || (err != nil && !strings.Contains(err.Error(), tc.err)) || !strings.Contains(out, tc.output) {
			t.Errorf("%s: got %q, %v", name, out, err)
		}
	}
	if hits["there"] != 0 {
		t.Error("a redirect was followed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.Do(ctx, incident.Request{Target: target, With: incident.Params{"url": {srv.URL + "/slow"}}}); err == nil {
		t.Error("it did not end with its context")
	}
	if err := a.Precheck(t.Context(), incident.Request{Target: incident.Target{Name: "x", Kind: "http"}}); err == nil || !strings.Contains(err.Error(), "has no url") {
		t.Errorf("got %v", err)
	}
}
