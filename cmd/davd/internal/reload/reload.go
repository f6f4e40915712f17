// Package reload has the command that makes a running davd read its configuration again.
package reload

import (
	"context"

	"github.com/davd/davd/cmd/davd/internal/control"
)

// Result says what a reload has changed.
type Result struct {
	// File is the configuration file, or empty without one.
	File string `json:"file,omitempty"`
	// Applied and Restart are the settings that differ from before: those that count now, and
	// those that need a restart.
	Applied []string `json:"applied,omitempty"`
	Restart []string `json:"restart,omitempty"`
	// Warnings are about the file.
	Warnings []string `json:"warnings,omitempty"`
}

// command is its name on the control socket.
const command = "reload"

// Manager reloads the configuration of this process.
type Manager struct {
	Reload func(context.Context) (Result, error)
}

// Register makes c answer the command.
func (m *Manager) Register(c *control.Commands) {
	control.Add(c, command, func(ctx context.Context, _ struct{}) (Result, error) { return m.Reload(ctx) })
}

// Remote reloads the configuration of the davd at the other end of client.
func Remote(ctx context.Context, client *control.Client) (result Result, err error) {
	err = client.Call(ctx, command, struct{}{}, &result)
	return result, err
}
