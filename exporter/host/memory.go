package host

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// memory publishes every line of /proc/meminfo under its own name.
func (h *host) memory(_ context.Context, s *collect.Batch) error {
	text, err := h.read("meminfo")
	if err != nil {
		return err
	}
	for _, e := range parseMeminfo(text) {
		name := "node_memory_" + e.name
		s.Add(h.name(name, "Field "+e.name+" of /proc/meminfo.", collect.Names.Gauge), e.value)
	}
	return nil
}

type entry struct {
	name  string
	value float64
}

// parseMeminfo reads lines like "Active(anon):  100 kB". A value in kB becomes
// bytes and says so in its name; a count, such as HugePages_Free, does not.
func parseMeminfo(text string) []entry {
	var out []entry
	for line := range strings.Lines(text) {
		key, rest, ok := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !ok || len(fields) == 0 {
			continue
		}
		v, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			continue
		}
		name := strings.Trim(strings.NewReplacer("(", "_", ")", "", " ", "_").Replace(key), "_")
		if len(fields) > 1 && fields[1] == "kB" {
			name, v = name+"_bytes", v*1024
		}
		out = append(out, entry{name, v})
	}
	return out
}

// vmstatFields are those of /proc/vmstat that are published.
func vmstatFields() []string {
	return []string{"oom_kill", "pgfault", "pgmajfault", "pgpgin", "pgpgout", "pswpin", "pswpout"}
}

func (h *host) vmstat(_ context.Context, s *collect.Batch) error {
	text, err := h.read("vmstat")
	if err != nil {
		return err
	}
	wanted := vmstatFields()
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.Contains(wanted, key) {
			continue
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			s.Add(h.name("node_vmstat_"+key, "Field "+key+" of /proc/vmstat.", collect.Names.Untyped), v)
		}
	}
	return nil
}

// name keeps the families whose names the kernel gives.
func (h *host) name(name, help string, kind func(collect.Names, string, string, ...string) collect.Family) collect.Family {
	f, ok := h.named[name]
	if !ok {
		f = kind(collect.NewNames(collect.Naming{}), name, help)
		h.named[name] = f
	}
	return f
}

// read reads one file below /proc.
func (h *host) read(path string) (string, error) {
	data, err := os.ReadFile(filepath.Join(h.options.ProcFS, path))
	return string(data), err
}

// number reads a file below /proc that holds one number.
func (h *host) number(path string) (float64, error) {
	text, err := h.read(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(text), 64)
}
