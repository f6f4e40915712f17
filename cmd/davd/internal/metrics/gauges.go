package metrics

import (
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/davd/davd/dav/operation"
)

// running has the running operations.
type running struct {
	desc *prometheus.Desc
	list func() []operation.Operation
}

// WatchOperations adds the operations that list returns.
func (m *Metrics) WatchOperations(list func() []operation.Operation) {
	m.registry.MustRegister(&running{
		desc: prometheus.NewDesc("davd_operations_running", "COPY, MOVE, DELETE and PROPFIND operations that are running.", []string{"method"}, nil),
		list: list,
	})
}

// Describe implements prometheus.Collector, like Collect.
func (r *running) Describe(to chan<- *prometheus.Desc) { to <- r.desc }

func (r *running) Collect(to chan<- prometheus.Metric) {
	count := map[string]int{"COPY": 0, "MOVE": 0, "DELETE": 0, "PROPFIND": 0}
	for _, op := range r.list() {
		count[methodLabel(op.Method)]++
	}
	for method, n := range count {
		to <- prometheus.MustNewConstMetric(r.desc, prometheus.GaugeValue, float64(n), method)
	}
}

// stateFiles are the files of a database, beside its own name.
var stateFiles = []string{"", "-wal", "-shm"}

// WatchState adds the size of the database.
func (m *Metrics) WatchState(database string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "state_bytes", Help: "Size of the database of locks and properties, with its log.",
	}, func() float64 {
		var size int64
		for _, suffix := range stateFiles {
			if info, err := os.Stat(database + suffix); err == nil {
				size += info.Size()
			}
		}
		return float64(size)
	}))
}
