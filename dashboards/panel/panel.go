// Package panel is the thin typed layer over grafana-tools/sdk that the
// dashboards are written in. The SDK stays the object model of the board; what
// it cannot express (field configuration of every panel type, overrides,
// mappings, transformations) is typed here and carried through its custom
// panel, and Render repairs what it writes wrongly.
//
// It never talks to Grafana, knows no metric and no dashboard, and gives the
// same bytes for the same input. The dashboards program calls it.
package panel

import "github.com/grafana-tools/sdk"

// DatasourceVariable is how every panel names its source of data.
const DatasourceVariable = "${datasource}"

// DatasourceRef names a source of data.
type DatasourceRef struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Prometheus is the source that the reader of the page picks.
func Prometheus() *DatasourceRef {
	return &DatasourceRef{Type: "prometheus", UID: DatasourceVariable}
}

// GrafanaStore is Grafana's own store of annotations.
func GrafanaStore() *DatasourceRef {
	return &DatasourceRef{Type: "grafana", UID: "-- Grafana --"}
}

// Spec is one panel before it has a place on the page.
type Spec struct {
	Title           string
	Description     string // what good looks like, what to do when not, which alert watches it
	Width           int    // of 24 columns
	Kind            Kind
	Targets         []Target
	Field           FieldConfig
	Transformations []Transformation
	MaxDataPoints   int
	MayBeEmpty      string // why no data is a good answer; empty when data must always be there
}

// Kind is the type of a panel with the options of that type.
type Kind interface {
	// PluginID is the panel type as Grafana names it.
	PluginID() string
}

// Transformation reshapes the answer of the queries before it is drawn.
type Transformation struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

// Organize renames, orders and drops the columns of a table.
type Organize struct {
	ExcludeByName map[string]bool   `json:"excludeByName"`
	IndexByName   map[string]int    `json:"indexByName"`
	RenameByName  map[string]string `json:"renameByName"`
}

// OrganizeColumns is the transformation that applies o.
func OrganizeColumns(o Organize) Transformation {
	return Transformation{ID: "organize", Options: o}
}

// place makes the SDK's panel of a spec. Base keys go into the SDK's common
// part and only the others into the custom map: the SDK would write a key that
// is in both twice.
func (s Spec) place(id, x, y, height int) *sdk.Panel {
	custom := sdk.CustomPanel{
		"fieldConfig": s.Field,
		"options":     s.Kind,
	}
	common := sdk.CommonPanel{
		ID:     uint(id),
		OfType: sdk.CustomType,
		Type:   s.Kind.PluginID(),
		Title:  s.Title,
	}
	if _, isText := s.Kind.(Text); !isText {
		common.Datasource = Prometheus()
		custom["targets"] = s.Targets
	}
	if len(s.Transformations) > 0 {
		custom["transformations"] = s.Transformations
	}
	if s.MaxDataPoints > 0 {
		custom["maxDataPoints"] = s.MaxDataPoints
	}
	if s.Description != "" {
		common.Description = &s.Description
	}
	common.GridPos.X, common.GridPos.Y = &x, &y
	common.GridPos.W, common.GridPos.H = &s.Width, &height
	return &sdk.Panel{CommonPanel: common, CustomPanel: &custom}
}
