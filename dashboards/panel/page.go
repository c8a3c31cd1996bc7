package panel

import (
	"fmt"

	"github.com/grafana-tools/sdk"
)

// Columns is the width of Grafana's grid.
const Columns = 24

// schemaVersion 42 is the last of the classic model: newer Grafana leaves it
// alone and older Grafana ignores keys that it does not know.
const schemaVersion = 42

// Row is a line of panels of one height. A titled row has a heading that folds it.
type Row struct {
	Height int
	Panels []Spec
}

// Annotation marks points or spans in time on every graph of a page.
type Annotation struct {
	Name  string
	Color string
	Tags  []string // from Grafana's own store, when set
	Expr  string   // from Prometheus, otherwise
	Title string   // of the mark, with {{label}}
	Keys  string   // labels shown as tags, separated by commas
}

// Variable is a choice at the top of the page. Its values come from a query of
// label values, or it picks the source of data when Query is empty.
type Variable struct {
	Name, Label, Query string
}

// Page is a whole dashboard.
type Page struct {
	UID, Title, Description string
	Tags                    []string
	From, Refresh           string
	Variables               []Variable
	Annotations             []Annotation
	Links                   []sdk.Link
	Rows                    []Row
}

// layout flows the panels of each row from left to right and gives them ids in
// reading order, so that ids stay the same when nothing before them changes.
func layout(rows []Row) ([]*sdk.Panel, error) {
	var panels []*sdk.Panel
	y := 0
	for i, row := range rows {
		x := 0
		for _, spec := range row.Panels {
			if spec.Width < 1 || x+spec.Width > Columns {
				return nil, fmt.Errorf("laying out row %d: panel %q of width %d does not fit at column %d of %d", i, spec.Title, spec.Width, x, Columns)
			}
			panels = append(panels, spec.place(len(panels)+1, x, y, row.Height))
			x += spec.Width
		}
		y += row.Height
	}
	return panels, nil
}

func (p Page) board() (*sdk.Board, error) {
	panels, err := layout(p.Rows)
	if err != nil {
		return nil, fmt.Errorf("page %q: %w", p.UID, err)
	}
	// Not sdk.NewBoard: it numbers boards by a counter of the process, and
	// Grafana takes that number for the id of a stored dashboard.
	b := &sdk.Board{
		UID: p.UID, Title: p.Title, Tags: p.Tags, Timezone: "browser",
		SchemaVersion: schemaVersion,
		GraphTooltip:  1, // one crosshair for all panels
		Refresh:       &sdk.BoolString{Value: p.Refresh},
		Time:          sdk.Time{From: p.From, To: "now"},
		Timepicker:    sdk.Timepicker{RefreshIntervals: []string{"5s", "10s", "30s", "1m", "5m"}},
		Links:         p.Links,
		Panels:        panels,
	}
	for _, v := range p.Variables {
		b.Templating.List = append(b.Templating.List, v.model())
	}
	for _, a := range p.Annotations {
		b.Annotations.List = append(b.Annotations.List, a.model())
	}
	return b, nil
}

func (v Variable) model() sdk.TemplateVar {
	if v.Query == "" {
		never := int64(1)
		return sdk.TemplateVar{Name: v.Name, Label: v.Label, Type: "datasource", Query: "prometheus", Refresh: sdk.BoolInt{Value: &never}}
	}
	onTimeRange := int64(2)
	return sdk.TemplateVar{
		Name: v.Name, Label: v.Label, Type: "query", Query: v.Query, Datasource: Prometheus(),
		Refresh: sdk.BoolInt{Value: &onTimeRange}, Sort: 1,
		Multi: true, IncludeAll: true, AllValue: ".+",
		Current: sdk.Current{Text: &sdk.StringSliceString{Value: []string{"All"}, Valid: true}, Value: []string{"$__all"}},
	}
}

func (a Annotation) model() sdk.Annotation {
	m := sdk.Annotation{Name: a.Name, IconColor: a.Color, Enable: true}
	if len(a.Tags) > 0 {
		m.Datasource, m.Type, m.Tags = GrafanaStore(), "tags", a.Tags
		return m
	}
	m.Datasource, m.Expr, m.Step = Prometheus(), a.Expr, "30s"
	m.TitleFormat, m.TagKeys = a.Title, a.Keys
	return m
}
