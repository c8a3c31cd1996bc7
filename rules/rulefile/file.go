// Package rulefile reads Prometheus rule files and edits one number in them.
//
// It is the only code that does either. It works on bytes and does no I/O. It
// finds the thresholds of alerting rules that may be changed, says with line,
// column and reason why it leaves the others alone, and replaces the bytes of
// one number and no other byte: every edit is proven, or refused. The rules
// program uses it to plan and apply, and tests use it to look at rule files.
package rulefile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// File is one rule file.
type File struct {
	Name   string
	Data   []byte
	Groups []Group
}

// Group is one group of rules.
type Group struct {
	Name     string
	Interval time.Duration // 0 is the server's default
	Rules    []Rule
}

// Rule is one rule. It is addressed by file, group and index, never by name:
// names repeat.
type Rule struct {
	Group             string
	GroupIndex, Index int
	Alert, Record     string
	Expr              string
	For               time.Duration
	KeepFiringFor     time.Duration
	Labels            map[string]string
	Annotations       map[string]string
	Line              int
	ExprHash          string // of Expr, to notice that a rule has changed meanwhile
	Thresholds        []Threshold
	Refusals          []Refusal
}

// Threshold is one number that may be changed.
type Threshold struct {
	Path         string // in the syntax tree of the expression
	Op           string // > >= < <=, with the number on the right
	Measured     string // the other side, as PromQL
	Value        float64
	Text         string // the number as written, without its sign
	Start, End   int    // bytes of Text in the file
	Line, Column int    // of Text, from 1; columns count characters
}

// Refusal says why a number, or a whole rule, is left alone.
type Refusal struct {
	Line, Column int
	Reason       string
}

// Parse reads a rule file. What Prometheus would not load is an error.
func Parse(name string, data []byte) (*File, error) {
	groups, err := load(data)
	if err != nil {
		return nil, fmt.Errorf("reading rule file %q: %w", name, err)
	}
	f := &File{Name: name, Data: data}
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&doc); err != nil || len(doc.Content) == 0 {
		return f, nil // an empty file loads, and has no rules
	}
	src := newSource(data)
	generated := isGenerated(data)
	groupNodes := items(value(doc.Content[0], "groups"))
	for g, group := range groups.Groups {
		out := Group{Name: group.Name, Interval: time.Duration(group.Interval)}
		var ruleNodes []*yaml.Node
		if g < len(groupNodes) {
			ruleNodes = items(value(groupNodes[g], "rules"))
		}
		for i, rule := range group.Rules {
			r := Rule{
				Group: group.Name, GroupIndex: g, Index: i, Alert: rule.Alert, Record: rule.Record, Expr: rule.Expr,
				For: time.Duration(rule.For), KeepFiringFor: time.Duration(rule.KeepFiringFor),
				Labels: rule.Labels, Annotations: rule.Annotations, ExprHash: hash(rule.Expr),
			}
			if i < len(ruleNodes) {
				r.Line = ruleNodes[i].Line
				inspect(&r, src, ruleNodes[i], generated)
			} else {
				r.Refusals = []Refusal{{Line: 1, Column: 1, Reason: "the list of rules is an alias or a merge, an edit could change another rule"}}
			}
			out.Rules = append(out.Rules, r)
		}
		f.Groups = append(f.Groups, out)
	}
	return f, nil
}

func promql() parser.Parser { return parser.NewParser(parser.Options{}) }

// load asks Prometheus' own reader.
func load(data []byte) (*rulefmt.RuleGroups, error) {
	groups, errs := rulefmt.Parse(data, false, model.UTF8Validation, promql(), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return groups, nil
}

func hash(expr string) string {
	sum := sha256.Sum256([]byte(expr))
	return hex.EncodeToString(sum[:8])
}

// value is what a mapping holds under key; nil for anything else.
func value(node *yaml.Node, key string) *yaml.Node {
	_, v := entry(node, key)
	return v
}

func entry(node *yaml.Node, key string) (k, v *yaml.Node) {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key && node.Content[i].Kind == yaml.ScalarNode {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

func items(node *yaml.Node) []*yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	return node.Content
}

// isGenerated looks for the mark that generators leave above the first key.
func isGenerated(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\uFEFF"))
		if line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return false
		}
		if strings.Contains(strings.ToUpper(line), "DO NOT EDIT") {
			return true
		}
	}
	return false
}
