// Command upkeep-sample is the service that the demo and the Compose file
// watch: a tiny API with a health endpoint and a queue. It exists to be broken
// and repaired; nobody should run it for its own sake.
//
// With --probe URL it is the health check of container images that have no
// shell: it asks the URL once and exits 0 when the answer is 200.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const probeTimeout = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "upkeep-sample: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	app := kingpin.New("upkeep-sample", "The service that the demo watches.")
	listen := app.Flag("web.listen-address", "Address to listen on.").Default(":9480").String()
	probe := app.Flag("probe", "Ask this URL once and exit 0 when it answers 200.").String()
	if _, err := app.Parse(args); err != nil {
		return err
	}
	if *probe != "" {
		return ask(ctx, *probe)
	}
	srv := &http.Server{Addr: *listen, Handler: newService().handler(), ReadHeaderTimeout: probeTimeout}
	stopped := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stopped()
	if err := srv.ListenAndServe(); ctx.Err() == nil {
		return fmt.Errorf("serving on %q: %w", *listen, err)
	}
	return nil
}

// ask is the health check.
func ask(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking %q: %w", url, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking %q: %s", url, resp.Status)
	}
	return nil
}

// service is the API: a queue whose length anybody may set.
type service struct {
	queue    atomic.Int64
	registry *prometheus.Registry
}

func newService() *service {
	s := &service{registry: prometheus.NewRegistry()}
	s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sample_queue_length", Help: "Orders that wait in the sample service.",
	}, func() float64 { return float64(s.queue.Load()) }))
	return s
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("POST /queue/{length}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseInt(r.PathValue("length"), 10, 64)
		if err != nil || n < 0 {
			http.Error(w, fmt.Sprintf("queue length %q is not a number of 0 or more", r.PathValue("length")), http.StatusBadRequest)
			return
		}
		s.queue.Store(n)
	})
	return mux
}
