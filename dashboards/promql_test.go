package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// catalogue is every metric that a page may ask for, with its labels; nil means
// that any label goes.
type catalogue map[string][]string

// receiverMetrics is the contract with the receiver.
const receiverMetrics = `
upkeep_webhook_requests_total code
upkeep_alerts_received_total status
upkeep_incidents_open priority
upkeep_incidents_opened_total priority
upkeep_incident_oldest_open_timestamp_seconds
upkeep_remediation_runs_total remediation action result
upkeep_remediation_blocked_total guard
upkeep_remediation_mode
upkeep_remediation_paused
upkeep_remediation_in_progress remediation target
upkeep_incident_recover_seconds
upkeep_run_queue_age_seconds
upkeep_ledger_write_seconds
upkeep_ledger_write_errors_total
upkeep_alert_outcomes_total alertname outcome
`

func known(t *testing.T) catalogue {
	t.Helper()
	c := catalogue{"up": {}, "ALERTS": nil, "ALERTS_FOR_STATE": nil, "process_start_time_seconds": {}}
	for line := range strings.Lines(receiverMetrics) {
		if f := strings.Fields(line); len(f) > 0 {
			c[f[0]] = f[1:]
		}
	}
	// Lines of "name type label,label" or "name type label label".
	golden, err := os.Open("../exporter/testdata/metrics.golden")
	if err != nil {
		t.Fatalf("reading the exporter's list of metrics: %v", err)
	}
	defer golden.Close()
	for sc := bufio.NewScanner(golden); sc.Scan(); {
		f := strings.FieldsFunc(sc.Text(), func(r rune) bool { return r == ' ' || r == ',' || r == '{' || r == '}' })
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		c[f[0]] = append([]string{}, f[2:]...)
		if f[1] == "histogram" {
			c[f[0]+"_bucket"] = append([]string{"le"}, f[2:]...)
			c[f[0]+"_sum"], c[f[0]+"_count"] = c[f[0]], c[f[0]]
		}
	}
	files, err := filepath.Glob("../rules/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding rule files: %q, %v", files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)- record: (\S+)$`).FindAllStringSubmatch(string(data), -1) {
			c[m[1]] = nil
		}
	}
	return c
}

// questions are all queries of a page, those of variables and annotations too.
func questions(t *testing.T, f file) map[string]string {
	t.Helper()
	d := decode(t, f)
	all := map[string]string{}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			all["panel "+p.Title+" "+q.RefID] = q.Expr
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			all["annotation "+a.Name] = a.Expr
		}
	}
	var doc struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(f.JSON, &doc); err != nil {
		t.Fatal(err)
	}
	for _, v := range doc.Templating.List {
		if m := regexp.MustCompile(`^label_values\((.+), \w+\)$`).FindStringSubmatch(v.Definition); m != nil {
			all["variable "+v.Name] = m[1]
		}
	}
	return all
}

func TestQueriesParseAndAskForKnownMetrics(t *testing.T) {
	metrics := known(t)
	expand := strings.NewReplacer("$__rate_interval", "1m", "$__interval", "1m", "$__range", "1h", "$job", ".+", "$instance", ".+")
	p := parser.NewParser(parser.Options{})
	for _, f := range mustRender(t, build{}) {
		all := questions(t, f)
		if len(all) < 20 {
			t.Fatalf("%s: found only %d queries, the test looks at the wrong place", f.UID, len(all))
		}
		for where, expr := range all {
			node, err := p.ParseExpr(expand.Replace(expr))
			if err != nil {
				t.Errorf("%s: %s: %v\n%s", f.UID, where, err, expr)
				continue
			}
			for _, problem := range inspect(node, metrics) {
				t.Errorf("%s: %s: %s\n%s", f.UID, where, problem, expr)
			}
		}
	}
}

// inspect finds metrics that nobody publishes, labels that they do not have,
// and counters that are not read through a rate.
func inspect(root parser.Node, metrics catalogue) (problems []string) {
	parser.Inspect(root, func(node parser.Node, path []parser.Node) error {
		v, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		name := v.Name
		has, known := metrics[name]
		if !known {
			problems = append(problems, "nobody publishes "+name)
			return nil
		}
		if has != nil {
			for _, m := range v.LabelMatchers {
				if !slices.Contains([]string{model.MetricNameLabel, "job", "instance"}, m.Name) && !slices.Contains(has, m.Name) {
					problems = append(problems, name+" has no label "+m.Name)
				}
			}
		}
		counter := strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket")
		if counter && !slices.ContainsFunc(path, isRate) {
			problems = append(problems, name+" is a counter and not read through rate or increase")
		}
		return nil
	})
	return problems
}

func isRate(n parser.Node) bool {
	c, ok := n.(*parser.Call)
	return ok && slices.Contains([]string{"rate", "increase", "irate"}, c.Func.Name)
}

func TestInspectFindsMistakes(t *testing.T) {
	metrics := catalogue{"a_total": {"code"}, "g": {}}
	p := parser.NewParser(parser.Options{})
	for expr, want := range map[string]string{
		`rate(a_total{code="200"}[1m])`: "",
		`a_total`:                       "a_total is a counter and not read through rate or increase",
		`rate(a_total{x="1"}[1m])`:      "a_total has no label x",
		`sum(g{job="j"}) + h`:           "nobody publishes h",
	} {
		node, err := p.ParseExpr(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(inspect(node, metrics), "; "); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}
