// Package quotas shows and recounts the quotas of shares for an operator.
package quotas

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/storage/quota"
)

// The names of the commands.
const (
	listCommand    = "quotas"
	recountCommand = "quota-recount"
)

// Share is a share, or the instance of one for a user, whose usage is counted.
type Share struct {
	// Name is the canonical name of the share, such as /photos or /home/ann.
	Name  string
	Quota Counter
}

// Counter knows the usage of a share. A *quota.FS does.
type Counter interface {
	Usage(ctx context.Context) (quota.Usage, error)
	// Recount counts what the share contains. Usage is right afterwards.
	Recount(ctx context.Context) (quota.Count, error)
}

// Quota describes the quota of a share to an operator.
type Quota struct {
	Share string `json:"share"`
	// Usage is as before if Error is not "".
	quota.Usage

	// Available is how many bytes the quota leaves, or -1 without a limit.
	Available int64 `json:"available"`
	// Count is the result of a recount; otherwise nil.
	Count *quota.Count `json:"count,omitempty"`
	// Error is the reason why the share can't be counted, or "".
	Error string `json:"error,omitempty"`
}

// Operator shows and recounts quotas. share is the canonical name of a share, or "" for all.
type Operator interface {
	// List returns the quotas in the order of their names.
	List(ctx context.Context, share string) ([]Quota, error)
	// Recount counts what the shares contain, and returns their quotas.
	Recount(ctx context.Context, share string) ([]Quota, error)
}

// Manager is an Operator that works directly on the shares.
type Manager struct {
	// Shares returns the open shares whose usage is counted, in the order of their names.
	Shares func() []Share
}

// Register adds the commands that a [Remote] sends, so that m executes them.
func (m *Manager) Register(c *control.Commands) {
	control.Add(c, listCommand, m.List)
	control.Add(c, recountCommand, m.Recount)
}

// List implements [Operator].
func (m *Manager) List(ctx context.Context, share string) ([]Quota, error) {
	return m.each(share, func(s Share) Quota { return describe(ctx, s, nil, nil) })
}

// Recount implements [Operator].
func (m *Manager) Recount(ctx context.Context, share string) ([]Quota, error) {
	return m.each(share, func(s Share) Quota {
		count, err := s.Quota.Recount(ctx)
		return describe(ctx, s, &count, err)
	})
}

func (m *Manager) each(share string, do func(Share) Quota) ([]Quota, error) {
	found := []Quota{}
	for _, s := range m.Shares() {
		if share == "" || s.Name == share {
			found = append(found, do(s))
		}
	}
	if share != "" && len(found) == 0 {
		return nil, fmt.Errorf("no share %s with a quota is in use: see davd quota list", share)
	}
	return found, nil
}

func describe(ctx context.Context, s Share, count *quota.Count, err error) Quota {
	usage, usageErr := s.Quota.Usage(ctx)
	if err == nil {
		err = usageErr
	}
	q := Quota{Share: s.Name, Usage: usage, Available: usage.Available(), Count: count}
	if err != nil {
		q.Count, q.Error = nil, err.Error()
	}
	return q
}

// Remote is an Operator that sends commands to a running davd.
type Remote struct{ Client *control.Client }

// List implements [Operator].
func (r *Remote) List(ctx context.Context, share string) (found []Quota, err error) {
	err = r.Client.Call(ctx, listCommand, share, &found)
	return found, err
}

// Recount implements [Operator].
func (r *Remote) Recount(ctx context.Context, share string) (found []Quota, err error) {
	err = r.Client.Call(ctx, recountCommand, share, &found)
	return found, err
}

// slowCount is how long a walk takes before a line of its own in the log is worthwhile, even
// if it has found what was expected.
const slowCount = 2 * time.Second

// Report returns a function for quota.Options that logs walks of the share name: the first walk,
// and each that finds an unexpected number, is slow or fails.
func Report(log *slog.Logger, name string) func(quota.Count) {
	return func(c quota.Count) {
		about := []any{"share", name, "bytes", c.Used, "files", c.Files, "took", c.Took.Round(time.Millisecond)}
		if !c.First {
			about = append(about, "before", c.Before)
		}
		if c.Unreadable > 0 {
			about = append(about, "unreadable", c.Unreadable)
		}
		switch {
		case c.Err != nil:
			log.Warn("can't count the share for its quota", "share", name, "err", c.Err)
		case c.First || c.Used != c.Before || c.Took >= slowCount:
			log.Info("counted the share for its quota", about...)
		}
	}
}
