package collect

import (
	"math"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// header is what stands above a family.
func header(name, help string, kind dto.MetricType) string {
	escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help)
	return "# HELP " + name + " " + escaped + "\n# TYPE " + name + " " + strings.ToLower(kind.String()) + "\n"
}

// series makes the text of one set of label values.
func (f *family) series(values []string) *series {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	out := &series{values: make([]string, len(f.labels))}
	var b strings.Builder
	for i, l := range f.labels {
		v := l.value
		if f.index[i] >= 0 {
			v = strings.ToValidUTF8(values[f.index[i]], "\uFFFD")
		}
		out.values[i] = v
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.name)
		b.WriteString(`="`)
		_, _ = escape.WriteString(&b, v)
		b.WriteByte('"')
	}
	out.text = b.String()
	return out
}

// render appends the lines of a family.
func (b *block) render(to []byte) []byte {
	name := b.family.name
	for _, s := range b.samples {
		switch {
		case s.histogram != nil:
			to = s.histogram.render(to, name, s.series.text)
		case s.summary != nil:
			to = s.summary.render(to, name, s.series.text)
		default:
			to = appendLine(to, name, "", s.series.text, "", 0, s.value)
		}
	}
	return to
}

func (h *Histogram) render(to []byte, name, labels string) []byte {
	closed := false
	for _, bucket := range h.Buckets {
		to = appendLine(to, name, "_bucket", labels, "le", bucket.UpperBound, float64(bucket.Cumulative))
		closed = closed || math.IsInf(bucket.UpperBound, 1)
	}
	if !closed {
		to = appendLine(to, name, "_bucket", labels, "le", math.Inf(1), float64(h.Count))
	}
	to = appendLine(to, name, "_sum", labels, "", 0, h.Sum)
	return appendLine(to, name, "_count", labels, "", 0, float64(h.Count))
}

func (s *Summary) render(to []byte, name, labels string) []byte {
	for _, q := range s.Quantiles {
		to = appendLine(to, name, "", labels, "quantile", q.Quantile, q.Value)
	}
	to = appendLine(to, name, "_sum", labels, "", 0, s.Sum)
	return appendLine(to, name, "_count", labels, "", 0, float64(s.Count))
}

// appendLine appends one line; extra is a label whose value is a number.
func appendLine(to []byte, name, suffix, labels, extra string, bound, value float64) []byte {
	to = append(append(to, name...), suffix...)
	if labels != "" || extra != "" {
		to = append(append(to, '{'), labels...)
		if extra != "" {
			if labels != "" {
				to = append(to, ',')
			}
			to = append(append(to, extra...), `="`...)
			to = append(appendNumber(to, bound), '"')
		}
		to = append(to, '}')
	}
	return append(appendNumber(append(to, ' '), value), '\n')
}

// appendNumber writes a number as the text format does.
func appendNumber(to []byte, v float64) []byte {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e6:
		return strconv.AppendInt(to, int64(v), 10) // the same digits, sooner
	case math.IsInf(v, 1):
		return append(to, "+Inf"...)
	case math.IsInf(v, -1):
		return append(to, "-Inf"...)
	default:
		return strconv.AppendFloat(to, v, 'g', -1, 64)
	}
}
