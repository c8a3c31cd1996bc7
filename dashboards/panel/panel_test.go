package panel

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func number(title string, width int) Spec {
	return Spec{Title: title, Width: width, Kind: Number("value", "none"), Targets: Queries(Instant("up", "")), Field: Count("", Above(Neutral))}
}

func TestRowsFlow(t *testing.T) {
	panels, err := layout([]Row{
		{Height: 4, Panels: []Spec{number("a", 6), number("b", 18)}},
		{Height: 8, Panels: []Spec{number("c", 24)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := [][5]int{{1, 0, 0, 6, 4}, {2, 6, 0, 18, 4}, {3, 0, 4, 24, 8}}
	for i, p := range panels {
		got := [5]int{int(p.ID), *p.GridPos.X, *p.GridPos.Y, *p.GridPos.W, *p.GridPos.H}
		if got != want[i] {
			t.Errorf("panel %q: id, x, y, w, h = %v, want %v", p.Title, got, want[i])
		}
	}
}

func TestRowThatIsTooWide(t *testing.T) {
	_, err := Render(Page{UID: "u", Rows: []Row{{Height: 4, Panels: []Spec{number("a", 20), number("b", 5)}}}})
	if err == nil || !strings.Contains(err.Error(), `page "u": laying out row 0: panel "b" of width 5 does not fit at column 20 of 24`) {
		t.Errorf("error %v", err)
	}
	if _, err := Render(Page{Rows: []Row{{Panels: []Spec{number("a", 0)}}}}); err == nil {
		t.Error("a panel without width was laid out")
	}
}

func TestRenderLeavesOutWhatTheSDKAdds(t *testing.T) {
	data, err := Render(Page{
		UID: "u", Title: "T <&> T", Refresh: "30s",
		Variables:   []Variable{{Name: "datasource"}, {Name: "job", Query: "label_values(up, job)"}},
		Annotations: []Annotation{{Name: "n", Tags: []string{"x"}}, {Name: "m", Expr: "up"}},
		Rows:        []Row{{Height: 4, Panels: []Spec{number("a", 6), {Title: "note", Width: 6, Kind: Text{Mode: "markdown"}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, noise := range []string{`"rows"`, `"span"`, `"renderer"`, `"allFormat"`, `"time_options"`, `"showLine"`, `"sharedCrosshair"`, `\u003c`} {
		if bytes.Contains(data, []byte(noise)) {
			t.Errorf("%s is still in the dashboard", noise)
		}
	}
	// Keys written twice are lost when read back.
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	enc := json.NewEncoder(&again)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again.Bytes()) {
		t.Error("reading the dashboard and writing it again changes it")
	}
}
