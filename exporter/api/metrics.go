package api

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Result is how a probe ended. It is a metric label, so the set is closed.
type Result string

// The results.
const (
	Success   Result = "success"
	DNS       Result = "dns"
	Connect   Result = "connect"
	TLS       Result = "tls"
	Timeout   Result = "timeout"
	HTTP4xx   Result = "http_4xx"
	HTTP418   Result = "http_418" // banned
	HTTP429   Result = "http_429" // too many requests
	HTTP5xx   Result = "http_5xx"
	HTTPOther Result = "http_other" // an answer, such as a redirect, that was not expected
	Body      Result = "body"
	Other     Result = "other"
)

// Results is the closed set.
func Results() []Result {
	return []Result{Success, DNS, Connect, TLS, Timeout, HTTP4xx, HTTP418, HTTP429, HTTP5xx, HTTPOther, Body, Other}
}

func resultOfStatus(code int) Result {
	switch {
	case code == 418:
		return HTTP418
	case code == 429:
		return HTTP429
	case code >= 400 && code < 500:
		return HTTP4xx
	case code >= 500 && code < 600:
		return HTTP5xx
	default:
		return HTTPOther
	}
}

const (
	connNew    = "new"
	connReused = "reused"
)

// Metrics are what all targets measure. They live as long as the program, so
// that distributions survive a reload.
type Metrics struct {
	times       *prometheus.HistogramVec
	phases      *prometheus.HistogramVec
	probes      *prometheus.CounterVec
	up          *prometheus.GaugeVec
	lastSuccess *prometheus.GaugeVec
	missed      *prometheus.CounterVec
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	labels := func(more ...string) []string { return append([]string{"exchange", "endpoint"}, more...) }
	histogram := func(name, help string, labels []string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help,
			Buckets:                         []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, labels)
	}
	m := &Metrics{
		times:       histogram("api_response_time_seconds", "Time from when a probe was due to the end of its answer, or to its deadline.", labels("conn")),
		phases:      histogram("api_response_phase_seconds", "Time of each phase of a probe; they add up to the whole.", labels("phase")),
		probes:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "api_probes_total", Help: "Probes, by how they ended."}, labels("result")),
		up:          prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "api_up", Help: "Whether the newest probe succeeded."}, labels()),
		lastSuccess: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "api_last_success_timestamp_seconds", Help: "When a probe last succeeded, in Unix time; 0 for never."}, labels()),
		missed:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "api_probe_missed_total", Help: "Probes that started late or not at all."}, labels()),
	}
	reg.MustRegister(m.times, m.phases, m.probes, m.up, m.lastSuccess, m.missed)
	return m
}

// add makes a target's series exist before anything has happened. Only api_up
// waits for the first probe: before, it is neither up nor down.
func (m *Metrics) add(t Target) {
	for _, conn := range []string{connNew, connReused} {
		m.times.WithLabelValues(t.Exchange, t.Endpoint, conn)
	}
	for _, phase := range phaseNames() {
		m.phases.WithLabelValues(t.Exchange, t.Endpoint, phase)
	}
	for _, result := range Results() {
		m.probes.WithLabelValues(t.Exchange, t.Endpoint, string(result))
	}
	m.lastSuccess.WithLabelValues(t.Exchange, t.Endpoint)
	m.missed.WithLabelValues(t.Exchange, t.Endpoint)
}

func (m *Metrics) forget(t Target) {
	labels := prometheus.Labels{"exchange": t.Exchange, "endpoint": t.Endpoint}
	for _, vec := range []interface{ DeletePartialMatch(prometheus.Labels) int }{m.times, m.phases, m.probes, m.up, m.lastSuccess, m.missed} {
		vec.DeletePartialMatch(labels)
	}
}

func (m *Metrics) miss(t Target, n int) {
	m.missed.WithLabelValues(t.Exchange, t.Endpoint).Add(float64(n))
}

func (m *Metrics) observe(t Target, o outcome, end time.Time) {
	m.probes.WithLabelValues(t.Exchange, t.Endpoint, string(o.result)).Inc()
	up := m.up.WithLabelValues(t.Exchange, t.Endpoint)
	if o.result == Success {
		up.Set(1)
		m.lastSuccess.WithLabelValues(t.Exchange, t.Endpoint).Set(float64(end.UnixMilli()) / 1000)
	} else {
		up.Set(0)
	}
	if !o.timed {
		return
	}
	conn := connNew
	if o.reused {
		conn = connReused
	}
	m.times.WithLabelValues(t.Exchange, t.Endpoint, conn).Observe(o.seconds)
	for i, phase := range phaseNames() {
		m.phases.WithLabelValues(t.Exchange, t.Endpoint, phase).Observe(o.phases[i])
	}
}
