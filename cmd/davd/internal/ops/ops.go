// Package ops lists and stops running operations for an operator.
package ops

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/cluster"
)

// The names of the commands.
const (
	listCommand = "ops"
	stopCommand = "ops-stop"
)

// Operation describes a running operation to an operator.
type Operation struct {
	// ID is the last segment of the address of its page.
	ID string `json:"id"`
	// User is the user who began it, or "" if davd asks for no password.
	User   string `json:"user"`
	Method string `json:"method"`
	// Path and Destination are names relative to the served tree. Only a COPY or MOVE has a
	// Destination.
	Path        string    `json:"path"`
	Destination string    `json:"destination,omitempty"`
	Started     time.Time `json:"started"`
	// Stopping says that it was told to stop.
	Stopping bool `json:"stopping"`
	// Done is the number of finished members, and Total that of all members found until now, or
	// nil. Bytes and TotalBytes are the same for the content of files. TotalFinal says that the
	// totals are complete.
	Done       int64  `json:"done"`
	Total      *int64 `json:"total"`
	Bytes      int64  `json:"bytes"`
	TotalBytes *int64 `json:"totalBytes"`
	TotalFinal bool   `json:"totalFinal"`
	// Node is the name of the davd that works on it; "" for the davd that was asked.
	Node string `json:"node,omitempty"`
}

// Handler is the part of a dav.Handler that a Manager needs.
type Handler interface {
	DocumentedOperations() []operation.Operation
	// OperationsElsewhere returns those of other davd that serve the same files.
	OperationsElsewhere(ctx context.Context) ([]cluster.Status, error)
	StopOperation(ctx context.Context, id string) error
}

// Manager works directly on a Handler.
type Manager struct {
	Handler Handler
	// Log gets a line for each operation that is stopped.
	Log *slog.Logger
}

// Register adds the commands that a [Remote] sends, so that m executes them.
func (m *Manager) Register(c *control.Commands) {
	control.Add(c, listCommand, func(ctx context.Context, _ struct{}) ([]Operation, error) { return m.list(ctx) })
	control.Add(c, stopCommand, m.stop)
}

func (m *Manager) list(ctx context.Context) ([]Operation, error) {
	found := []Operation{}
	own := make(map[string]bool)
	for _, op := range m.Handler.DocumentedOperations() {
		found, own[op.ID] = append(found, describe(&op)), true
	}
	elsewhere, err := m.Handler.OperationsElsewhere(ctx)
	for i := range elsewhere {
		if !own[elsewhere[i].Record.ID] {
			found = append(found, describeElsewhere(&elsewhere[i]))
		}
	}
	return found, err
}

// stop stops the operation id, and returns it as it was before.
func (m *Manager) stop(ctx context.Context, id string) (Operation, error) {
	all, err := m.list(ctx)
	if err != nil {
		return Operation{}, err
	}
	for _, op := range all {
		if op.ID != id {
			continue
		}
		m.Log.WarnContext(ctx, "the operator stops an operation", "operation", op.ID, "method", op.Method, "path", op.Path, "user", op.User)
		return op, m.Handler.StopOperation(ctx, id)
	}
	return Operation{}, fmt.Errorf("no operation with the id %s is running: see davd ops list", id)
}

func describeElsewhere(s *cluster.Status) Operation {
	r := &s.Record
	return Operation{
		ID: r.ID, User: r.Principal, Method: r.Method, Path: r.Source, Destination: r.Destination,
		Started: r.Started.UTC(), Stopping: s.Stopping,
		Done: r.Done, Total: orNil(r.Known), Bytes: r.Bytes, TotalBytes: orNil(r.KnownBytes), Node: s.Node,
	}
}

func describe(op *operation.Operation) Operation {
	return Operation{
		ID: op.ID, User: op.Principal, Method: op.Method, Path: op.Source, Destination: op.Destination,
		Started: op.Started.UTC(), Stopping: op.Stopping,
		Done: op.Progress.Done, Total: orNil(op.Progress.Known), Bytes: op.Progress.Bytes, TotalBytes: orNil(op.Progress.KnownBytes),
		TotalFinal: op.Progress.Final,
	}
}

// orNil returns nil for 0.
func orNil(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// Remote sends commands to a running davd.
type Remote struct{ Client *control.Client }

// List returns the running operations, the oldest first.
func (r *Remote) List(ctx context.Context) (found []Operation, err error) {
	err = r.Client.Call(ctx, listCommand, struct{}{}, &found)
	return found, err
}

// Stop stops an operation, waits until it has rolled back, and returns it as it was before.
func (r *Remote) Stop(ctx context.Context, id string) (stopped Operation, err error) {
	err = r.Client.Call(ctx, stopCommand, id, &stopped)
	return stopped, err
}
