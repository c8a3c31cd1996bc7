package config

import (
	"time"

	"github.com/prometheus/common/model"

	"github.com/MNS-Vic/upkeep/internal/strictyaml"
)

// Duration is written as Prometheus writes it: 5s, 1m30s, 2h.
type Duration time.Duration

// UnmarshalYAML reads a duration and says on which line it is wrong.
func (d *Duration) UnmarshalYAML(node *strictyaml.Node) error {
	parsed, err := model.ParseDuration(node.Value)
	if err != nil || parsed <= 0 {
		return strictyaml.ErrorAt(node, "%q is no duration above 0, write it as 500ms, 15s or 1m30s", node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes it as it is read.
func (d Duration) String() string { return model.Duration(d).String() }
