package panel

// Reduce turns a series into one number.
type Reduce struct {
	Values bool     `json:"values"`
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
}

// Stat is a large number.
type Stat struct {
	ReduceOptions Reduce `json:"reduceOptions"`
	Orientation   string `json:"orientation"`
	TextMode      string `json:"textMode"`
	ColorMode     string `json:"colorMode"`
	GraphMode     string `json:"graphMode"`
	JustifyMode   string `json:"justifyMode"`
	WideLayout    bool   `json:"wideLayout"`

	ShowPercentChange      bool   `json:"showPercentChange"`
	PercentChangeColorMode string `json:"percentChangeColorMode"`
}

// PluginID implements Kind.
func (Stat) PluginID() string { return "stat" }

// Number is a stat: colorMode is value or background, graphMode none or area.
func Number(colorMode, graphMode string) Stat {
	return Stat{
		ReduceOptions: Reduce{Calcs: []string{"lastNotNull"}},
		Orientation:   "auto", TextMode: "auto", ColorMode: colorMode, GraphMode: graphMode, JustifyMode: "auto",
		WideLayout: true, PercentChangeColorMode: "standard",
	}
}

// Legend names the series.
type Legend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
}

// Tooltip follows the mouse.
type Tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// Graph is a time series panel.
type Graph struct {
	Legend  Legend  `json:"legend"`
	Tooltip Tooltip `json:"tooltip"`
}

// PluginID implements Kind.
func (Graph) PluginID() string { return "timeseries" }

// TimeSeries is a graph with a legend below.
func TimeSeries() Graph {
	return Graph{Legend: legendBelow(), Tooltip: Tooltip{Mode: "multi", Sort: "desc"}}
}

// Timeline is a state timeline.
type Timeline struct {
	MergeValues bool    `json:"mergeValues"`
	ShowValue   string  `json:"showValue"`
	AlignValue  string  `json:"alignValue"`
	RowHeight   float64 `json:"rowHeight"`
	Legend      Legend  `json:"legend"`
	Tooltip     Tooltip `json:"tooltip"`
}

// PluginID implements Kind.
func (Timeline) PluginID() string { return "state-timeline" }

// StateTimeline draws states as bands.
func StateTimeline() Timeline {
	return Timeline{MergeValues: true, ShowValue: "never", AlignValue: "left", RowHeight: 0.9, Legend: legendBelow(), Tooltip: Tooltip{Mode: "single", Sort: "none"}}
}

// History is a status history, which shows a gap where nothing was scraped.
type History struct {
	ShowValue string  `json:"showValue"`
	RowHeight float64 `json:"rowHeight"`
	ColWidth  float64 `json:"colWidth"`
	Legend    Legend  `json:"legend"`
	Tooltip   Tooltip `json:"tooltip"`
}

// PluginID implements Kind.
func (History) PluginID() string { return "status-history" }

// StatusHistory draws states as cells.
func StatusHistory() History {
	return History{ShowValue: "never", RowHeight: 0.9, ColWidth: 0.9, Legend: legendBelow(), Tooltip: Tooltip{Mode: "single", Sort: "none"}}
}

// SortBy orders a table.
type SortBy struct {
	DisplayName string `json:"displayName"`
	Desc        bool   `json:"desc"`
}

// Grid is a table.
type Grid struct {
	ShowHeader bool     `json:"showHeader"`
	FrameIndex int      `json:"frameIndex"`
	SortBy     []SortBy `json:"sortBy"`
}

// PluginID implements Kind.
func (Grid) PluginID() string { return "table" }

// Text is a note.
type Text struct {
	Mode    string `json:"mode"`
	Content string `json:"content"`
}

// PluginID implements Kind.
func (Text) PluginID() string { return "text" }

func legendBelow() Legend {
	return Legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}}
}
