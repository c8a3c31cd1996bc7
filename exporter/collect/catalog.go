package collect

import (
	"slices"
	"strings"
	"sync"
)

// Entry is what the reference says about one family.
type Entry struct {
	Name    string
	Type    string // counter, gauge, untyped, histogram, summary
	Help    string
	Labels  []string
	Source  string // where its values come from
	AliasOf string // the name that it is another spelling of
}

// Catalog collects what families there are.
type Catalog struct {
	mu      sync.Mutex
	entries map[string]Entry
}

// Pattern records a family whose name is only known from what the source says,
// with the part that varies in angle brackets: node_memory_<field>_bytes.
func (n Names) Pattern(kind, name, help string, labels ...string) {
	if n.catalog != nil {
		n.catalog.put(Entry{Name: name, Type: kind, Help: help, Labels: labels, Source: n.source})
	}
}

func (c *Catalog) add(f *family, alias string) {
	e := Entry{Name: f.name, Type: strings.ToLower(f.kind.String()), Help: f.help, Labels: f.variable(), Source: f.names.source}
	if alias != "" {
		e.Name, e.AliasOf = alias, f.name
	}
	c.put(e)
}

func (c *Catalog) put(e Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]Entry{}
	}
	e.Labels = slices.Sorted(slices.Values(e.Labels))
	c.entries[e.Name] = e
}

// Entries are sorted by name.
func (c *Catalog) Entries() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Entry, 0, len(c.entries))
	for _, e := range c.entries {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return out
}
