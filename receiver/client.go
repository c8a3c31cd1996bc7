package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/verdict"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// client talks to a running receiver over its JSON API.
type client struct {
	url, format, tokenFile string
	out                    io.Writer
}

const (
	clientTimeout = 30 * time.Second
	answerMax     = 64 << 20
)

// addClient adds the commands that talk to a running receiver.
func addClient(app *kingpin.Application, commands map[string]func(context.Context) error, out io.Writer) {
	c := &client{out: out}
	add := func(cmd *kingpin.CmdClause, do func(context.Context) error) {
		cmd.Flag("url", "Address of the receiver.").Default("http://127.0.0.1:9471").StringVar(&c.url)
		cmd.Flag("format", "Output: table or json.").Default("table").EnumVar(&c.format, "table", "json")
		cmd.Flag("token-file", "File with a bearer token, for a proxy in front.").StringVar(&c.tokenFile)
		commands[cmd.FullCommand()] = do
	}

	judge := app.Command("verdict", "Judge an incident: was its page worth it?")
	judgeID := judge.Arg("incident", "Number of the incident.").Required().Int64()
	judgeVerdict := judge.Arg("verdict", "true_positive, false_positive, benign, duplicate or unknown.").Required().String()
	judgeNote := judge.Flag("note", "Why.").String()
	add(judge, func(ctx context.Context) error { return c.verdict(ctx, *judgeID, *judgeVerdict, *judgeNote) })

	incidents := app.Command("incidents", "List incidents, or show one.")
	list := incidents.Command("list", "List incidents, the newest first (the default).").Default()
	listState := list.Flag("state", "Only these: open, or one state.").String()
	listAlert := list.Flag("alertname", "Only these.").String()
	listLimit := list.Flag("limit", "At most so many.").Default("50").Int()
	add(list, func(ctx context.Context) error { return c.list(ctx, *listState, *listAlert, *listLimit) })
	show := incidents.Command("show", "Show one incident.")
	showID := show.Arg("incident", "Number of the incident.").Required().Int64()
	add(show, func(ctx context.Context) error {
		if c.format == "json" {
			return c.copy(ctx, fmt.Sprintf("/api/v1/incidents/%d", *showID))
		}
		return c.report(ctx, *showID)
	})

	report := app.Command("report", "Print the report of an incident.")
	reportID := report.Arg("incident", "Number of the incident.").Required().Int64()
	add(report, func(ctx context.Context) error { return c.report(ctx, *reportID) })

	for _, word := range []string{"pause", "resume"} {
		help := map[string]string{"pause": "Set the kill switch: nothing is acted on until resume.", "resume": "Clear the kill switch."}[word]
		add(app.Command(word, help), func(ctx context.Context) error {
			return c.post(ctx, "/api/v1/"+word, map[string]string{"by": person()})
		})
	}
}

func (c *client) verdict(ctx context.Context, id int64, text, note string) error {
	v, err := verdict.Parse(text)
	if err != nil {
		return err
	}
	if err := c.post(ctx, fmt.Sprintf("/api/v1/incidents/%d/verdict", id), map[string]string{"verdict": string(v), "note": note, "by": person()}); err != nil {
		return err
	}
	if c.format == "table" {
		fmt.Fprintf(c.out, "incident %d is judged %s\n", id, v)
	}
	return nil
}

func (c *client) list(ctx context.Context, state, alertname string, limit int) error {
	q := url.Values{"limit": {fmt.Sprint(limit)}}
	if state != "" {
		q.Set("state", state)
	}
	if alertname != "" {
		q.Set("alertname", alertname)
	}
	path := "/api/v1/incidents?" + q.Encode()
	if c.format == "json" {
		return c.copy(ctx, path)
	}
	body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	var answer struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("reading the receiver's answer: %w", err)
	}
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tPRIORITY\tSTATE\tALERT\tOPENED\tVERDICT")
	for _, in := range answer.Incidents {
		judged := "-"
		if in.Verdict != nil {
			judged = string(*in.Verdict)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", in.ID, in.Priority, in.State, printable(in.Alertname), in.OpenedAt.Format(time.RFC3339), judged)
	}
	return w.Flush()
}

// copy prints an answer as it is.
func (c *client) copy(ctx context.Context, path string) error {
	body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	_, err = c.out.Write(body)
	return err
}

// printable keeps hostile text from moving the cursor of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}

func (c *client) report(ctx context.Context, id int64) error {
	path := fmt.Sprintf("/api/v1/reports/%d", id)
	if c.format == "json" {
		return c.copy(ctx, path+"?format=json")
	}
	body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	for _, line := range strings.SplitAfter(string(body), "\n") {
		text, end := strings.CutSuffix(line, "\n")
		if text = printable(text); end {
			text += "\n"
		}
		if _, err := io.WriteString(c.out, text); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) post(ctx context.Context, path string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, path, data)
	if err == nil && c.format == "json" {
		_, err = c.out.Write(answer)
	}
	return err
}

// do sends one request; an answer that is no success is an error with the
// receiver's own words and hint.
func (c *client) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.url, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking the receiver: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.tokenFile != "" {
		token, err := secret.FromFile(c.tokenFile)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the receiver: %w; is it running there? see --url", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerMax))
	if err != nil {
		return nil, fmt.Errorf("reading the receiver's answer: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return answer, nil
	}
	var said struct{ Error, Hint string }
	if json.Unmarshal(answer, &said) != nil || said.Error == "" {
		said.Error = resp.Status
	}
	if said.Hint != "" {
		said.Error += "; " + said.Hint
	}
	return nil, fmt.Errorf("the receiver says: %s", printable(said.Error))
}

// person is who acts on the command line, for the record.
func person() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "command line"
}
