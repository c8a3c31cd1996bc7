package promapi

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// sample is [seconds, "value"] on the wire.
type sample Point

func (s *sample) UnmarshalJSON(data []byte) error {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(string(pair[0]), 64)
	if err != nil {
		return fmt.Errorf("time %s: %w", pair[0], err)
	}
	var text string
	if err := json.Unmarshal(pair[1], &text); err != nil {
		return err
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("value %q: %w", text, err)
	}
	s.T, s.V = time.UnixMilli(int64(math.Round(seconds*1000))).UTC(), value
	return nil
}

type wireSeries struct {
	Metric map[string]string `json:"metric"`
	Value  *sample           `json:"value"`
	Values []sample          `json:"values"`
}

func (c *Client) query(ctx context.Context, path string, form url.Values) ([]Series, error) {
	var data struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	}
	if err := c.call(ctx, http.MethodPost, path, form, &data); err != nil {
		return nil, err
	}
	switch data.ResultType {
	case "vector", "matrix":
		var wire []wireSeries
		if err := json.Unmarshal(data.Result, &wire); err != nil {
			return nil, fmt.Errorf("reading prometheus' answer to %q: %w", form.Get("query"), err)
		}
		out := make([]Series, len(wire))
		for i, w := range wire {
			points := w.Values
			if w.Value != nil {
				points = []sample{*w.Value}
			}
			out[i] = Series{Labels: w.Metric, Points: make([]Point, len(points))}
			for j, p := range points {
				out[i].Points[j] = Point(p)
			}
		}
		return out, nil
	case "scalar":
		var one sample
		if err := json.Unmarshal(data.Result, &one); err != nil {
			return nil, fmt.Errorf("reading prometheus' answer to %q: %w", form.Get("query"), err)
		}
		return []Series{{Labels: map[string]string{}, Points: []Point{Point(one)}}}, nil
	default:
		return nil, fmt.Errorf("the expression %q gives a %s, not numbers", form.Get("query"), data.ResultType)
	}
}

// RuleGroup is a group of rules as the server has it loaded.
type RuleGroup struct {
	Name           string    `json:"name"`
	File           string    `json:"file"`
	Interval       float64   `json:"interval"` // seconds
	LastEvaluation time.Time `json:"lastEvaluation"`
	Rules          []Rule    `json:"rules"`
}

// Rule is one loaded rule. Type is "alerting" or "recording".
type Rule struct {
	Type     string            `json:"type"`
	Name     string            `json:"name"`
	Query    string            `json:"query"`
	Duration float64           `json:"duration"` // "for", seconds
	Labels   map[string]string `json:"labels"`
	State    string            `json:"state"`  // inactive, pending, firing
	Health   string            `json:"health"` // ok, err, unknown
	LastErr  string            `json:"lastError"`
}

// Rules lists the groups that the server has loaded.
func (c *Client) Rules(ctx context.Context) ([]RuleGroup, error) {
	var data struct {
		Groups []RuleGroup `json:"groups"`
	}
	if err := c.call(ctx, http.MethodGet, "/api/v1/rules", nil, &data); err != nil {
		return nil, err
	}
	return data.Groups, nil
}
