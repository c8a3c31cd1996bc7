package main

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"

	"github.com/MNS-Vic/upkeep/receiver/config"
	"github.com/MNS-Vic/upkeep/receiver/ledger"
)

// statsTimeout bounds what a scrape or a readiness check waits for the ledger.
const statsTimeout = 2 * time.Second

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("upkeep"),
	)
	return r
}

// metrics are those of the program as a whole; each package has its own beside.
type metrics struct {
	reloadOK   prometheus.Gauge
	reloadTime prometheus.Gauge
	mode       prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, l *ledger.Ledger) *metrics {
	m := &metrics{
		reloadOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "upkeep_config_last_reload_successful", Help: "Whether the last attempt to read the configuration was successful.",
		}),
		reloadTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "upkeep_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last read successfully.",
		}),
		mode: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "upkeep_remediation_mode", Help: "The ceiling of modes: 0 off, 1 dry run, 2 approve, 3 auto.",
		}),
	}
	reg.MustRegister(m.reloadOK, m.reloadTime, m.mode, newPresent(l))
	return m
}

func (m *metrics) reloaded(c *config.Config, at time.Time) {
	m.reloadOK.Set(1)
	m.reloadTime.Set(float64(at.UnixMilli()) / 1000)
	m.mode.Set(float64(c.Global.Mode.Rank()))
}

func (m *metrics) reloadFailed() { m.reloadOK.Set(0) }

// present publishes what the ledger holds at the moment of a scrape.
type present struct {
	ledger                                         *ledger.Ledger
	open, oldest, queue, working, outcomes, paused *prometheus.Desc
}

func newPresent(l *ledger.Ledger) *present {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &present{
		ledger:   l,
		open:     d("upkeep_incidents_open", "Incidents that are not closed.", "priority"),
		oldest:   d("upkeep_incident_oldest_open_timestamp_seconds", "When the oldest open incident opened; absent without one."),
		queue:    d("upkeep_run_queue_age_seconds", "How long the oldest run waits to be carried out; 0 without one."),
		working:  d("upkeep_remediation_in_progress", "1 for every remediation that is being carried out.", "remediation", "target"),
		outcomes: d("upkeep_alert_outcomes_total", "Incidents that were judged, by verdict.", "alertname", "outcome"),
		paused:   d("upkeep_remediation_paused", "1 while the kill switch is set."),
	}
}

// Describe implements prometheus.Collector.
func (p *present) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.open, p.oldest, p.queue, p.working, p.outcomes, p.paused} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. A ledger that cannot be read is an
// invalid metric, which the handler logs and leaves out.
func (p *present) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	s, err := p.ledger.Stats(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(p.open, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- constant(d, prometheus.GaugeValue, v, labels...)
	}
	for priority, n := range s.Open {
		gauge(p.open, float64(n), string(priority))
	}
	if !s.OldestOpen.IsZero() {
		gauge(p.oldest, float64(s.OldestOpen.UnixMilli())/1000)
	}
	age := 0.0
	if !s.Queued.IsZero() {
		age = max(0, time.Since(s.Queued).Seconds())
	}
	gauge(p.queue, age)
	for _, w := range s.Working {
		gauge(p.working, 1, w.Remediation, w.Target)
	}
	for _, o := range s.Outcomes {
		ch <- constant(p.outcomes, prometheus.CounterValue, float64(o.Count), o.Alertname, o.Verdict)
	}
	paused := 0.0
	if s.Paused {
		paused = 1
	}
	gauge(p.paused, paused)
}

// constant makes a metric; label values come from alerts and may be any bytes.
func constant(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) prometheus.Metric {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\uFFFD")
	}
	m, err := prometheus.NewConstMetric(d, t, v, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return m
}

var _ prometheus.Collector = (*present)(nil)
