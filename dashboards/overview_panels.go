package main

import (
	"fmt"

	"github.com/MNS-Vic/upkeep/dashboards/panel"
)

// noAlerts is why a panel of alerts may be empty.
const noAlerts = "no alert is firing"

// stateRow is what can be read from across the room.
func stateRow(t words) []panel.Spec {
	count := func(title, description, expr string, th *panel.Thresholds) panel.Spec {
		return panel.Spec{
			Title: title, Description: description, Width: 3, Kind: panel.Number("value", "none"),
			Targets: panel.Queries(panel.Instant(expr, title)),
			Field:   panel.Count(t("no data", "无数据"), th),
		}
	}
	unknown := t("unknown", "未知")
	return []panel.Spec{
		{
			Title:       t("Overall state", "总体状态"),
			Description: t("Worst alert that is firing. Grey means that the rules are not evaluated: Watchdog always fires when they are. When not ok, start with the table of active alerts.", "正在触发的最严重告警。灰色表示规则没有被计算：正常时 Watchdog 始终触发。不正常时先看活动告警表。"),
			Width:       3, Kind: panel.Number("background", "none"),
			Targets: panel.Queries(panel.Instant(
				`(max(2 * ALERTS{alertstate="firing",`+isP1+`} or ALERTS{alertstate="firing",`+isP2+`}) or vector(0)) and on () ALERTS{alertname="Watchdog",alertstate="firing"}`, "state")),
			Field: panel.State(unknown, map[string]panel.Word{
				"0": {Text: t("ok", "正常"), Color: panel.Green, Index: 0},
				"1": {Text: t("degraded", "降级"), Color: panel.Orange, Index: 1},
				"2": {Text: t("down", "故障"), Color: panel.Red, Index: 2},
			}),
		},
		count(t("P1 firing", "P1 告警"), t("Zero is good. Each of these wakes a person within five minutes.", "零为正常。每条都会在五分钟内叫醒值班人员。"),
			`count(ALERTS{alertstate="firing",`+isP1+`}) or vector(0)`, panel.Above(panel.Green, panel.From(1, panel.Red))),
		count(t("P2 firing", "P2 告警"), t("Zero is good. Each of these is answered within half an hour.", "零为正常。每条须在半小时内响应。"),
			`count(ALERTS{alertstate="firing",`+isP2+`}) or vector(0)`, panel.Above(panel.Green, panel.From(1, panel.Orange))),
		{
			Title:       t("API p95", "API p95"),
			Description: t("Nineteen of twenty probes are faster than this. Watched by ApiLatencyHigh, whose threshold moves with the verdicts, so no colour is fixed here.", "二十次探测中有十九次快于此值。由 ApiLatencyHigh 监视，其阈值会随判定变化，因此这里不固定颜色。"),
			Width:       3, Kind: panel.Number("value", "area"),
			Targets: panel.Queries(panel.Series(quantile("0.95"), "p95")),
			Field:   panel.Seconds(t("no probes", "无探测"), panel.Above(panel.Neutral)),
		},
		{
			Title:       t("API errors", "API 错误率"),
			Description: t("Share of probes that failed. Zero is good; watched by ApiErrorRatioHigh and the error budget alerts.", "失败探测的占比。零为正常；由 ApiErrorRatioHigh 和错误预算告警监视。"),
			Width:       3, Kind: panel.Number("value", "area"),
			Targets: panel.Queries(panel.Series(
				`(sum(rate(api_probes_total{`+selector+`,result!="success"}[$__rate_interval])) or vector(0)) / sum(rate(api_probes_total{`+selector+`}[$__rate_interval]))`, "errors")),
			Field: panel.Share(t("no probes", "无探测"), panel.Above(panel.Neutral)),
		},
		count(t("Targets down", "离线目标"), t("Zero is good. ExporterDown, ReceiverDown and HostDown watch this.", "零为正常。由 ExporterDown、ReceiverDown 和 HostDown 监视。"),
			`count(up{`+selector+`} == 0) or vector(0)`, panel.Above(panel.Green, panel.From(1, panel.Red))),
		count(t("Open incidents", "未结事件"), t("Zero is good. Open the receiver's page for the clocks of each.", "零为正常。每个事件的时限见 receiver 页面。"),
			`sum(upkeep_incidents_open{`+selector+`})`, panel.Above(panel.Green, panel.From(1, panel.Orange))),
		{
			Title:       t("Remediations 24 h", "24 小时修复"),
			Description: t("Runs by how they ended. Many that did not succeed: RemediationFailing watches this.", "按结果统计的修复次数。失败较多时由 RemediationFailing 告警。"),
			Width:       3, Kind: panel.Number("value", "none"),
			Targets:    panel.Queries(panel.Instant(`sum by (result) (increase(upkeep_remediation_runs_total{`+selector+`}[24h]))`, "{{result}}")),
			Field:      panel.Count("0", panel.Above(panel.Neutral)),
			MayBeEmpty: "nothing was repaired in a day",
		},
	}
}

func quantile(q string) string {
	return fmt.Sprintf(`histogram_quantile(%s, sum by (le) (rate(api_response_time_seconds_bucket{%s}[$__rate_interval])))`, q, selector)
}

func responseTime(t words) panel.Spec {
	return panel.Spec{
		Title:       t("API response time", "API 响应时间"),
		Description: t("Half, nineteen of twenty and ninety-nine of a hundred probes are faster than the lines. Lines that part mean that some requests are slow and most are not. Watched by ApiLatencyHigh.", "各条线表示 50%、95%、99% 的探测快于该值。线距拉大说明部分请求变慢。由 ApiLatencyHigh 监视。"),
		Width:       12, Kind: panel.TimeSeries(),
		Targets: panel.Queries(
			panel.Series(quantile("0.5"), "p50"),
			panel.Series(quantile("0.95"), "p95"),
			panel.Series(quantile("0.99"), "p99"),
		),
		Field: panel.Lines(panel.Seconds(t("no probes", "无探测"), panel.Above(panel.Neutral))),
	}
}

func resources(t words) panel.Spec {
	return panel.Spec{
		Title:       t("System resources", "系统资源"),
		Description: t("Processor, memory and the fullest file system of each host, in percent used. Watched by HostCpuSaturated, HostMemoryLow, HostDiskFull and HostDiskFilling.", "每台主机的处理器、内存和最满文件系统的使用百分比。由 HostCpuSaturated、HostMemoryLow、HostDiskFull 和 HostDiskFilling 监视。"),
		Width:       12, Kind: panel.TimeSeries(),
		Targets: panel.Queries(
			panel.Series(`cpu_usage_percent{`+selector+`}`, t("cpu", "处理器")+" {{instance}}"),
			panel.Series(`100 - memory_available_percent{`+selector+`}`, t("memory", "内存")+" {{instance}}"),
			panel.Series(`max by (instance) (filesystem_used_percent{`+selector+`})`, t("disk", "磁盘")+" {{instance}}"),
		),
		Field: panel.Lines(panel.Percent(t("no data", "无数据"), panel.Above(panel.Neutral))),
	}
}

func activeAlerts(t words) panel.Spec {
	severities := map[string]panel.Word{
		"P1": {Text: "P1", Color: panel.Red, Index: 0}, "critical": {Text: "P1", Color: panel.Red, Index: 1},
		"P2": {Text: "P2", Color: panel.Orange, Index: 2}, "warning": {Text: "P2", Color: panel.Orange, Index: 3},
		"P3": {Text: "P3", Color: panel.Blue, Index: 4}, "info": {Text: "P3", Color: panel.Blue, Index: 5},
	}
	columns := map[string]string{
		"severity": t("Priority", "级别"), "alertname": t("Alert", "告警"), "component": t("Component", "组件"),
		"instance": t("Instance", "实例"), "Value": t("Age", "持续时间"),
	}
	return panel.Spec{
		Title:       t("Active alerts", "活动告警"),
		Description: t("Empty is good. The name leads to its runbook. The age counts from when the condition began, before the alert fired.", "为空即正常。点击名称打开处理手册。时间从条件开始成立时算起。"),
		Width:       12,
		Kind:        panel.Grid{ShowHeader: true, SortBy: []panel.SortBy{{DisplayName: columns["severity"]}}},
		Targets: panel.Queries(panel.Table(
			`(time() - ALERTS_FOR_STATE{alertname!="Watchdog"}) and ignoring (alertstate) ALERTS{alertstate="firing",alertname!="Watchdog"}`)),
		Transformations: []panel.Transformation{panel.OrganizeColumns(panel.Organize{
			ExcludeByName: map[string]bool{"Time": true, "job": true},
			IndexByName:   map[string]int{"severity": 0, "alertname": 1, "component": 2, "instance": 3, "Value": 4},
			RenameByName:  columns,
		})},
		Field: panel.Seconds(t("nothing is firing", "没有告警"), panel.Above(panel.Neutral)).With(nil,
			panel.ByName(columns["severity"],
				panel.Property{ID: "mappings", Value: []panel.Mapping{{Type: "value", Options: severities}}},
				panel.Property{ID: "custom.cellOptions", Value: panel.CellOptions{Type: "color-background", Mode: "basic"}}),
			panel.ByName(columns["alertname"],
				panel.Property{ID: "links", Value: []panel.DataLink{{Title: t("Runbook", "处理手册"), URL: documents + "runbooks/${__value.raw}.md", TargetBlank: true}}}),
		),
		MayBeEmpty: noAlerts,
	}
}

func alertTimeline(t words) panel.Spec {
	lane := func(value, severity string) panel.Target {
		return panel.Series(fmt.Sprintf(`%s * max by (alertname) (ALERTS{alertstate="firing",%s})`, value, severity), "{{alertname}}")
	}
	return panel.Spec{
		Title:         t("Alert timeline", "告警时间线"),
		Description:   t("One lane for each alert that fired in the time shown, by its priority. Empty is good.", "所选时间内触发过的每个告警一行，按级别着色。为空即正常。"),
		Width:         12,
		Kind:          panel.StateTimeline(),
		MaxDataPoints: 300,
		Targets:       panel.Queries(lane("3", isP1), lane("2", isP2), lane("1", isP3)),
		Field: panel.Lanes(panel.State(t("nothing fired", "没有告警"), map[string]panel.Word{
			"1": {Text: "P3", Color: panel.Blue, Index: 0},
			"2": {Text: "P2", Color: panel.Orange, Index: 1},
			"3": {Text: "P1", Color: panel.Red, Index: 2},
		})),
		MayBeEmpty: noAlerts,
	}
}

func componentHealth(t words) panel.Spec {
	return panel.Spec{
		Title:         t("Component health", "组件健康"),
		Description:   t("What answers. A gap means that nobody asked, which is not the same as well. ExporterDown, PostgresDown, RedisDown and ApiEndpointDown watch this.", "各组件是否应答。空白表示没有被探测，并不等于正常。由 ExporterDown、PostgresDown、RedisDown 和 ApiEndpointDown 监视。"),
		Width:         18,
		Kind:          panel.StatusHistory(),
		MaxDataPoints: 60,
		Targets: panel.Queries(
			panel.Series(`up{`+selector+`}`, "{{job}} {{instance}}"),
			panel.Series(`min by (instance) (pg_up{`+selector+`})`, "PostgreSQL {{instance}}"),
			panel.Series(`min by (instance) (redis_up{`+selector+`})`, "Redis {{instance}}"),
			panel.Series(`min by (exchange, endpoint) (api_up{`+selector+`})`, "API {{exchange}} {{endpoint}}"),
		),
		Field: panel.Lanes(panel.State(t("unknown", "未知"), map[string]panel.Word{
			"0": {Text: t("down", "离线"), Color: panel.Red, Index: 0},
			"1": {Text: t("up", "在线"), Color: panel.Green, Index: 1},
		})),
	}
}

// foot says where the page comes from.
func foot(t words, commit string) panel.Spec {
	text := t("This page is generated. Do not edit it here: change `dashboards/` in the repository and run `make generate`.", "本页面由代码生成，请勿在此编辑：修改仓库中的 `dashboards/` 后运行 `make generate`。")
	if commit != "" {
		text += "\n\n" + t("Commit", "提交") + ": `" + commit + "`"
	}
	return panel.Spec{
		Title:       t("About this page", "关于本页"),
		Description: t("Where this page comes from.", "本页面的来源。"),
		Width:       6, Kind: panel.Text{Mode: "markdown", Content: text + "\n\n[Runbooks](" + documents + "runbooks)"},
		Field: panel.Count("", panel.Above(panel.Neutral)),
	}
}
