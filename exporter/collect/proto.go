package collect

import (
	"slices"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Families are the snapshots as the Prometheus data model has them, for the
// formats that are not text. Each snapshot makes its own once; the result must
// not be changed.
func Families(snapshots []*Snapshot, skip map[string]bool) []*dto.MetricFamily {
	var out []*dto.MetricFamily
	for _, s := range snapshots {
		s.once.Do(func() {
			for _, b := range s.blocks {
				s.proto = append(s.proto, b.family.proto(b.samples))
			}
		})
	}
	at := map[string]int{}
	for _, s := range snapshots {
		for _, f := range s.proto {
			name := f.GetName()
			i, known := at[name]
			switch {
			case skip[name]:
			case !known:
				at[name] = len(out)
				out = append(out, f)
			default:
				out[i] = &dto.MetricFamily{Name: f.Name, Help: out[i].Help, Type: out[i].Type, Metric: slices.Concat(out[i].Metric, f.Metric)}
			}
		}
	}
	return out
}

func (f *family) proto(samples []sample) *dto.MetricFamily {
	out := &dto.MetricFamily{Name: proto.String(f.name), Help: proto.String(f.help), Type: f.kind.Enum()}
	for _, s := range samples {
		m := &dto.Metric{}
		for i, l := range f.labels {
			m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(l.name), Value: proto.String(s.series.values[i])})
		}
		switch f.kind {
		case dto.MetricType_COUNTER:
			m.Counter = &dto.Counter{Value: proto.Float64(s.value)}
		case dto.MetricType_GAUGE:
			m.Gauge = &dto.Gauge{Value: proto.Float64(s.value)}
		case dto.MetricType_HISTOGRAM:
			m.Histogram = s.histogram.proto()
		case dto.MetricType_SUMMARY:
			m.Summary = s.summary.proto()
		default:
			m.Untyped = &dto.Untyped{Value: proto.Float64(s.value)}
		}
		out.Metric = append(out.Metric, m)
	}
	return out
}

func (h *Histogram) proto() *dto.Histogram {
	out := &dto.Histogram{SampleCount: proto.Uint64(h.Count), SampleSum: proto.Float64(h.Sum)}
	for _, b := range h.Buckets {
		out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: proto.Float64(b.UpperBound), CumulativeCount: proto.Uint64(b.Cumulative)})
	}
	return out
}

func (s *Summary) proto() *dto.Summary {
	out := &dto.Summary{SampleCount: proto.Uint64(s.Count), SampleSum: proto.Float64(s.Sum)}
	for _, q := range s.Quantiles {
		out.Quantile = append(out.Quantile, &dto.Quantile{Quantile: proto.Float64(q.Quantile), Value: proto.Float64(q.Value)})
	}
	return out
}
