package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestReload(t *testing.T) {
	t.Parallel()
	api := endpoint(t, func(http.ResponseWriter, *http.Request) {})
	good := func(names ...string) string {
		text := "host: {interval: 1s}\napi:\n  interval: 200ms\n  targets:\n"
		for _, n := range names {
			text += fmt.Sprintf("    - {endpoint: %s, url: %q}\n", n, api)
		}
		return text
	}
	b := newBench(t, good("a", "b"), nil)
	b.awaitValue(1, "api_up", "endpoint", "b")
	before, err := value(b.scrape(), "api_probes_total", "endpoint", "a", "result", "success")
	if err != nil {
		t.Fatal(err)
	}

	b.write("host: {intervall: 1s}\n")
	code, text := b.send(http.MethodPost, "/-/reload")
	if code != http.StatusInternalServerError || !strings.Contains(text, `:1: unknown key "intervall"`) {
		t.Errorf("a bad file answers %d: %s", code, text)
	}
	b.awaitValue(0, "upkeep_config_last_reload_successful")
	b.awaitValue(1, "api_up", "endpoint", "b") // the old configuration is in force
	if !strings.Contains(b.log.String(), "the configuration was not reloaded") {
		t.Errorf("the log does not say so:\n%s", b.log)
	}

	b.write(good("a", "c"))
	if code, text := b.send(http.MethodPost, "/-/reload"); code != http.StatusOK {
		t.Errorf("a good file answers %d: %s", code, text)
	}
	b.awaitValue(1, "upkeep_config_last_reload_successful")
	b.awaitValue(1, "api_up", "endpoint", "c")
	families := b.scrape()
	if _, err := value(families, "api_up", "endpoint", "b"); err == nil {
		t.Error("a target that is gone is still served")
	}
	if _, err := value(families, "upkeep_collector_success", "target", "/b"); err == nil {
		t.Error("the collector of a target that is gone is still served")
	}
	if after, err := value(families, "api_probes_total", "endpoint", "a", "result", "success"); err != nil || after < before {
		t.Errorf("a counter went from %v to %v: %v", before, after, err)
	}
}

func TestHangupReloads(t *testing.T) {
	t.Parallel()
	hangups := make(chan os.Signal, 1)
	b := newBenchWith(t, "host: {interval: 1s}\n", nil, func(o *Options) { o.Reload = hangups })
	hangups <- syscall.SIGHUP
	b.await("the reload", func() error {
		if !strings.Contains(b.log.String(), "the configuration was reloaded") {
			return errors.New("the log does not tell of it")
		}
		return nil
	})
	b.awaitValue(1, "upkeep_config_last_reload_successful")
}

func TestWithoutConfigurationTheEnvironmentCounts(t *testing.T) {
	t.Parallel()
	pg, rd := startPostgres(t), startRedis(t)
	b := newBench(t, "", map[string]string{"DATABASE_URL": pg.URL, "REDIS_URL": rd.URL})
	b.awaitValue(1, "pg_up")
	b.awaitValue(1, "redis_up")
	families := b.scrape()
	for _, name := range []string{"node_load1", "go_goroutines", "process_open_fds"} {
		if _, err := value(families, name); err != nil {
			t.Error(err)
		}
	}
}

func TestSeveralServersOfAKindAreTellable(t *testing.T) {
	t.Parallel()
	one, two := startRedis(t), startRedis(t)
	b := newBench(t, fmt.Sprintf("host: {enabled: false}\nredis: [{name: one, addr: %q}, {name: two, addr: %q}]\n", one.Addr, two.Addr), nil)
	b.awaitValue(1, "redis_up", "target", "one")
	b.awaitValue(1, "redis_up", "target", "two")
	if _, err := value(b.scrape(), "node_load1"); err == nil {
		t.Error("the host is watched although it is switched off")
	}
}
