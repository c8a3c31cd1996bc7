package panel

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// What the SDK writes and no Grafana of today reads.
var (
	boardNoise      = []string{"rows", "style", "slug", "hideControls", "sharedCrosshair", "originalTitle"}
	panelNoise      = []string{"span", "isNew", "error", "editable", "renderer"}
	variableNoise   = []string{"allFormat", "multiFormat"}
	annotationNoise = []string{"showLine", "lineColor", "iconSize", "query", "textField", "tagsField", "tags"}
)

// annotationTarget is how Grafana asks its own store; the SDK has no such key.
type annotationTarget struct {
	Limit    int      `json:"limit"`
	MatchAny bool     `json:"matchAny"`
	Tags     []string `json:"tags"`
	Type     string   `json:"type"`
}

// Render gives the dashboard as Grafana reads it from a file: keys sorted, two
// spaces, one newline at the end. The same page gives the same bytes.
func Render(p Page) ([]byte, error) {
	board, err := p.board()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(board)
	if err != nil {
		return nil, fmt.Errorf("encoding page %q: %w", p.UID, err)
	}
	var doc map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("decoding page %q: %w", p.UID, err)
	}
	finish(doc, p)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("encoding page %q: %w", p.UID, err)
	}
	return out.Bytes(), nil
}

func finish(doc map[string]any, p Page) {
	drop(doc, boardNoise)
	doc["id"] = nil // Grafana numbers dashboards itself
	doc["description"] = p.Description
	doc["liveNow"] = false
	doc["weekStart"] = ""
	doc["fiscalYearStartMonth"] = 0
	drop(doc["timepicker"].(map[string]any), []string{"time_options"})
	for _, m := range objects(doc["panels"]) {
		drop(m, panelNoise)
	}
	for _, m := range objects(at(doc, "templating", "list")) {
		drop(m, variableNoise)
		finishVariable(m)
	}
	annotations := objects(at(doc, "annotations", "list"))
	for i, m := range annotations {
		drop(m, annotationNoise)
		dropEmpty(m)
		if tags := p.Annotations[i].Tags; len(tags) > 0 {
			m["target"] = annotationTarget{Limit: 100, MatchAny: false, Tags: tags, Type: "tags"}
		}
	}
	for _, m := range objects(doc["links"]) {
		if m["tags"] == nil {
			m["tags"] = []string{}
		}
		m["tooltip"], m["icon"], m["url"] = "", "external link", orEmpty(m["url"])
	}
}

// finishVariable leaves out what a variable does not have: an empty current
// value would leave it dead in newer Grafana.
func finishVariable(m map[string]any) {
	if m["type"] == "datasource" {
		for _, key := range []string{"current", "datasource", "allValue", "sort"} {
			delete(m, key)
		}
	} else {
		m["definition"] = m["query"]
		m["query"] = map[string]any{"query": m["query"], "refId": "PrometheusVariableQueryEditor-VariableQuery"}
	}
	m["options"] = []any{}
	m["skipUrlSync"] = false
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func drop(m map[string]any, keys []string) {
	for _, k := range keys {
		delete(m, k)
	}
}

func dropEmpty(m map[string]any) {
	for k, v := range m {
		if v == "" || v == nil {
			delete(m, k)
		}
	}
}

func at(m map[string]any, outer, inner string) any {
	sub, _ := m[outer].(map[string]any)
	return sub[inner]
}

func objects(v any) []map[string]any {
	list, _ := v.([]any)
	out := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
