package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/davd/davd/storage/cluster"
)

// WatchCluster adds the figures of this davd as one of several nodes.
func (m *Metrics) WatchCluster(stats func() cluster.Stats) {
	gauge := func(name, help string, value func(cluster.Stats) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: "cluster", Name: name, Help: help,
		}, func() float64 { return value(stats()) }))
	}
	counter := func(name, help string, value func(cluster.Stats) int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "cluster", Name: name, Help: help,
		}, func() float64 { return float64(value(stats())) }))
	}
	gauge("member", "1 if this node can make changes, otherwise 0.", func(s cluster.Stats) float64 {
		if s.Member {
			return 1
		}
		return 0
	})
	gauge("renewal_age_seconds", "Time since the last renewal of the lease.", func(s cluster.Stats) float64 { return s.Renewed.Seconds() })
	gauge("claims", "Claims that this node holds.", func(s cluster.Stats) float64 { return float64(s.Held) })
	counter("claims_granted_total", "Claims that were granted.", func(s cluster.Stats) int64 { return s.Claims })
	counter("claims_refused_total", "Claims that another node was in the way of.", func(s cluster.Stats) int64 { return s.Refused })
	counter("takeovers_total", "Dead nodes that this node has taken over from.", func(s cluster.Stats) int64 { return s.Takeovers })
	counter("lost_total", "How often the others have declared this node dead.", func(s cluster.Stats) int64 { return s.Lost })
	counter("errors_total", "Statements that have failed because of the database.", func(s cluster.Stats) int64 { return s.Errors })
}
