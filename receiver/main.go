// Command upkeep-receiver takes Alertmanager's webhooks, checks that an alert
// is real, repairs step by step, verifies, and writes the report; its other
// commands check a configuration, show what would happen, and talk to a
// running receiver.
package main

import (
	"context"
	"errors"
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
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program; the result is its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	err := command(ctx, args, in, out, errOut)
	var ended exited
	switch {
	case errors.As(err, &ended):
		return int(ended)
	case err != nil:
		fmt.Fprintf(errOut, "upkeep-receiver: %v\n", err)
		return 1
	}
	return 0
}

// exited is how --help and --version leave the parser.
type exited int

func (e exited) Error() string { return "" }

func command(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (err error) {
	defer func() { // kingpin ends the process after --help; a test must go on
		switch v := recover().(type) {
		case nil:
		case exited:
			err = v
		default:
			panic(v)
		}
	}()
	app := kingpin.New("upkeep-receiver", "Answers Alertmanager's alerts: confirm, repair, verify, report.")
	app.UsageWriter(out).ErrorWriter(errOut).Terminate(func(code int) { panic(exited(code)) })
	app.Version(version.Print("upkeep-receiver")).VersionFlag.NoEnvar()
	app.HelpFlag.Short('h')
	app.UsageTemplate(kingpin.LongHelpTemplate) // help shows every flag of every command
	logging := &promslog.Config{Writer: errOut}
	flag.AddFlags(app, logging)

	commands := map[string]func(context.Context) error{}
	addServe(app, commands, logging)
	addOffline(app, commands, in, out)
	addClient(app, commands, out)
	name, err := app.Parse(args)
	if err != nil {
		return fmt.Errorf("%w, try --help", err)
	}
	return commands[name](ctx)
}

// addServe is the daemon itself, and what runs when no command is given.
func addServe(app *kingpin.Application, commands map[string]func(context.Context) error, logging *promslog.Config) {
	cmd := app.Command("serve", "Take webhooks, repair, and serve the pages (the default command).").Default()
	var o Options
	cmd.Flag("config.file", "Receiver configuration. Without one it records, asks for verdicts and acts on nothing.").StringVar(&o.ConfigFile)
	cmd.Flag("storage", "Ledger, as sqlite:///path; overrides the file's storage.").StringVar(&o.Storage)
	cmd.Flag("web.listen-address", "Address to listen on.").Default(":9471").StringVar(&o.ListenAddress)
	cmd.Flag("web.config.file", "Web configuration: TLS, basic auth, client certificates.").StringVar(&o.WebConfigFile)
	commands[cmd.FullCommand()] = func(ctx context.Context) error {
		o.Logger = promslog.New(logging)
		reload := make(chan os.Signal, 1)
		signal.Notify(reload, syscall.SIGHUP)
		defer signal.Stop(reload)
		o.Reload = reload
		a, err := New(ctx, o)
		if err != nil {
			return err
		}
		return a.Run(ctx)
	}
}
