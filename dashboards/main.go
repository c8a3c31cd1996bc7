// Command upkeep-dashboards writes Upkeep's Grafana dashboards from code.
//
// generate writes the JSON files that Grafana is provisioned with; check fails
// when they are not what the code says; push sends the dashboards to a Grafana
// that is not provisioned from files; annotate marks an event on all of them.
// It never reads a dashboard in order to change it, and deletes nothing.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

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
	app := kingpin.New("upkeep-dashboards", "Write, check and push Upkeep's Grafana dashboards.")
	exited, code := false, 0
	app.Terminate(func(status int) { exited, code = true, status })
	app.UsageWriter(stdout).ErrorWriter(stderr)
	app.Version(version.Print("upkeep-dashboards"))
	app.HelpFlag.Short('h')
	logs := &promslog.Config{Writer: stderr}
	flag.AddFlags(app, logs)

	var b build
	app.Flag("language", "Language of titles and descriptions.").Default("en").EnumVar(&b.Language, "en", "zh")
	app.Flag("commit", "Commit to name on the pages and in Grafana's history.").StringVar(&b.Commit)
	var dir string
	generateCmd := app.Command("generate", "Write every dashboard file again.")
	checkCmd := app.Command("check", "Fail when a dashboard file is not what the code says.")
	for _, c := range []*kingpin.CmdClause{generateCmd, checkCmd} {
		c.Flag("output.dir", "Folder of the dashboard files.").Default("dashboards").StringVar(&dir)
	}
	var g grafanaOptions
	pushCmd := app.Command("push", "Send every dashboard that differs to Grafana.")
	annotateCmd := app.Command("annotate", "Mark an event on every page.")
	for _, c := range []*kingpin.CmdClause{pushCmd, annotateCmd} {
		c.Flag("grafana.url", "Address of Grafana.").Required().StringVar(&g.URL)
		c.Flag("grafana.token-file", "File with a service account token; GRAFANA_TOKEN is read when not given.").StringVar(&g.TokenFile)
	}
	pushCmd.Flag("grafana.folder", "Unique id of the folder to push to.").Default("upkeep").StringVar(&g.Folder)
	var a annotation
	annotateCmd.Flag("text", "What happened.").Required().StringVar(&a.Text)
	annotateCmd.Flag("tag", "Tag of the mark; repeatable.").Required().StringsVar(&a.Tags)
	start := annotateCmd.Flag("start", "When it began (RFC 3339); now when not given.").String()
	end := annotateCmd.Flag("end", "When it ended (RFC 3339); a point in time when not given.").String()

	if len(args) == 0 {
		fmt.Fprintln(stderr, "upkeep-dashboards: a command is needed, try --help")
		return 1
	}
	command, err := app.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		fmt.Fprintf(stderr, "upkeep-dashboards: %v, try --help\n", err)
		return 1
	}
	logger := promslog.New(logs)
	switch command {
	case generateCmd.FullCommand():
		err = generate(dir, b, logger)
	case checkCmd.FullCommand():
		err = check(dir, b)
	case pushCmd.FullCommand():
		err = withGrafana(g, func(c *grafana) error { return push(ctx, c, g.Folder, b, logger) })
	case annotateCmd.FullCommand():
		if err = a.setTimes(*start, *end, time.Now()); err == nil {
			err = withGrafana(g, func(c *grafana) error { return c.annotate(ctx, a) })
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "upkeep-dashboards: %v\n", err)
		return 1
	}
	return 0
}
