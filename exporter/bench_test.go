package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/MNS-Vic/upkeep/internal/servers"
)

// patience bounds every wait of a test.
const patience = 20 * time.Second

// bench is one exporter in this process, and what it watches.
type bench struct {
	t    *testing.T
	app  *App
	log  *logBuffer
	file string
	stop func()
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newBench runs an exporter with this configuration; an empty one means none,
// and environ is its environment.
func newBench(t *testing.T, config string, environ map[string]string) *bench {
	t.Helper()
	return newBenchWith(t, config, environ, func(*Options) {})
}

func newBenchWith(t *testing.T, config string, environ map[string]string, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, log: &logBuffer{}}
	o := Options{
		ListenAddress: "127.0.0.1:0", Getenv: func(k string) string { return environ[k] },
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	if config != "" {
		b.file = filepath.Join(t.TempDir(), "exporter.yml")
		b.write(config)
		o.ConfigFile = b.file
	}
	change(&o)
	var err error
	if b.app, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.app.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the exporter ended with %v", err)
		}
	})
	t.Cleanup(b.stop)
	b.await("readiness", func() error {
		if code, text := b.get("/-/ready"); code != http.StatusOK {
			return fmt.Errorf("%s", text)
		}
		return nil
	})
	return b
}

func (b *bench) write(config string) {
	b.t.Helper()
	if err := os.WriteFile(b.file, []byte(config), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) url(path string) string { return "http://" + b.app.Addr() + path }

func (b *bench) get(path string) (int, string) {
	b.t.Helper()
	return b.send(http.MethodGet, path)
}

func (b *bench) send(method, path string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url(path), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// scrape reads /metrics as Prometheus would.
func (b *bench) scrape() map[string]*dto.MetricFamily {
	b.t.Helper()
	code, text := b.get("/metrics")
	if code != http.StatusOK {
		b.t.Fatalf("/metrics answers %d: %s", code, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	return families
}

// value is the value of the one series of name whose labels include pairs.
func value(families map[string]*dto.MetricFamily, name string, pairs ...string) (float64, error) {
	var found []float64
	for _, m := range families[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		match := true
		for i := 0; i+1 < len(pairs); i += 2 {
			match = match && have[pairs[i]] == pairs[i+1]
		}
		if match {
			found = append(found, m.GetGauge().GetValue()+m.GetCounter().GetValue()+m.GetUntyped().GetValue())
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%s%q has %d series, want 1", name, pairs, len(found))
	}
	return found[0], nil
}

// awaitValue waits until the series has the value.
func (b *bench) awaitValue(want float64, name string, pairs ...string) {
	b.t.Helper()
	b.await(fmt.Sprintf("%s%q = %v", name, pairs, want), func() error {
		got, err := value(b.scrape(), name, pairs...)
		if err == nil && got != want {
			err = fmt.Errorf("it is %v", got)
		}
		return err
	})
}

func (b *bench) await(what string, met func() error) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := met()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("waiting for %s: %v\n%s", what, err, b.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func startPostgres(t *testing.T, args ...string) *servers.Process {
	t.Helper()
	return started(t)(servers.Postgres(t.Context(), servers.Options{Args: args}))
}

func startRedis(t *testing.T, args ...string) *servers.Process {
	t.Helper()
	return started(t)(servers.Redis(t.Context(), servers.Options{Args: args}))
}

func started(t *testing.T) func(*servers.Process, error) *servers.Process {
	return func(p *servers.Process, err error) *servers.Process {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			signalTree(t, p.PID(), syscall.SIGCONT)
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
		})
		return p
	}
}

// signalTree signals a process and its children: PostgreSQL's make process
// groups of their own.
func signalTree(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	_ = syscall.Kill(pid, sig) // gone already when a test has stopped it
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, ok := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		if ok && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err == nil {
				_ = syscall.Kill(child, sig)
			}
		}
	}
}

// endpoint is an API whose answer a test chooses.
func endpoint(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}
