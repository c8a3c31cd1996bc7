package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/MNS-Vic/upkeep/internal/strictyaml"
	"github.com/MNS-Vic/upkeep/rules/tune"
)

// tuning is tuning.yml: what may be changed, and how far. Only people edit it.
type tuning struct {
	Alerts map[string]entry `yaml:"alerts"`
}

// entry is one alert: bounds, or fixed with a reason.
type entry struct {
	Min   *float64 `yaml:"min"`
	Max   *float64 `yaml:"max"`
	Step  float64  `yaml:"step"` // largest change without review, as a share; 0 means 0.5
	Fixed string   `yaml:"fixed"`

	// Threshold says which of a rule's numbers is meant, from 0.
	Threshold int `yaml:"threshold"`
}

func (e entry) bounds() tune.Bounds { return tune.Bounds{Min: e.Min, Max: e.Max, Step: e.Step} }

// loadTuning reads the file; no path opens every rule. known are the alerts
// that the rule files have.
func loadTuning(path string, known []string) (*tuning, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the tuning file: %w", err)
	}
	var t tuning
	if err := strictyaml.Decode(path, data, &t); err != nil {
		return nil, err
	}
	places, err := strictyaml.NewPlaces(path, data)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.Alerts)) {
		e, at := t.Alerts[name], []any{"alerts", name}
		switch {
		case !slices.Contains(known, name):
			places.Wrong(at, "no rule file has an alert of this name, correct it or remove the entry")
		case e.Fixed != "" && (e.Min != nil || e.Max != nil || e.Step != 0 || e.Threshold != 0):
			places.Wrong(at, "it is fixed and has bounds, keep one of them")
		case e.Fixed == "" && e.Min == nil && e.Max == nil && e.Step == 0:
			places.Wrong(at, "it has neither bounds nor a reason why it is fixed")
		case e.Min != nil && e.Max != nil && *e.Min >= *e.Max:
			places.Wrong(at, "min %v is not below max %v", *e.Min, *e.Max)
		case e.Step < 0 || e.Threshold < 0:
			places.Wrong(at, "step %v and threshold %d must not be negative", e.Step, e.Threshold)
		}
	}
	return &t, places.Err()
}

// of is the entry of an alert; open says whether it may be tuned at all.
func (t *tuning) of(alert string) (e entry, open bool, why string) {
	if t == nil {
		return entry{}, true, ""
	}
	e, listed := t.Alerts[alert]
	switch {
	case !listed:
		return e, false, "it is not in the tuning file"
	case e.Fixed != "":
		return e, false, "it is fixed: " + e.Fixed
	}
	return e, true, ""
}
