package ledger

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	writeSeconds prometheus.Histogram
	writeErrors  prometheus.Counter
	opened       *prometheus.CounterVec
	repeated     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		writeSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "upkeep_ledger_write_seconds", Help: "Time of one commit of the ledger, the disk's fsync in it.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12), NativeHistogramBucketFactor: 1.1,
		}),
		writeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "upkeep_ledger_write_errors_total", Help: "Commits of the ledger that failed.",
		}),
		opened: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_incidents_opened_total", Help: "Incidents that were opened.",
		}, []string{"priority"}),
		repeated: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_alerts_repeated_total", Help: "Alerts received that told nothing new, by kind: repeat (still firing), late (a copy from before the end), resolved (it had ended already), unknown (resolved without an incident).",
		}, []string{"kind"}),
	}
	reg.MustRegister(m.writeSeconds, m.writeErrors, m.opened, m.repeated)
	return m
}
