package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// quick is a configuration with intervals that a test can wait for.
func quick(dsn, redis, api string) string {
	return fmt.Sprintf(`
host: {interval: 500ms}
postgres: [{name: main, dsn: %q, interval: 300ms, timeout: 300ms, slow_interval: 500ms}]
redis: [{name: cache, addr: %q, interval: 300ms, timeout: 300ms}]
api:
  interval: 200ms
  targets: [{exchange: test, endpoint: ping, url: %q}]
`, dsn, redis, api)
}

func TestAStoppedServerIsDownAndComesBack(t *testing.T) {
	t.Parallel()
	pg, rd := startPostgres(t), startRedis(t)
	api := endpoint(t, func(http.ResponseWriter, *http.Request) {})
	b := newBench(t, quick(pg.URL, rd.Addr, api), nil)
	b.awaitValue(1, "pg_up")
	b.awaitValue(1, "redis_up")
	b.awaitValue(1, "api_up")

	for _, tc := range []struct {
		up, series, collector string
		pid                   int
	}{
		{"pg_up", "pg_settings_max_connections", "postgres", pg.PID()},
		{"redis_up", "redis_connected_clients", "redis", rd.PID()},
	} {
		signalTree(t, tc.pid, syscall.SIGSTOP)
		b.awaitValue(0, tc.up) // every scrape on the way was answered
		families := b.scrape()
		if _, err := value(families, tc.series); err == nil {
			t.Errorf("%s is still served while its server is stopped", tc.series)
		}
		if v, err := value(families, "upkeep_collector_failures_total", "collector", tc.collector, "cause", "timeout"); err != nil || v < 1 {
			t.Errorf("%s: timeouts %v, %v", tc.collector, v, err)
		}
		if v, err := value(families, "upkeep_collector_success", "collector", "host"); err != nil || v != 1 {
			t.Errorf("the host suffers from %s: %v, %v", tc.collector, v, err)
		}
		signalTree(t, tc.pid, syscall.SIGCONT)
		b.awaitValue(1, tc.up)
		b.awaitValue(1, "upkeep_collector_success", "collector", tc.collector)
	}
}

func TestAServerThatIsGoneIsDownAtOnce(t *testing.T) {
	t.Parallel()
	pg, rd := startPostgres(t), startRedis(t)
	b := newBench(t, quick(pg.URL, rd.Addr, "http://127.0.0.1:1/"), nil)
	b.awaitValue(1, "pg_up")
	b.awaitValue(1, "redis_up")
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := rd.Stop(); err != nil {
		t.Fatal(err)
	}
	b.awaitValue(0, "pg_up")
	b.awaitValue(0, "redis_up")
	b.awaitValue(0, "api_up")
	b.await("the causes", func() error {
		families := b.scrape()
		for _, collector := range []string{"postgres", "redis"} {
			if v, err := value(families, "upkeep_collector_failures_total", "collector", collector, "cause", "connect"); err != nil || v < 1 {
				return fmt.Errorf("%s: %v, %v", collector, v, err)
			}
		}
		if v, err := value(families, "api_probes_total", "result", "connect"); err != nil || v < 1 {
			return fmt.Errorf("api: %v, %v", v, err)
		}
		return nil
	})
	if _, page := b.get("/"); !strings.Contains(page, "<td>connect</td>") {
		t.Errorf("the page does not show the cause:\n%s", page)
	}
}

// counter counts the connections that a proxy holds open to a server.
type counter struct{ open, most atomic.Int32 }

// proxy forwards to addr and counts.
func proxy(t *testing.T, addr string) (string, *counter) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &counter{}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.forward(in, addr)
		}
	}()
	return l.Addr().String(), c
}

func (c *counter) forward(in net.Conn, addr string) {
	defer in.Close()
	n := c.open.Add(1)
	defer c.open.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	out, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	go func() {
		defer in.Close()
		_, _ = copyAll(in, out)
	}()
	_, _ = copyAll(out, in)
	_ = out.Close()
}

func copyAll(to, from net.Conn) (int64, error) {
	buf, total := make([]byte, 32<<10), int64(0)
	for {
		n, err := from.Read(buf)
		total += int64(n)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return total, err
			}
		}
		if err != nil {
			return total, err
		}
	}
}

func TestAbortedScrapesOfAStoppedServerCostNoConnections(t *testing.T) {
	t.Parallel()
	pg, rd := startPostgres(t), startRedis(t)
	addr, connections := proxy(t, pg.Addr)
	b := newBench(t, quick(strings.Replace(pg.URL, pg.Addr, addr, 1), rd.Addr, "http://127.0.0.1:1/"), nil)
	b.awaitValue(1, "pg_up")
	connections.most.Store(0)
	signalTree(t, pg.PID(), syscall.SIGSTOP)
	b.awaitValue(0, "pg_up")
	for range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url("/metrics"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
		cancel()
	}
	if _, err := value(b.scrape(), "pg_up"); err != nil {
		t.Error(err)
	}
	// Two groups with one connection each; a connection that is given up may
	// send one cancel request beside itself.
	most := connections.most.Load()
	t.Logf("%d connections at most", most)
	if most > 4 {
		t.Errorf("%d connections at the same time", most)
	}
	signalTree(t, pg.PID(), syscall.SIGCONT)
	b.awaitValue(1, "pg_up")
}
