package collect

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Naming says how the series of one target are told from those of others, and
// which names they get.
type Naming struct {
	// Target becomes the label target. Rules and dashboards of others join
	// their names on (instance), so it is empty for the only server of its kind.
	Target string
	// Labels are put on every series of the target, as the configuration says.
	Labels map[string]string
	// Aliases adds the older and differently spelt names of a family.
	Aliases bool
	// Catalog is told of every family; nil for none.
	Catalog *Catalog
}

// Names makes families.
type Names struct {
	fixed   []label
	aliases bool
	catalog *Catalog
	source  string
}

type label struct{ name, value string }

// NewNames makes Names.
func NewNames(n Naming) Names {
	out := Names{aliases: n.Aliases, catalog: n.Catalog}
	for name, value := range n.Labels {
		out.fixed = append(out.fixed, label{name, strings.ToValidUTF8(value, "\uFFFD")})
	}
	if n.Target != "" {
		out.fixed = append(out.fixed, label{"target", strings.ToValidUTF8(n.Target, "\uFFFD")})
	}
	return out
}

// From says where the values of the families made next come from, for the
// reference: a file, a view, a command.
func (n Names) From(source string) Names {
	n.source = source
	return n
}

// Aliases tells whether older names are wanted, for those that cannot be made
// with Family.As because their labels differ.
func (n Names) Aliases() bool { return n.aliases }

// Catalogued tells that a reference is being made, which lists also what is off
// by default.
func (n Names) Catalogued() bool { return n.catalog != nil }

// Family is a name, its type and its labels, described once and kept.
type Family struct{ *family }

type family struct {
	name, help string
	kind       dto.MetricType
	labels     []label // sorted; a value of "" with index >= 0 is filled in by Add
	index      []int   // of each of labels in what Add is given, -1 for a fixed one
	given      int     // how many values Add takes
	header     string
	aliases    []*family
	names      Names
}

// Gauge describes a gauge.
func (n Names) Gauge(name, help string, labels ...string) Family {
	return n.make(dto.MetricType_GAUGE, name, help, labels)
}

// Counter describes a counter.
func (n Names) Counter(name, help string, labels ...string) Family {
	return n.make(dto.MetricType_COUNTER, name, help, labels)
}

// Untyped describes a family whose members are of different types.
func (n Names) Untyped(name, help string, labels ...string) Family {
	return n.make(dto.MetricType_UNTYPED, name, help, labels)
}

// Histogram describes a histogram, filled with Batch.AddHistogram.
func (n Names) Histogram(name, help string, labels ...string) Family {
	return n.make(dto.MetricType_HISTOGRAM, name, help, labels)
}

// Summary describes a summary, filled with Batch.AddSummary.
func (n Names) Summary(name, help string, labels ...string) Family {
	return n.make(dto.MetricType_SUMMARY, name, help, labels)
}

// As publishes every series of f under further names too, where aliases are
// wanted: names that public dashboards and rules ask for and that today's
// exporters spell otherwise. It returns f.
func (f Family) As(names ...string) Family {
	for _, name := range names {
		if f.names.catalog != nil {
			f.names.catalog.add(f.family, name)
		}
		if f.names.aliases {
			alias := f.names.describe(f.kind, name, f.help, f.variable())
			f.family.aliases = append(f.family.aliases, alias)
		}
	}
	return f
}

// variable are the labels that Add is given, in its order.
func (f *family) variable() []string {
	out := make([]string, f.given)
	for i, l := range f.labels {
		if f.index[i] >= 0 {
			out[f.index[i]] = l.name
		}
	}
	return out
}

func (n Names) make(kind dto.MetricType, name, help string, labels []string) Family {
	f := n.describe(kind, name, help, labels)
	if n.catalog != nil {
		n.catalog.add(f, "")
	}
	return Family{f}
}

func (n Names) describe(kind dto.MetricType, name, help string, labels []string) *family {
	f := &family{name: name, help: help, kind: kind, given: len(labels), names: n}
	type numbered struct {
		label
		index int
	}
	var all []numbered
	for i, l := range labels {
		all = append(all, numbered{label{name: l}, i})
	}
	for _, l := range n.fixed {
		if !slices.Contains(labels, l.name) {
			all = append(all, numbered{l, -1})
		}
	}
	slices.SortFunc(all, func(a, b numbered) int { return strings.Compare(a.name, b.name) })
	for _, l := range all {
		f.labels = append(f.labels, l.label)
		f.index = append(f.index, l.index)
	}
	f.header = header(name, help, kind)
	return f
}
