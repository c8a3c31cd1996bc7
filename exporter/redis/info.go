package redis

import (
	"strconv"
	"strings"
)

// info is the parsed answer to INFO.
type info struct {
	sections map[string]map[string]string
	fields   map[string]string // of all sections
}

// parseInfo reads INFO. It never fails: what is no field is left out.
func parseInfo(text string) info {
	out := info{sections: map[string]map[string]string{}, fields: map[string]string{}}
	var section map[string]string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if name, ok := strings.CutPrefix(line, "# "); ok {
			section = map[string]string{}
			out.sections[name] = section
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || key == "" {
			continue
		}
		out.fields[key] = value
		if section != nil {
			section[key] = value
		}
	}
	return out
}

// number is a field that holds one number.
func (i info) number(field string) (float64, bool) {
	return parseNumber(i.fields[field])
}

func parseNumber(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

// pairs reads a value like "keys=2,expires=1,avg_ttl=0".
func pairs(value string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(value, ",") {
		if k, v, ok := strings.Cut(part, "="); ok {
			out[k] = v
		}
	}
	return out
}

// item is one line of a section that lists things, such as
// "cmdstat_get:calls=1,usec=2".
type item struct {
	name  string // get
	pairs map[string]string
}

// list returns the lines of a section whose key is prefix and a name.
func (i info) list(section, prefix string) []item {
	var out []item
	for key, value := range i.sections[section] {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			out = append(out, item{rest, pairs(value)})
		}
	}
	return out
}
