package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

type metrics struct {
	planned  *prometheus.CounterVec   // state: queued, skipped
	runs     *prometheus.CounterVec   // state: the run states that end or wait
	guards   *prometheus.CounterVec   // guard, allowed
	actions  *prometheus.HistogramVec // action, result
	working  prometheus.Gauge
	fenced   prometheus.Counter
	faults   prometheus.Counter
	verdicts *prometheus.CounterVec // source, verdict
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		planned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_receiver_runs_planned_total", Help: "Runs planned for incidents, by the state they began in.",
		}, []string{"state"}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_receiver_run_states_total", Help: "States that runs have gone into.",
		}, []string{"state"}),
		guards: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_receiver_guard_decisions_total", Help: "Decisions of guards.",
		}, []string{"guard", "allowed"}),
		actions: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "upkeep_receiver_action_duration_seconds", Help: "How long actions took, by their result.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300},
		}, []string{"action", "result"}),
		working: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "upkeep_receiver_runs_working", Help: "Runs that a worker carries on now.",
		}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "upkeep_receiver_runs_fenced_total", Help: "Runs that another worker took over while one of ours held them.",
		}),
		faults: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "upkeep_receiver_engine_faults_total", Help: "Faults that made the engine try again later.",
		}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_receiver_engine_verdicts_total", Help: "Verdicts that checks gave.",
		}, []string{"source", "verdict"}),
	}
	reg.MustRegister(m.planned, m.runs, m.guards, m.actions, m.working, m.fenced, m.faults, m.verdicts)
	return m
}

func (m *metrics) decided(d incident.Decision) {
	allowed := "false"
	if d.Allowed {
		allowed = "true"
	}
	m.guards.WithLabelValues(d.Guard, allowed).Inc()
}

func (m *metrics) applied(c incident.Change) {
	for _, s := range c.RunTo {
		m.runs.WithLabelValues(string(s)).Inc()
	}
	if j := c.Judgement; j != nil {
		m.verdicts.WithLabelValues(string(j.Source), string(j.Verdict)).Inc()
	}
}

func (m *metrics) acted(action string, result incident.RunState, took time.Duration) {
	m.actions.WithLabelValues(action, string(result)).Observe(took.Seconds())
}
