package history

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/internal/promapi"
	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/servers"
)

// A real Prometheus, asked for something that needs no data: the chunks must
// join without a gap and without a value in the wrong place.
func TestSamplesJoinTheirChunks(t *testing.T) {
	conf, err := servers.WriteFile(t.TempDir(), "prometheus.yml", "{}\n")
	if err != nil {
		t.Fatal(err)
	}
	p, err := servers.Prometheus(t.Context(), conf, servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	prom, err := promapi.New(p.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 1, 31, 0, 0, 7, 0, time.UTC)
	const points = 2*chunk + 17
	got, err := Samples(t.Context(), prom, "vector(time()) % 3600 < 3000", end, points*15*time.Second, 15*time.Second)
	if err != nil || len(got) != 1 || len(got[0].Values) != points {
		t.Fatalf("got %d series, %v", len(got), err)
	}
	s := got[0]
	if last := s.Start.Add((points - 1) * 15 * time.Second); !last.Equal(end.Add(-7 * time.Second)) {
		t.Errorf("the grid ends at %s", last)
	}
	for i, v := range s.Values {
		want := float64(s.Start.Add(time.Duration(i)*15*time.Second).Unix() % 3600)
		if gap := want >= 3000; gap != math.IsNaN(v) || (!gap && v != want) {
			t.Fatalf("value %d is %v, want %v or a gap from 3000 on", i, v, want)
		}
	}
	if _, err := Samples(t.Context(), prom, "vector(", end, time.Hour, time.Minute); err == nil {
		t.Error("an expression that cannot be parsed gave samples")
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if got, err := Samples(t.Context(), prom, "vector(1)", end, time.Hour, time.Minute); err == nil {
		t.Errorf("a server that is gone gave %v", got)
	}
}

func TestPagesOfAReceiver(t *testing.T) {
	const line = `{"alertname":"A","labels":{},"fingerprint":"f","startsAt":"2026-01-02T00:00:00Z","endsAt":null,"verdict":null,"value":null}` + "\n"
	for name, tc := range map[string]struct {
		body  string
		code  int
		pages int
		want  string
	}{
		"good":     {body: line + line, code: 200, pages: 2},
		"empty":    {code: 200},
		"refused":  {body: "no", code: 403, want: "403 Forbidden: no"},
		"cut off":  {body: line + line[:20], code: 200, want: "history line 2"},
		"no JSONL": {body: "<html>", code: 200, want: "history line 1"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/v1/history" || r.URL.Query().Get("since") != "2026-01-01T00:00:00Z" || r.Header.Get("Authorization") != "Bearer tok" {
				t.Errorf("asked for %s with %q", r.URL, r.Header.Get("Authorization"))
			}
			w.WriteHeader(tc.code)
			_, _ = io.WriteString(w, tc.body)
		}))
		pages, err := FromReceiver(t.Context(), srv.URL+"/", secret.New("tok"), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		srv.Close()
		if (err == nil) != (tc.want == "") || len(pages) != tc.pages || (err != nil && !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %d pages, %v", name, len(pages), err)
		}
	}
}
