// Command upkeep-rules turns judged pages into better thresholds: it plans
// changes of one number each, shows them with their evidence, and applies them
// to the rule files as a commit.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"
)

// Exit codes.
const (
	exitNothing = 0 // nothing to change
	exitError   = 1
	exitChanged = 2 // changes are proposed, or were made
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// exited is how --help and --version leave the parser.
type exited int

// run is the whole program; the result is its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (code int) {
	defer func() { // kingpin ends the process after --help; a test must go on
		switch v := recover().(type) {
		case nil:
		case exited:
			code = int(v)
		default:
			panic(v)
		}
	}()
	app := kingpin.New("upkeep-rules", "Turns judged pages into better thresholds in Prometheus rule files.")
	app.UsageWriter(out).ErrorWriter(errOut).Terminate(func(code int) { panic(exited(code)) })
	app.Version(version.Print("upkeep-rules"))
	app.HelpFlag.Short('h')
	app.UsageTemplate(kingpin.LongHelpTemplate) // help shows every flag of every command
	o := &options{in: in, out: out, errOut: errOut}
	addFlags(app, o)
	commands := map[string]func(context.Context, *options) (bool, error){}
	addCommands(app, o, commands)
	name, err := app.Parse(joinDash(args))
	if err != nil {
		fmt.Fprintf(errOut, "upkeep-rules: %v, try --help\n", err)
		return exitError
	}
	changed, err := commands[name](ctx, o)
	switch {
	case err != nil && !(errors.Is(err, context.Canceled) && ctx.Err() != nil && name == "watch"):
		fmt.Fprintf(errOut, "upkeep-rules: %v\n", err)
		return exitError
	case changed:
		return exitChanged
	}
	return exitNothing
}

// joinDash writes "--history -" as "--history=-": the parser takes a word that
// is only a dash for an empty flag.
func joinDash(args []string) []string {
	var out []string
	for _, a := range args {
		if n := len(out); a == "-" && n > 0 && strings.HasPrefix(out[n-1], "--") && !strings.Contains(out[n-1], "=") {
			out[n-1] += "=-"
			continue
		}
		out = append(out, a)
	}
	return out
}

func addCommands(app *kingpin.Application, o *options, commands map[string]func(context.Context, *options) (bool, error)) {
	planning := app.Command("plan", "Show what would be changed, and why. Exit 0: nothing, 2: changes, 1: error.")
	planning.Flag("output", "Write edited copies of all rule files into this folder, with every proposal in them.").StringVar(&o.output)
	commands["plan"] = plan

	for _, c := range []struct {
		name, help string
		do         func(context.Context, *options) (bool, error)
	}{
		{"apply", "Change the rule files. Exit 0: nothing to do, 2: changed, 1: error.", apply},
		{"watch", "Run apply on a schedule, until a signal.", watch},
	} {
		cmd := app.Command(c.name, c.help)
		cmd.Flag("reviewed", "Make also the changes that need a person's agreement: you have it.").BoolVar(&o.reviewed)
		cmd.Flag("commit", "Commit the changed files with git.").BoolVar(&o.commit)
		cmd.Flag("branch", "Commit on this branch, made when absent.").StringVar(&o.branch)
		cmd.Flag("push", "Push the commit to origin.").BoolVar(&o.push)
		cmd.Flag("reload", "Make Prometheus reload, and check that it took the change.").BoolVar(&o.reload)
		cmd.Flag("tests", "Glob of promtool unit tests that must pass; may be repeated.").StringsVar(&o.tests)
		if c.name == "watch" {
			cmd.Flag("interval", "Time between two runs.").Default("1d").SetValue((*duration)(&o.interval))
		}
		commands[c.name] = c.do
	}
	app.Command("check", "List which rules can be tuned, which not, and why.")
	commands["check"] = check
}

// duration is a flag in Prometheus' notation, such as 30d.
type duration time.Duration

// Set reads the flag.
func (d *duration) Set(s string) error {
	parsed, err := model.ParseDuration(s)
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%q is no duration such as 30d or 12h", s)
	}
	*d = duration(parsed)
	return nil
}

// String writes the flag.
func (d *duration) String() string { return model.Duration(*d).String() }
