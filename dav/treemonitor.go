package dav

import (
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/tree"
)

// treeMonitor is a tree.Monitor as the interim responses see it.
type treeMonitor struct{ *tree.Monitor }

// Snapshot implements Monitor, like the method below.
func (m treeMonitor) Snapshot() interim.Progress { return interim.Progress(m.Monitor.Snapshot()) }

func (m treeMonitor) Subscribe() interim.Outcomes { return treeOutcomes{m.Monitor.Subscribe()} }

type treeOutcomes struct{ *tree.Outcomes }

// Take implements Outcomes.
func (o treeOutcomes) Take() []interim.Outcome {
	taken := o.Outcomes.Take()
	outcomes := make([]interim.Outcome, len(taken))
	for i, each := range taken {
		outcomes[i] = interim.Outcome{Name: each.Name, Status: status.Of(each.Err)}
	}
	return outcomes
}
