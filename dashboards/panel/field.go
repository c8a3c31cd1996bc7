package panel

// FieldConfig says how values are shown.
type FieldConfig struct {
	Defaults  Defaults   `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Defaults apply to every field of a panel.
type Defaults struct {
	Unit       string        `json:"unit,omitempty"`
	Decimals   *int          `json:"decimals,omitempty"`
	Min        *float64      `json:"min,omitempty"`
	Max        *float64      `json:"max,omitempty"`
	NoValue    string        `json:"noValue,omitempty"`
	Color      *Color        `json:"color,omitempty"`
	Thresholds *Thresholds   `json:"thresholds,omitempty"`
	Mappings   []Mapping     `json:"mappings"`
	Links      []DataLink    `json:"links,omitempty"`
	Custom     *CustomFields `json:"custom,omitempty"`
}

// Color says where the colour of a value comes from.
type Color struct {
	Mode       string `json:"mode"`
	FixedColor string `json:"fixedColor,omitempty"`
}

// Thresholds colour values; the first step has no value.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step begins at Value; nil is minus infinity.
type Step struct {
	Value *float64 `json:"value"`
	Color string   `json:"color"`
}

// Mapping shows values as words.
type Mapping struct {
	Type    string `json:"type"`
	Options any    `json:"options"`
}

// Word is what a mapped value is shown as.
type Word struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

type specialValue struct {
	Match  string `json:"match"`
	Result Word   `json:"result"`
}

// DataLink leads from a value to another page.
type DataLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}

// CustomFields are the drawing keys of time series and time lines.
type CustomFields struct {
	DrawStyle         string       `json:"drawStyle,omitempty"`
	LineInterpolation string       `json:"lineInterpolation,omitempty"`
	LineWidth         int          `json:"lineWidth"`
	FillOpacity       int          `json:"fillOpacity"`
	ShowPoints        string       `json:"showPoints,omitempty"`
	SpanNulls         *bool        `json:"spanNulls,omitempty"`
	LineStyle         *LineStyle   `json:"lineStyle,omitempty"`
	CellOptions       *CellOptions `json:"cellOptions,omitempty"`
}

// LineStyle is solid or dashed.
type LineStyle struct {
	Fill string    `json:"fill"`
	Dash []float64 `json:"dash,omitempty"`
}

// CellOptions colour the cell of a table.
type CellOptions struct {
	Type string `json:"type"`
	Mode string `json:"mode,omitempty"`
}

// Override applies properties to the fields that its matcher names.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher names fields.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is one key of Defaults, for some fields.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// ByName overrides the field of one name.
func ByName(name string, properties ...Property) Override {
	return Override{Matcher: Matcher{ID: "byName", Options: name}, Properties: properties}
}

// Words maps values to words. Missing values are grey: unknown is not red.
func Words(unknown string, words map[string]Word) []Mapping {
	return []Mapping{
		{Type: "value", Options: words},
		{Type: "special", Options: specialValue{Match: "null+nan", Result: Word{Text: unknown, Color: Grey, Index: len(words)}}},
	}
}

// Above colours by value: base below the first step.
func Above(base string, steps ...Step) *Thresholds {
	return &Thresholds{Mode: "absolute", Steps: append([]Step{{Color: base}}, steps...)}
}

// From is a step that begins at value.
func From(value float64, color string) Step { return Step{Value: &value, Color: color} }
