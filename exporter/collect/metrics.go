package collect

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what every source says about itself. They live as long as the
// program, so that counters survive a reload.
type Metrics struct {
	success     *prometheus.GaugeVec
	duration    *prometheus.GaugeVec
	lastSuccess *prometheus.GaugeVec
	failures    *prometheus.CounterVec
	dropped     *prometheus.GaugeVec
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	labels := []string{"collector", "target"}
	m := &Metrics{
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upkeep_collector_success", Help: "Whether the newest collection of a source succeeded."}, labels),
		duration: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upkeep_collector_duration_seconds", Help: "How long the newest collection of a source took."}, labels),
		lastSuccess: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upkeep_collector_last_success_timestamp_seconds", Help: "When a collection of a source last succeeded; 0 for never."}, labels),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_collector_failures_total", Help: "Collections of a source that failed, by cause."}, append(slices.Clone(labels), "cause")),
	}
	m.dropped = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "upkeep_collector_dropped_series",
		Help: "Series of a family that the newest collection left out, because there were too many of them or twice the same. Absent when there were none.",
	}, append(slices.Clone(labels), "family", "reason"))
	reg.MustRegister(m.success, m.duration, m.lastSuccess, m.failures, m.dropped)
	return m
}

// Add makes a source's series exist before anything has happened, so that the
// first failure is an increase.
func (m *Metrics) Add(name, target string) {
	m.success.WithLabelValues(name, target)
	m.duration.WithLabelValues(name, target)
	m.lastSuccess.WithLabelValues(name, target)
	for _, cause := range Causes() {
		m.failures.WithLabelValues(name, target, string(cause))
	}
}

// Forget drops a source's series, after a reload that no longer names it.
func (m *Metrics) Forget(name, target string) {
	labels := prometheus.Labels{"collector": name, "target": target}
	m.success.DeletePartialMatch(labels)
	m.duration.DeletePartialMatch(labels)
	m.lastSuccess.DeletePartialMatch(labels)
	m.failures.DeletePartialMatch(labels)
	m.dropped.DeletePartialMatch(labels)
}

// Cut records what the newest collection of a source left out.
func (m *Metrics) Cut(name, target string, cuts []Cut) {
	m.dropped.DeletePartialMatch(prometheus.Labels{"collector": name, "target": target})
	for _, c := range cuts {
		if c.OverLimit > 0 {
			m.dropped.WithLabelValues(name, target, c.Family, "limit").Set(float64(c.OverLimit))
		}
		if c.Duplicates > 0 {
			m.dropped.WithLabelValues(name, target, c.Family, "duplicate").Set(float64(c.Duplicates))
		}
	}
}

// Succeeded records a collection that went well and ended at end.
func (m *Metrics) Succeeded(name, target string, end time.Time, took time.Duration) {
	m.success.WithLabelValues(name, target).Set(1)
	m.duration.WithLabelValues(name, target).Set(took.Seconds())
	m.lastSuccess.WithLabelValues(name, target).Set(float64(end.UnixMilli()) / 1000)
}

// Failed records a collection that failed.
func (m *Metrics) Failed(name, target string, cause Cause, took time.Duration) {
	m.success.WithLabelValues(name, target).Set(0)
	m.duration.WithLabelValues(name, target).Set(took.Seconds())
	m.failures.WithLabelValues(name, target, string(cause)).Inc()
}
