package engine

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// safeValue is what a label may hold to be put into a target, an argument or
// an expression. Alerts are written by whoever can name a metric, so a label
// that could be read as an option, a quote or a second argument is not there
// at all for a template, and missing keys are errors.
var safeValue = regexp.MustCompile(`^[A-Za-z0-9._:/@][A-Za-z0-9._:/@-]{0,127}$`)

// data is what templates see.
type data struct {
	Labels   map[string]string // safe ones only
	Target   string
	Incident int64
	Run      string
	Alert    whole
	Value    any // the measured value, nil when unknown
}

// whole gives the alert, with whatever it holds, to toJson alone.
type whole struct{ alert incident.Alert }

func (w whole) MarshalJSON() ([]byte, error) { return json.Marshal(w.alert) }
func (w whole) String() string               { return "<alert: use toJson>" }

func functions() template.FuncMap {
	return template.FuncMap{
		"toJson": func(v any) (string, error) {
			text, err := json.Marshal(v)
			return string(text), err
		},
		"toUpper": strings.ToUpper,
		"toLower": strings.ToLower,
	}
}

// parse reports as an error what is no template.
func parse(text string) error {
	_, err := compile(text)
	return err
}

func compile(text string) (*template.Template, error) {
	t, err := template.New("value").Option("missingkey=error").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading template %q: %w", text, err)
	}
	return t, nil
}

func newData(in incident.Incident, target, run string) data {
	d := data{Labels: map[string]string{}, Target: target, Incident: in.ID, Run: run, Alert: whole{alertOf(in)}}
	for name, value := range in.Labels {
		if safeValue.MatchString(value) {
			d.Labels[name] = value
		}
	}
	if in.Value != nil {
		d.Value = *in.Value
	}
	return d
}

// alertOf is the incident as the alert it came from.
func alertOf(in incident.Incident) incident.Alert {
	return incident.Alert{
		Fingerprint: in.Fingerprint, Firing: in.Firing, Labels: in.Labels, Annotations: in.Annotations,
		StartsAt: in.StartsAt, EndsAt: in.EndsAt, GeneratorURL: in.GeneratorURL, ReceivedAt: in.OpenedAt,
	}
}

// render renders one value. What comes out is never read as a template again.
func render(text string, d data) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := compile(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, d); err != nil {
		return "", fmt.Errorf("rendering %q: %w; a label that is missing, or holds other than letters, digits and ._:/@-, cannot be used", text, err)
	}
	return out.String(), nil
}

func renderParams(with incident.Params, d data) (incident.Params, error) {
	out := incident.Params{}
	for key, values := range with {
		for _, v := range values {
			text, err := render(v, d)
			if err != nil {
				return nil, fmt.Errorf("with %s: %w", key, err)
			}
			out[key] = append(out[key], text)
		}
	}
	return out, nil
}

func renderChecks(checks []incident.Check, d data) ([]incident.Check, error) {
	out := slices.Clone(checks)
	for i := range out {
		var err error
		if out[i].Query, err = render(out[i].Query, d); err != nil {
			return nil, err
		}
	}
	return out, nil
}
