package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/MNS-Vic/upkeep/receiver/action"
	"github.com/MNS-Vic/upkeep/receiver/engine"
	"github.com/MNS-Vic/upkeep/receiver/incident"
	"github.com/MNS-Vic/upkeep/receiver/intake"
)

// addOffline adds the commands that need no running receiver.
func addOffline(app *kingpin.Application, commands map[string]func(context.Context) error, in io.Reader, out io.Writer) {
	check := app.Command("check", "Check a configuration file; exit 1 when something is wrong.")
	checkFile := check.Arg("config", "Configuration file.").Required().String()
	commands[check.FullCommand()] = func(context.Context) error {
		c, err := load(*checkFile, action.All(action.Options{}))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: good: %d targets, %d remediations, mode %s\n", *checkFile, len(c.Targets), len(c.Remediations), c.Global.Mode)
		return nil
	}

	test := app.Command("test", "Show what would happen to the alerts of a webhook body, and which guard decides. Acts on nothing.")
	testFile := test.Arg("config", "Configuration file.").Required().String()
	testPayload := test.Arg("payload", "Webhook body as JSON; - for standard input.").Required().String()
	commands[test.FullCommand()] = func(ctx context.Context) error {
		body := in
		if *testPayload != "-" && *testPayload != "" { // the parser turns a bare - into nothing
			f, err := os.Open(*testPayload)
			if err != nil {
				return fmt.Errorf("reading the webhook body: %w", err)
			}
			defer f.Close()
			body = f
		}
		return preview(ctx, *testFile, body, out)
	}
}

// preview prints, for every alert of a body, what every matching remediation
// would do.
func preview(ctx context.Context, configFile string, body io.Reader, out io.Writer) error {
	actions := action.All(action.Options{})
	c, err := load(configFile, actions)
	if err != nil {
		return err
	}
	s, err := settings(c, actions, nil)
	if err != nil {
		return err
	}
	now := time.Now()
	alerts, err := intake.Decode(body, now)
	if err != nil {
		return fmt.Errorf("reading the webhook body: %w", err)
	}
	for _, a := range alerts {
		p := incident.PriorityOf(a.Labels)
		fmt.Fprintf(out, "%s %s, priority %s, answer within %s\n", a.Name(), a.Fingerprint, p, p.AnswerWithin())
		if !a.Firing {
			fmt.Fprintf(out, "  resolved: an open incident of it would end, nothing is done\n")
			continue
		}
		in := incident.Incident{
			Fingerprint: a.Fingerprint, Alertname: a.Name(), Labels: a.Labels, Annotations: a.Annotations, GeneratorURL: a.GeneratorURL,
			Priority: p, State: incident.Open, Firing: true, StartsAt: a.StartsAt, OpenedAt: now, LastSeenAt: now, AnswerBy: now.Add(p.AnswerWithin()),
		}
		seen, err := engine.Preview(ctx, s, in, now)
		if err != nil {
			return err
		}
		if len(seen) == 0 {
			fmt.Fprintf(out, "  no remediation matches: this is for people\n")
		}
		for _, r := range seen {
			printPreview(out, r)
		}
	}
	return nil
}

func printPreview(out io.Writer, p engine.Previewed) {
	fmt.Fprintf(out, "  remediation %s on %s\n", p.Remediation, p.Target)
	for _, d := range p.Decisions {
		word := "allows"
		if !d.Allowed {
			word = "STOPS"
		}
		fmt.Fprintf(out, "    guard %-14s %-6s %s\n", d.Guard, word, d.Reason)
	}
	switch {
	case p.Skipped != "":
		fmt.Fprintf(out, "    nothing would be done: %s\n", p.Skipped)
	case p.Mode == incident.ModeAuto:
		fmt.Fprintf(out, "    would do: %s\n", p.Steps)
	default:
		fmt.Fprintf(out, "    mode %s, would not do by itself: %s\n", strings.ReplaceAll(string(p.Mode), "_", " "), p.Steps)
	}
}
