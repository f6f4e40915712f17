// Package locks lists and breaks locks for an operator.
package locks

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// The names of the commands.
const (
	listCommand  = "locks"
	breakCommand = "unlock"
)

// Lock describes a lock to an operator.
type Lock struct {
	// Path is the locked resource, relative to the share.
	Path string `json:"path"`
	// Depth is "0" or "infinity" (RFC 4918 §10.2).
	Depth string `json:"depth"`
	// Scope is "exclusive" or "shared".
	Scope string `json:"scope"`
	// User is the user who holds the lock, or "" if davd asks for no password.
	User string `json:"user"`
	// Owner is what the client says about the owner of the lock, without markup.
	Owner string `json:"owner"`
	// Created is nil for locks of an old davd that didn't record it. Expires is nil for
	// locks that don't expire.
	Created *time.Time `json:"created"`
	Expires *time.Time `json:"expires"`
	Token   string     `json:"token"`
}

// Break says which locks to break: the one with this Token, or the one on Path. If there are
// several locks on Path, which are shared locks, they are only broken with All.
type Break struct {
	Path  string `json:"path,omitempty"`
	Token string `json:"token,omitempty"`
	All   bool   `json:"all,omitempty"`
}

// Operator lists and breaks locks.
type Operator interface {
	// List returns all locks, in the order of their paths.
	List(ctx context.Context) ([]Lock, error)
	// Break breaks locks and returns them, or an error if it finds none.
	Break(ctx context.Context, b Break) ([]Lock, error)
}

// Manager is an Operator that works directly on a lock.Manager.
type Manager struct {
	Locks lock.Manager
	// Log gets a line for each broken lock.
	Log *slog.Logger
}

// Register adds the commands that a [Remote] sends, so that m executes them.
func (m *Manager) Register(c *control.Commands) {
	control.Add(c, listCommand, func(ctx context.Context, _ struct{}) ([]Lock, error) { return m.List(ctx) })
	control.Add(c, breakCommand, m.Break)
}

// List implements [Operator].
func (m *Manager) List(ctx context.Context) ([]Lock, error) {
	found, err := m.Locks.Find(ctx, time.Now(), "/", true)
	if err != nil {
		return nil, err
	}
	return shownLocks(found), nil
}

// Break implements [Operator].
func (m *Manager) Break(ctx context.Context, b Break) ([]Lock, error) {
	broken, err := m.find(ctx, b)
	if err != nil {
		return nil, err
	}
	for i := range broken {
		l := &broken[i]
		err := m.Locks.Release(ctx, time.Now(), l.Token)
		if err != nil && !errors.Is(err, webdav.ErrNoSuchLock) { // it may just have ended
			return nil, fmt.Errorf("can't break the lock on %s: %w", l.Root, err)
		}
		m.Log.WarnContext(ctx, "the operator has broken a lock", "path", l.Root, "user", l.Principal, "owner", ownerText(l.OwnerXML), "token", l.Token)
	}
	return shownLocks(broken), nil
}

// find returns the locks to break. If it finds none, it returns an error.
func (m *Manager) find(ctx context.Context, b Break) ([]lock.Lock, error) {
	all, err := m.Locks.Find(ctx, time.Now(), "/", true)
	if err != nil {
		return nil, err
	}
	name := storage.Clean(b.Path)
	var found, above []lock.Lock
	for _, l := range all {
		switch {
		case b.Token != "" && l.Token == b.Token, b.Token == "" && l.Root == name:
			found = append(found, l)
		case b.Token == "" && l.Covers(name):
			above = append(above, l)
		}
	}
	switch {
	case len(found) > 1 && !b.All:
		return nil, fmt.Errorf("%s has %d locks: name one of them by its token (see davd locks), or use --all", name, len(found))
	case len(found) > 0:
		return found, nil
	case b.Token != "":
		return nil, fmt.Errorf("no lock has the token %s: see davd locks", b.Token)
	case len(above) > 0:
		return nil, fmt.Errorf("%s has no lock of its own but is locked by the lock on %s: break it with davd unlock %s", name, above[0].Root, above[0].Root)
	}
	return nil, fmt.Errorf("%s is not locked: see davd locks", name)
}

// Remote is an Operator that sends commands to a running davd.
type Remote struct{ Client *control.Client }

// List implements [Operator].
func (r *Remote) List(ctx context.Context) (locks []Lock, err error) {
	err = r.Client.Call(ctx, listCommand, struct{}{}, &locks)
	return locks, err
}

// Break implements [Operator].
func (r *Remote) Break(ctx context.Context, b Break) (broken []Lock, err error) {
	err = r.Client.Call(ctx, breakCommand, b, &broken)
	return broken, err
}

func shownLocks(locks []lock.Lock) []Lock {
	shown := make([]Lock, len(locks))
	for i := range locks {
		l := &locks[i]
		shown[i] = Lock{
			Path: l.Root, Depth: "infinity", Scope: "exclusive", User: l.Principal, Owner: ownerText(l.OwnerXML),
			Created: known(l.Created), Expires: known(l.Expires), Token: l.Token,
		}
		if l.ZeroDepth {
			shown[i].Depth = "0"
		}
		if l.Shared {
			shown[i].Scope = "shared"
		}
	}
	return shown
}

// known returns nil for the zero Time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// maxOwner limits the text of an owner, in bytes.
const maxOwner = 1 << 10

// ownerText returns the text in the content of a DAV:owner element. It ends at the first
// syntax error.
func ownerText(content string) string {
	var text strings.Builder
	decoder := xml.NewDecoder(io.LimitReader(strings.NewReader(content), 8*maxOwner))
	decoder.Strict = false
	for text.Len() < maxOwner {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		if chars, ok := token.(xml.CharData); ok {
			text.WriteString(strings.ToValidUTF8(string(chars), "\ufffd") + " ")
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
