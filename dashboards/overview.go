package main

import (
	"github.com/grafana-tools/sdk"

	"github.com/MNS-Vic/upkeep/dashboards/panel"
)

// Unique ids are addresses: rules and runbooks link to them. They never change.
const overviewUID = "upkeep-overview"

// tag is on every page of ours; the dropdown of pages goes by it.
const tag = "upkeep"

const (
	documents = "https://github.com/MNS-Vic/upkeep/blob/main/docs/"
	// selector keeps to the jobs and instances that the reader picked.
	selector = `job=~"$job",instance=~"$instance"`
	// Severities are P1 to P4; rules from elsewhere use the older words.
	isP1 = `severity=~"P1|critical"`
	isP2 = `severity=~"P2|warning"`
	isP3 = `severity=~"P3|P4|info"`
)

// words picks the texts of one language.
type words func(en, zh string) string

func (b build) words() words {
	if b.Language == "zh" {
		return func(_, zh string) string { return zh }
	}
	return func(en, _ string) string { return en }
}

// overview is the page for the wall: is it broken, since when, who is hurt, and
// what has the machine done about it.
func overview(b build) panel.Page {
	t := b.words()
	return panel.Page{
		UID:         overviewUID,
		Title:       t("Upkeep overview", "Upkeep 总览"),
		Description: t("Is anything broken, since when, and what was done about it?", "有没有故障、从何时开始、系统做了什么？"),
		Tags:        []string{tag},
		From:        "now-15m",
		Refresh:     "30s",
		Variables:   commonVariables(t),
		Annotations: commonAnnotations(t),
		Links:       commonLinks(t),
		Rows: []panel.Row{
			{Height: 4, Panels: stateRow(t)},
			{Height: 8, Panels: []panel.Spec{responseTime(t), resources(t)}},
			{Height: 8, Panels: []panel.Spec{activeAlerts(t), alertTimeline(t)}},
			{Height: 7, Panels: []panel.Spec{componentHealth(t), foot(t, b.Commit)}},
		},
	}
}

func commonVariables(t words) []panel.Variable {
	return []panel.Variable{
		{Name: "datasource", Label: t("Source", "数据源")},
		{Name: "job", Label: t("Job", "任务"), Query: `label_values(up, job)`},
		{Name: "instance", Label: t("Instance", "实例"), Query: `label_values(up{job=~"$job"}, instance)`},
	}
}

func commonLinks(t words) []sdk.Link {
	yes := true
	runbooks := documents + "runbooks"
	return []sdk.Link{
		{Title: t("Pages", "页面"), Type: "dashboards", Tags: []string{tag}, AsDropdown: &yes, IncludeVars: true, KeepTime: &yes, TargetBlank: new(bool)},
		{Title: t("Runbooks", "处理手册"), Type: "link", URL: &runbooks, AsDropdown: new(bool), KeepTime: new(bool), TargetBlank: &yes},
	}
}

func commonAnnotations(t words) []panel.Annotation {
	return []panel.Annotation{
		{Name: t("Remediations", "自动修复"), Color: panel.Blue, Tags: []string{"remediation"}},
		{Name: t("Running remediations", "进行中的修复"), Color: panel.Blue, Expr: `upkeep_remediation_in_progress{` + selector + `} > 0`, Title: "{{remediation}}", Keys: "target"},
		{Name: t("Threshold changes", "阈值变更"), Color: "purple", Tags: []string{"threshold"}},
		{Name: t("Restarts", "重启"), Color: panel.Grey, Expr: `changes(process_start_time_seconds{` + selector + `}[2m]) > 0`, Title: "{{job}}", Keys: "instance"},
		{Name: t("P1 alerts", "P1 告警"), Color: panel.Red, Expr: `ALERTS{alertstate="firing",` + isP1 + `}`, Title: "{{alertname}}", Keys: "component"},
	}
}
