package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

type metrics struct {
	runs      *prometheus.CounterVec   // remediation, action, result
	blocked   *prometheus.CounterVec   // guard
	actions   *prometheus.HistogramVec // action, result
	recovered prometheus.Histogram
	fenced    prometheus.Counter
	faults    prometheus.Counter
}

// recoverBuckets reach from what a restart takes to the promise of P4.
func recoverBuckets() []float64 {
	return []float64{10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400}
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_remediation_runs_total",
			Help: "Results of remediation runs and of the steps that did not help: succeeded, ineffective, act_failed, timed_out, precheck_failed, interrupted, escalated, skipped, cancelled.",
		}, []string{"remediation", "action", "result"}),
		blocked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_remediation_blocked_total", Help: "Decisions of guards not to act now, or not at all.",
		}, []string{"guard"}),
		actions: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "upkeep_remediation_action_duration_seconds", Help: "How long actions took, by their result.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300},
		}, []string{"action", "result"}),
		recovered: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "upkeep_incident_recover_seconds", Help: "Time from the first receipt of an alert to the recovery of its incident.",
			Buckets: recoverBuckets(), NativeHistogramBucketFactor: 1.1,
		}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "upkeep_remediation_fenced_total", Help: "Runs that another worker took over while one of ours held them.",
		}),
		faults: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "upkeep_remediation_faults_total", Help: "Faults that made the engine try again later.",
		}),
	}
	reg.MustRegister(m.runs, m.blocked, m.actions, m.recovered, m.fenced, m.faults)
	return m
}

func (m *metrics) decided(d incident.Decision) {
	if !d.Allowed {
		m.blocked.WithLabelValues(d.Guard).Inc()
	}
}

// moved counts the states that say how a run or one of its steps came out.
func (m *metrics) moved(remediation, action string, to ...incident.RunState) {
	for _, s := range to {
		switch s {
		case incident.RunSucceeded, incident.RunIneffective, incident.RunActFailed, incident.RunTimedOut, incident.RunPrecheckFailed,
			incident.RunInterrupted, incident.RunEscalated, incident.RunSkipped, incident.RunCancelled:
			m.runs.WithLabelValues(remediation, action, string(s)).Inc()
		}
	}
}

func (m *metrics) acted(action string, result incident.RunState, took time.Duration) {
	m.actions.WithLabelValues(action, string(result)).Observe(took.Seconds())
}
