package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	strict "github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/MNS-Vic/upkeep/dashboards/panel"
)

// dashboard is what the house rules look at.
type dashboard struct {
	ID         any      `json:"id"`
	UID, Title string   `json:"-"`
	Tags       []string `json:"tags"`
	Panels     []struct {
		ID                 int
		Type               string
		Title, Description string
		Datasource         struct{ UID string }
		GridPos            struct{ X, Y, W, H int }
		Targets            []struct {
			RefID, Expr    string
			Instant, Range bool
			Datasource     struct{ UID string }
			LegendFormat   string
		}
		FieldConfig struct {
			Defaults struct {
				Unit, NoValue string
				Thresholds    struct{ Steps []struct{ Value any } }
			}
		}
	}
	Templating struct {
		List []struct{ Name, Type, AllValue string }
	}
	Annotations struct {
		List []struct{ Name, Expr string }
	}
	SchemaVersion int
	Editable      bool
}

func decode(t *testing.T, f file) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal(f.JSON, &d); err != nil {
		t.Fatalf("%s: %v", f.UID, err)
	}
	var names struct{ UID, Title string }
	if err := json.Unmarshal(f.JSON, &names); err != nil {
		t.Fatal(err)
	}
	d.UID, d.Title = names.UID, names.Title
	return d
}

// strictly reads a dashboard with the strict reader of Grafana's own model.
func strictly(data []byte) string {
	//lint:ignore SA1019 the classic model is what every supported Grafana reads
	var d strict.Dashboard
	if err := d.UnmarshalJSONStrict(data); err != nil {
		return err.Error() // an empty list of mistakes is not nil
	}
	return ""
}

func TestStrictModel(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for _, f := range mustRender(t, build{}) {
		if mistakes := strictly(f.JSON); mistakes != "" {
			t.Errorf("%s: %s", f.UID, mistakes)
		}
		for good, bad := range map[string]string{`"showLegend": true`: `"showLegends": true`, `"w": 12`: `"w": "12"`} {
			spoilt := strings.Replace(string(f.JSON), good, bad, 1)
			if spoilt == string(f.JSON) || strictly([]byte(spoilt)) == "" {
				t.Errorf("%s: the strict reader does not see %s", f.UID, bad)
			}
		}
	}
}

func TestHouseRules(t *testing.T) {
	uids, titles := map[string]bool{}, map[string]bool{}
	for _, f := range mustRender(t, build{}) {
		d := decode(t, f)
		if uids[d.UID] || len(d.UID) == 0 || len(d.UID) > 40 || d.UID != f.UID {
			t.Errorf("uid %q: must be unique, of 1 to 40 characters, and the name of the file", d.UID)
		}
		if titles[d.Title] || d.Title == "" {
			t.Errorf("%s: title %q must be unique: a second one stops the provisioning of the whole folder", d.UID, d.Title)
		}
		uids[d.UID], titles[d.Title] = true, true
		if d.ID != nil || d.SchemaVersion != 42 || d.Editable {
			t.Errorf("%s: id %v, schema version %d, editable %v", d.UID, d.ID, d.SchemaVersion, d.Editable)
		}
		if len(d.Tags) != 1 || d.Tags[0] != tag {
			t.Errorf("%s: tags %q, the dropdown goes by %q", d.UID, d.Tags, tag)
		}
		if ip := regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`).Find(f.JSON); ip != nil {
			t.Errorf("%s: the address %s stands in it", d.UID, ip)
		}
		lintVariables(t, f, d)
		lintPanels(t, d)
	}
}

func lintVariables(t *testing.T, f file, d dashboard) {
	declared := map[string]bool{}
	for _, v := range d.Templating.List {
		declared[v.Name] = true
		if !strings.Contains(string(f.JSON), "$"+v.Name) && !strings.Contains(string(f.JSON), "${"+v.Name) {
			t.Errorf("%s: variable %q is not used", d.UID, v.Name)
		}
		if v.Type == "query" && v.AllValue != ".+" {
			t.Errorf("%s: variable %q: all means %q, want .+", d.UID, v.Name, v.AllValue)
		}
	}
	for _, m := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(string(f.JSON), -1) {
		if name := m[1]; !declared[name] && !strings.HasPrefix(name, "__") {
			t.Errorf("%s: variable %q is not declared", d.UID, name)
		}
	}
	for _, want := range []string{"datasource", "job", "instance"} {
		if !declared[want] {
			t.Errorf("%s: variable %q is missing", d.UID, want)
		}
	}
}

func lintPanels(t *testing.T, d dashboard) {
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: panel %q: id %d is not unique", d.UID, p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Title == "" || p.Description == "" {
			t.Errorf("%s: panel %d %q: needs title and description", d.UID, p.ID, p.Title)
		}
		if p.FieldConfig.Defaults.Unit == "" || len(p.FieldConfig.Defaults.Thresholds.Steps) == 0 {
			t.Errorf("%s: panel %q: needs a unit and its own thresholds", d.UID, p.Title)
		}
		g := p.GridPos
		if g.X < 0 || g.W < 1 || g.H < 1 || g.X+g.W > panel.Columns {
			t.Errorf("%s: panel %q: %+v is outside of the grid", d.UID, p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, taken := cells[[2]int{x, y}]; taken {
					t.Fatalf("%s: panels %q and %q overlap", d.UID, other, p.Title)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "text" {
			continue
		}
		if p.Datasource.UID != panel.DatasourceVariable {
			t.Errorf("%s: panel %q: source %q, want the variable", d.UID, p.Title, p.Datasource.UID)
		}
		if p.FieldConfig.Defaults.NoValue == "" {
			t.Errorf("%s: panel %q: says nothing when there is no data", d.UID, p.Title)
		}
		if len(p.Targets) == 0 {
			t.Errorf("%s: panel %q: asks nothing", d.UID, p.Title)
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if refs[q.RefID] || q.RefID == "" || q.Instant == q.Range || q.Datasource.UID != panel.DatasourceVariable {
				t.Errorf("%s: panel %q: query %+v: needs a letter of its own, one kind, and the source variable", d.UID, p.Title, q)
			}
			refs[q.RefID] = true
		}
	}
}
