package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/MNS-Vic/upkeep/internal/strictyaml"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Duration is written as Prometheus writes it: 5s, 1m30s, 2h; 0s is allowed
// where absence means something else.
type Duration time.Duration

// UnmarshalYAML reads a duration and says on which line it is wrong.
func (d *Duration) UnmarshalYAML(node *strictyaml.Node) error {
	parsed, err := model.ParseDuration(node.Value)
	if err != nil || parsed < 0 {
		return strictyaml.ErrorAt(node, "%q is no duration, write it as 500ms, 15s or 1m30s", node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// Std is the duration as the standard library has it; nil is 0.
func (d *Duration) Std() time.Duration {
	if d == nil {
		return 0
	}
	return time.Duration(*d)
}

// Bytes is a size such as 512KiB or 10MiB.
type Bytes int64

// UnmarshalYAML reads a size and says on which line it is wrong.
func (b *Bytes) UnmarshalYAML(node *strictyaml.Node) error {
	number, unit := node.Value, int64(1)
	for suffix, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(node.Value, suffix); ok {
			number, unit = rest, factor
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 || n > (1<<33)/unit {
		return strictyaml.ErrorAt(node, "%q is no size from 1 to 8GiB, write it as 512KiB or 10MiB", node.Value)
	}
	*b = Bytes(n * unit)
	return nil
}

// Budgets is "3/1h 6/24h": at most 3 in any hour and 6 in any day.
type Budgets []incident.Budget

var budgetText = regexp.MustCompile(`^([1-9][0-9]{0,5})/(\S+)$`)

// UnmarshalYAML reads budgets and says on which line they are wrong.
func (b *Budgets) UnmarshalYAML(node *strictyaml.Node) error {
	for _, word := range strings.Fields(node.Value) {
		m := budgetText.FindStringSubmatch(word)
		if m == nil {
			return strictyaml.ErrorAt(node, "budget %q is not of the form 3/1h or 3/1h 6/24h", node.Value)
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return strictyaml.ErrorAt(node, "budget %q: %w", node.Value, err)
		}
		per, err := model.ParseDuration(m[2])
		if err != nil || per <= 0 {
			return strictyaml.ErrorAt(node, "budget %q: %q is no duration such as 1h", node.Value, m[2])
		}
		*b = append(*b, incident.Budget{Max: n, Per: time.Duration(per)})
	}
	if len(*b) == 0 {
		return strictyaml.ErrorAt(node, "budget %q is empty, write it as 3/1h 6/24h or leave the key out", node.Value)
	}
	return nil
}

// Params are the arguments of an action: each a value or a list of values.
type Params map[string][]string

// UnmarshalYAML reads arguments; numbers and booleans are taken as written.
func (p *Params) UnmarshalYAML(node *strictyaml.Node) error {
	var raw map[string]strictyaml.Node
	if err := node.Decode(&raw); err != nil {
		return strictyaml.ErrorAt(node, "with must be a map of arguments")
	}
	*p = Params{}
	for key, value := range raw {
		values, err := scalars(&value)
		if err != nil {
			return strictyaml.ErrorAt(&value, "argument %q: %w", key, err)
		}
		(*p)[key] = values
	}
	return nil
}

func scalars(node *strictyaml.Node) ([]string, error) {
	if len(node.Content) == 0 && node.Tag != "!!seq" && node.Tag != "!!map" {
		return []string{node.Value}, nil
	}
	if node.Tag != "!!seq" {
		return nil, fmt.Errorf("it must be a value or a list of values")
	}
	out := []string{}
	for _, item := range node.Content {
		if len(item.Content) > 0 {
			return nil, fmt.Errorf("a list may hold values only")
		}
		out = append(out, item.Value)
	}
	return out, nil
}
