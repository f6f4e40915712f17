package metrics

import (
	"regexp"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/cluster"
)

var (
	fqName = regexp.MustCompile(`fqName: "(davd_\w+)"`)
	labels = regexp.MustCompile(`variableLabels: \{([^}]*)\}`)
)

// All returns the names of davd's own metrics, with their labels as a list.
func All(t *testing.T) map[string]string {
	t.Helper()
	m := New("v1")
	m.WatchOperations(func() []operation.Operation { return nil })
	m.WatchState("none")
	m.WatchCluster(func() cluster.Stats { return cluster.Stats{} })
	m.WatchObjects()
	found := make(map[string]string)
	all := make(chan *prometheus.Desc)
	go func() {
		defer close(all)
		m.registry.Describe(all)
	}()
	for desc := range all {
		if name := fqName.FindStringSubmatch(desc.String()); name != nil {
			found[name[1]] = labels.FindStringSubmatch(desc.String())[1]
		}
	}
	return found
}
