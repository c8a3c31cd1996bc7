package main_test

import (
	"bufio"
	"cmp"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// elsewhere is what the rules read besides the exporter: the receiver (a
// contract), Prometheus and Alertmanager.
const elsewhere = `
up
upkeep_webhook_requests_total upkeep_incidents_open upkeep_remediation_runs_total upkeep_remediation_blocked_total
upkeep_run_queue_age_seconds upkeep_ledger_write_errors_total upkeep_config_last_reload_successful
prometheus_config_last_reload_successful prometheus_rule_evaluation_failures_total
alertmanager_notifications_failed_total
`

func TestEveryMetricIsPublished(t *testing.T) {
	known := map[string]bool{}
	for _, name := range strings.Fields(elsewhere) {
		known[name] = true
	}
	golden, err := os.Open("../exporter/testdata/metrics.golden")
	if err != nil {
		t.Fatalf("reading the exporter's list of metrics: %v", err)
	}
	defer golden.Close()
	for sc := bufio.NewScanner(golden); sc.Scan(); {
		f := strings.FieldsFunc(sc.Text(), func(r rune) bool { return r == ' ' || r == '{' })
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		known[f[0]] = true
		if f[1] == "histogram" {
			known[f[0]+"_bucket"], known[f[0]+"_sum"], known[f[0]+"_count"] = true, true, true
		}
	}
	files := readRules(t)
	for _, f := range files {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				known[cmp.Or(r.Record, "up")] = true
			}
		}
	}
	for _, f := range files {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				parser.Inspect(parse(t, r.Expr), func(n parser.Node, _ []parser.Node) error {
					v, ok := n.(*parser.VectorSelector)
					if !ok {
						return nil
					}
					for _, m := range v.LabelMatchers {
						if m.Name == model.MetricNameLabel && !known[m.Value] {
							t.Errorf("%s: %s: nobody publishes %s", f.Path, cmp.Or(r.Alert, r.Record), strconv.Quote(m.Value))
						}
					}
					return nil
				})
			}
		}
	}
}
