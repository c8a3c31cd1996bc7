package collect

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Names makes families. Rules and dashboards of others join these names on
// (instance), so a series carries no label of ours as long as there is one
// server of its kind; with several, each gets the label target.
type Names struct{ target string }

// NamesFor returns Names for one target; empty means that it is the only one.
func NamesFor(target string) Names { return Names{target} }

// Family is a name, its type and its labels, described once and kept.
type Family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// Gauge describes a gauge.
func (n Names) Gauge(name, help string, labels ...string) Family {
	return n.family(prometheus.GaugeValue, name, help, labels)
}

// Counter describes a counter.
func (n Names) Counter(name, help string, labels ...string) Family {
	return n.family(prometheus.CounterValue, name, help, labels)
}

// Untyped describes a family whose members are of different types.
func (n Names) Untyped(name, help string, labels ...string) Family {
	return n.family(prometheus.UntypedValue, name, help, labels)
}

func (n Names) family(kind prometheus.ValueType, name, help string, labels []string) Family {
	var fixed prometheus.Labels
	if n.target != "" {
		fixed = prometheus.Labels{"target": n.target}
	}
	return Family{prometheus.NewDesc(name, help, labels, fixed), kind}
}

// With makes one metric. Values of labels come from servers and from the
// kernel; bytes that are not UTF-8 are replaced, since one of them would spoil
// the whole exposition.
func (f Family) With(value float64, labelValues ...string) prometheus.Metric {
	for i, v := range labelValues {
		labelValues[i] = strings.ToValidUTF8(v, "\uFFFD")
	}
	return prometheus.MustNewConstMetric(f.desc, f.kind, value, labelValues...)
}
