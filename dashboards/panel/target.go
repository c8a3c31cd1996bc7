package panel

import "github.com/grafana-tools/sdk"

// Target is one query: the SDK's, with the keys that it lacks.
type Target struct {
	sdk.Target
	Range      bool   `json:"range"`
	Exemplar   bool   `json:"exemplar"`
	EditorMode string `json:"editorMode"`
}

// Series asks for a range, for graphs.
func Series(expr, legend string) Target {
	return Target{
		Target:     sdk.Target{Expr: expr, LegendFormat: legend, Format: "time_series", Datasource: Prometheus()},
		Range:      true,
		EditorMode: "code",
	}
}

// Instant asks for the newest value, for single numbers.
func Instant(expr, legend string) Target {
	t := Series(expr, legend)
	t.Range, t.Target.Instant = false, true
	return t
}

// Table asks for the newest value of every series, one row each.
func Table(expr string) Target {
	t := Instant(expr, "")
	t.Format = "table"
	return t
}

// Queries gives the targets of a panel their letters.
func Queries(targets ...Target) []Target {
	for i := range targets {
		targets[i].RefID = string(rune('A' + i))
	}
	return targets
}
