// Command upkeep-exporter publishes what a service runs on: this host,
// PostgreSQL, Redis and the HTTP endpoints that it needs or offers.
//
// Data flows one way: the configuration names sources; each source is
// collected in the background on its own interval and leaves a snapshot; the
// registry serves the newest snapshots at /metrics without asking anybody. So a
// source that hangs or is down costs nothing but its own series, and says so.
// The program only reads, and needs no right to change anything.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program: 0 when all went well, 1 otherwise.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := kingpin.New("upkeep-exporter", "Publish the metrics of this host, PostgreSQL, Redis and HTTP endpoints.")
	exited, code := false, 0
	app.Terminate(func(status int) { exited, code = true, status })
	app.UsageWriter(stdout).ErrorWriter(stderr)
	app.Version(version.Print("upkeep-exporter"))
	app.HelpFlag.Short('h')
	logs := &promslog.Config{Writer: stderr}
	flag.AddFlags(app, logs)

	var o Options
	app.Flag("config.file", "What to watch; without it, the host and what DATABASE_URL and REDIS_URL name.").StringVar(&o.ConfigFile)
	check := app.Flag("config.check", "Check the configuration and exit.").Bool()
	app.Flag("web.listen-address", "Address to listen on.").Default(":9470").StringVar(&o.ListenAddress)
	app.Flag("web.config.file", "TLS and authentication, in the format of the Prometheus exporter toolkit.").StringVar(&o.WebConfigFile)
	app.Flag("web.debug-address", "Address to serve profiles of this program on, with the same TLS and authentication; none by default.").StringVar(&o.DebugAddress)
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&o.TelemetryPath)

	_, err := app.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		fmt.Fprintf(stderr, "upkeep-exporter: %v, try --help\n", err)
		return 1
	}
	o.Logger = promslog.New(logs)
	if *check {
		err = checkConfig(o, stdout)
	} else {
		err = serve(ctx, o)
	}
	if err != nil {
		fmt.Fprintf(stderr, "upkeep-exporter: %v\n", err)
		return 1
	}
	return 0
}

// checkConfig does everything that a start does, short of connecting.
func checkConfig(o Options, stdout io.Writer) error {
	c, err := o.withDefaults().load()
	if err != nil {
		return err
	}
	sources, err := sourcesOf(c, naming{})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "the configuration is good: %d sources, %d API targets\n", len(sources), len(c.API.Targets))
	return nil
}

func serve(ctx context.Context, o Options) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	o.Reload = hangups
	a, err := New(o)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}
