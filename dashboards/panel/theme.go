package panel

// Colours mean states: red act now, orange soon, blue information, grey
// unknown, green well. What is not a state is neutral.
const (
	Red     = "red"
	Orange  = "orange"
	Blue    = "blue"
	Green   = "green"
	Grey    = "#8e8e8e"
	Neutral = "text"
)

// The functions below are the house style, one for each kind of signal. A page
// takes one and changes no more than its thresholds.

// Count is a number of things.
func Count(noValue string, t *Thresholds) FieldConfig {
	none := 0
	return signal("short", noValue, &none, nil, t)
}

// Share is a part of one.
func Share(noValue string, t *Thresholds) FieldConfig {
	zero := 0.0
	return signal("percentunit", noValue, nil, &zero, t)
}

// Percent is a part of a hundred.
func Percent(noValue string, t *Thresholds) FieldConfig {
	zero, hundred := 0.0, 100.0
	f := signal("percent", noValue, nil, &zero, t)
	f.Defaults.Max = &hundred
	return f
}

// Seconds is a duration.
func Seconds(noValue string, t *Thresholds) FieldConfig {
	zero := 0.0
	return signal("s", noValue, nil, &zero, t)
}

// State is a number that stands for a word.
func State(noValue string, words map[string]Word) FieldConfig {
	f := signal("none", noValue, nil, nil, Above(Grey))
	f.Defaults.Mappings = Words(noValue, words)
	return f
}

// Lines draws f as graph: a neutral palette, gaps stay gaps.
func Lines(f FieldConfig) FieldConfig {
	gap := false
	f.Defaults.Color = &Color{Mode: "palette-classic"}
	f.Defaults.Custom = &CustomFields{DrawStyle: "line", LineInterpolation: "linear", LineWidth: 1, FillOpacity: 8, ShowPoints: "never", SpanNulls: &gap}
	return f
}

// Lanes draws f as bands in time.
func Lanes(f FieldConfig) FieldConfig {
	f.Defaults.Custom = &CustomFields{LineWidth: 0, FillOpacity: 80}
	return f
}

func signal(unit, noValue string, decimals *int, lowest *float64, t *Thresholds) FieldConfig {
	return FieldConfig{
		Defaults: Defaults{
			Unit: unit, Decimals: decimals, Min: lowest, NoValue: noValue,
			Color: &Color{Mode: "thresholds"}, Thresholds: t,
			Mappings: []Mapping{},
		},
		Overrides: []Override{},
	}
}

// With adds overrides and links to a style.
func (f FieldConfig) With(links []DataLink, overrides ...Override) FieldConfig {
	f.Defaults.Links = links
	f.Overrides = append([]Override{}, overrides...)
	return f
}
