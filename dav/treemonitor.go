package dav

import (
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

// treeMonitor is a tree.Monitor as an operation sees it.
type treeMonitor struct{ *tree.Monitor }

// Snapshot implements operation.Monitor, like the methods below.
func (m treeMonitor) Snapshot() interim.Progress { return interim.Progress(m.Monitor.Snapshot()) }

func (m treeMonitor) Subscribe() interim.Outcomes { return treeOutcomes{m.Monitor.Subscribe()} }

func (m treeMonitor) Failures() (named []history.Failure, total int64) {
	outcomes, total := m.Monitor.Failures()
	return failures(outcomes), total
}

func failures(outcomes []tree.Outcome) []history.Failure {
	named := make([]history.Failure, len(outcomes))
	for i, each := range outcomes {
		named[i] = history.Failure{Name: each.Name, Status: status.Of(each.Err)}
	}
	return named
}

type treeOutcomes struct{ *tree.Outcomes }

// Take implements interim.Outcomes.
func (o treeOutcomes) Take() []interim.Outcome {
	taken := o.Outcomes.Take()
	outcomes := make([]interim.Outcome, len(taken))
	for i, each := range taken {
		outcomes[i] = interim.Outcome{Name: each.Name, Status: status.Of(each.Err)}
	}
	return outcomes
}
