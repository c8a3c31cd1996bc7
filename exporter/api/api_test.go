package api

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

func target(url string) Target {
	return Target{Exchange: "x", Endpoint: "e", URL: url, Method: http.MethodGet, ExpectStatus: []int{200}, Interval: time.Second, Timeout: time.Second}
}

func sum(phases [phaseCount]float64) (total float64) {
	for _, p := range phases {
		total += p
	}
	return total
}

func TestEveryResult(t *testing.T) {
	t.Parallel()
	status := func(code int) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	tlsServer := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(tlsServer.Close)
	hang := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, tc := range map[string]struct {
		change func(*Target)
		want   Result
		timed  bool
	}{
		"success":         {func(o *Target) { o.URL = status(200) }, Success, true},
		"expected 204":    {func(o *Target) { o.URL, o.ExpectStatus = status(204), []int{200, 204} }, Success, true},
		"404":             {func(o *Target) { o.URL = status(404) }, HTTP4xx, true},
		"418":             {func(o *Target) { o.URL = status(418) }, HTTP418, true},
		"429":             {func(o *Target) { o.URL = status(429) }, HTTP429, true},
		"503":             {func(o *Target) { o.URL = status(503) }, HTTP5xx, true},
		"unexpected 204":  {func(o *Target) { o.URL = status(204) }, HTTPOther, true},
		"refused":         {func(o *Target) { o.URL = "http://127.0.0.1:1/" }, Connect, false},
		"no such name":    {func(o *Target) { o.URL = "http://nowhere.invalid/" }, DNS, false},
		"bad certificate": {func(o *Target) { o.URL = tlsServer.URL }, TLS, false},
		"tls to http":     {func(o *Target) { o.URL = strings.Replace(status(200), "http:", "https:", 1) }, TLS, false},
		"timeout":         {func(o *Target) { o.URL, o.Timeout = hang, 30*time.Millisecond }, Timeout, true},
		"body missing": {func(o *Target) {
			o.URL, o.BodyContains = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "no") }), "yes"
		}, Body, true},
		"body found": {func(o *Target) {
			o.URL, o.BodyContains = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "say yes") }), "yes"
		}, Success, true},
		"body cut off": {func(o *Target) {
			o.URL = serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "10")
				_, _ = io.WriteString(w, "no")
			})
		}, Body, true},
		"hung up": {func(o *Target) {
			o.URL = serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, Connect, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := target("")
			tc.change(&o)
			c := newClient(o)
			defer c.close()
			got := c.probe(t.Context(), time.Now())
			if got.result != tc.want || got.timed != tc.timed {
				t.Errorf("%s (%v), timed %v; want %s, %v", got.result, got.err, got.timed, tc.want, tc.timed)
			}
			if got.result == Timeout && got.seconds < o.Timeout.Seconds() {
				t.Errorf("a timeout of %s counts as %v s", o.Timeout, got.seconds)
			}
			if got.result != Timeout && math.Abs(sum(got.phases)-got.seconds) > 1e-9 {
				t.Errorf("phases %v add up to %v, not %v", got.phases, sum(got.phases), got.seconds)
			}
		})
	}
}

func TestPhasesAreWhereTheTimeIsSpent(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(60 * time.Millisecond) // the server thinks
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		time.Sleep(30 * time.Millisecond) // and sends slowly
	})
	o := target(url)
	o.Timeout = 10 * time.Second
	c := newClient(o)
	defer c.close()
	cold := c.probe(t.Context(), time.Now().Add(-40*time.Millisecond)) // 40 ms late
	warm := c.probe(t.Context(), time.Now())
	c.cool()
	cool := c.probe(t.Context(), time.Now())
	if cold.reused || !warm.reused || cool.reused {
		t.Errorf("reused: %v, %v, %v", cold.reused, warm.reused, cool.reused)
	}
	p := cold.phases
	if p[wait] < .04 || p[processing] < .06 || p[transfer] < .01 || sum(p) < .13 || p[connect] <= 0 || p[resolve] != 0 || p[handshake] != 0 {
		t.Errorf("phases %v", p)
	}
	if warm.phases[connect] != 0 {
		t.Errorf("a reused connection was connected for %v s", warm.phases[connect])
	}
}

func TestRedirectsAreNotFollowedAndBodiesAreBounded(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	o := target(serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) }))
	if got := newClient(o).probe(t.Context(), time.Now()); got.result != HTTPOther || followed.Load() {
		t.Errorf("%s, followed %v", got.result, followed.Load())
	}
	endless := target(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for block := make([]byte, 64<<10); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	endless.Timeout = 10 * time.Second
	if got := newClient(endless).probe(t.Context(), time.Now()); got.result != Success {
		t.Errorf("an endless body gives %s: %v", got.result, got.err)
	}
}

func TestHeadersAreSent(t *testing.T) {
	t.Parallel()
	o := target(serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "v" || r.Host != "api.test" || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	o.Method, o.Headers = http.MethodPost, map[string]string{"x-key": "v", "host": "api.test"}
	if got := newClient(o).probe(t.Context(), time.Now()); got.result != Success {
		t.Errorf("%s: %v", got.result, got.err)
	}
}

func TestLate(t *testing.T) {
	t0 := time.Unix(1000, 0)
	for name, tc := range map[string]struct {
		behind, due time.Duration
		missed      int
	}{
		"in time":          {0, 0, 0},
		"a little late":    {90 * time.Millisecond, 0, 0},
		"late":             {200 * time.Millisecond, 0, 1},
		"one skipped":      {1050 * time.Millisecond, time.Second, 1},
		"skipped and late": {3500 * time.Millisecond, 3 * time.Second, 4},
	} {
		due, missed := late(t0, t0.Add(tc.behind), time.Second)
		if due.Sub(t0) != tc.due || missed != tc.missed {
			t.Errorf("%s: due %s, missed %d", name, due.Sub(t0), missed)
		}
	}
}

// run probes these targets until the test ends.
func run(t *testing.T, targets ...Target) (*Prober, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	p := New(Options{Targets: targets, Metrics: NewMetrics(reg), Collectors: collect.NewMetrics(reg), Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p, reg
}

func family(t *testing.T, reg *prometheus.Registry, name string) *dto.MetricFamily {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	return nil
}

// counted is a value by the one label that tells series of a target apart.
func counted(f *dto.MetricFamily, label string) map[string]float64 {
	out := map[string]float64{}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == label {
				out[l.GetValue()] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return out
}

func await(t *testing.T, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s", what)
		}
	}
}

func TestASlowTargetDelaysNobody(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hang := target(serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	hang.Endpoint, hang.Interval, hang.Timeout = "hang", 200*time.Millisecond, 200*time.Millisecond
	fine := target(serve(t, func(http.ResponseWriter, *http.Request) {}))
	fine.Endpoint, fine.Interval, fine.Timeout = "fine", 100*time.Millisecond, 100*time.Millisecond
	p, reg := run(t, hang, fine)

	await(t, "cold and warm probes and timeouts", func() bool {
		conns := counted(family(t, reg, "api_response_time_seconds"), "conn")
		up := counted(family(t, reg, "api_up"), "endpoint")
		return conns["new"] > 0 && conns["reused"] > 5 && up["fine"] == 1 && len(up) == 2 && up["hang"] == 0
	})
	for _, m := range family(t, reg, "api_response_time_seconds").GetMetric() {
		h := m.GetHistogram()
		if m.GetLabel()[1].GetValue() == "hang" && h.GetSampleSum() < 0.2*float64(h.GetSampleCount()) {
			t.Errorf("timed-out probes count as %v s in all %d", h.GetSampleSum(), h.GetSampleCount())
		}
		if h.GetSampleCount() > 0 && h.Schema == nil {
			t.Error("there is no native histogram")
		}
	}
	await(t, "the status of both", func() bool {
		s := p.Status()
		return s[0].Target == "x/hang" && s[0].Cause == "timeout" && !s[0].Success && s[1].Target == "x/fine" && s[1].Cause == "" && s[1].Success
	})
	success := counted(family(t, reg, "upkeep_collector_success"), "target")
	if success["x/hang"] != 1 || success["x/fine"] != 1 {
		t.Errorf("measuring succeeded: %v", success)
	}
	close(release)
	await(t, "the recovery", func() bool { return counted(family(t, reg, "api_up"), "endpoint")["hang"] == 1 })
}
