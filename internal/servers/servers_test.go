package servers

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
)

func TestEveryServerStartsAndStopsWithoutATrace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	prom, err := WriteFile(dir, "prometheus.yml", "global: {scrape_interval: 1s}\n")
	if err != nil {
		t.Fatal(err)
	}
	am, err := WriteFile(dir, "alertmanager.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, start := range map[string]func(context.Context) (*Process, error){
		"postgres":     func(ctx context.Context) (*Process, error) { return Postgres(ctx, Options{}) },
		"redis":        func(ctx context.Context) (*Process, error) { return Redis(ctx, Options{}) },
		"prometheus":   func(ctx context.Context) (*Process, error) { return Prometheus(ctx, prom, Options{}) },
		"alertmanager": func(ctx context.Context) (*Process, error) { return Alertmanager(ctx, am, Options{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
			if conn, err := net.Dial("tcp", p.Addr); err == nil {
				_ = conn.Close()
				t.Errorf("%s still listens after it was stopped", p.Addr)
			}
			if _, err := os.Stat(p.Dir); !os.IsNotExist(err) {
				t.Errorf("%s is left behind: %v", p.Dir, err)
			}
		})
	}
}

func TestABadStartIsAnErrorThatShowsTheServersWords(t *testing.T) {
	t.Parallel()
	bad, err := WriteFile(t.TempDir(), "prometheus.yml", "nonsense: true\n")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prometheus(t.Context(), bad, Options{})
	if err == nil {
		_ = p.Stop()
		t.Fatal("it started with a bad configuration")
	}
	if !strings.Contains(err.Error(), "field nonsense not found") {
		t.Errorf("the server's own words are missing: %v", err)
	}
}

func TestAMissingProgramSaysHowToGetIt(t *testing.T) {
	_, err := Find("no-such-program")
	if err == nil || !strings.Contains(err.Error(), "apt-get install no-such-program") {
		t.Errorf("got %v", err)
	}
}
