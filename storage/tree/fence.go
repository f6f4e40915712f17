package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/davd/davd/storage"
)

// Fence is for an FS that several processes change at the same time. The operation holds a claim
// on all names that it changes, and the Journal refuses records of a process that was declared
// dead. Then another process takes over the claim and calls [Engine.RecoverAdopted].
//
// A process can be paused before any call of the FS, and make the call much later, when its claim
// has long been taken over. So every rename uses a reserved name that exists only once:
//
//   - A stage is a complete tree or file. It is renamed to the destination, or changes places
//     with it.
//   - A gate is a collection. A tree that must go away is renamed to a member of the gate.
//
// A record that names the stage and the gate is durable before the rename, and both exist then. A
// process that takes over renames the stage and removes the gate before it looks what has
// happened. After that, every late rename fails. Stage and gate are gone before the claim ends, so that not
// even a call that a network delivers twice has an effect later.
type Fence struct {
	// ID is that of the claim, and of the record in the Journal.
	ID string
	// Beside returns an unused reserved name in the collection that contains name. It is
	// unique among all processes.
	Beside func(name string) string
}

// The members of a gate: the source of a MOVE or DELETE, and the previous content of the
// destination.
const (
	gateSource      = "/source"
	gateDestination = "/destination"
)

// errUnidentified says that an FS can't be used by several processes.
var errUnidentified = fmt.Errorf("%w: the storage can't identify files, so several servers can't share it", errors.ErrUnsupported)

// UnsettledError says that it is not known what an operation has changed. Its record stays in the
// Journal, and the claim must not end: whoever takes over the claim finishes or undoes the
// operation.
type UnsettledError struct {
	// Err is the reason.
	Err error
}

// Error returns the text of the reason.
func (e *UnsettledError) Error() string { return "not known to be done or undone: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *UnsettledError) Unwrap() error { return e.Err }

// StagedError says that an operation has changed nothing, but that its stage could not be removed,
// because the storage is not available at present. Its record stays in the Journal, and the claim
// must not end: whoever takes over the claim removes the stage.
type StagedError struct {
	// Err is the reason.
	Err error
}

// Error returns the text of the reason.
func (e *StagedError) Error() string { return "the unfinished copy is left for now: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *StagedError) Unwrap() error { return e.Err }

// beside returns an unused reserved name in the collection that contains name.
func (e *Engine) beside(name string) string {
	if e.Fence != nil {
		return e.Fence.Beside(name)
	}
	return storage.Beside(name)
}

// openGate makes a gate beside name, and records that trees may be renamed to it.
func (p *placement) openGate(ctx context.Context, name string) error {
	gate := p.beside(name)
	p.entry.Aside = append(p.entry.Aside, gate)
	if err := p.advance(ctx, p.entry.State); err != nil {
		return err
	}
	if err := p.FS.Mkdir(ctx, gate, 0o700); err != nil {
		return err
	}
	p.entry.Gate = gate
	err := p.advance(ctx, Placing)
	if err != nil {
		// A process that has taken over may have looked for the gate before it existed.
		_ = storage.Remove(ctx, p.FS, gate)
	}
	return err
}

// closeGate removes the gate, which must be empty.
func (p *placement) closeGate(ctx context.Context) error {
	if p.entry.Gate == "" {
		return nil
	}
	err := storage.Remove(ctx, p.FS, p.entry.Gate)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.entry.Gate = ""
	return nil
}

// shut keeps every call that was made for the operation from having an effect later. It gives
// the trees under the names of the operation new names, which are then the only ones in the
// record.
func (r *recovery) shut(ctx context.Context) error {
	e := &r.entry
	// Trees only go from names that come earlier in the record to those that come later.
	var names []string
	for _, name := range append([]string{e.Stage, e.Displaced}, e.Aside...) {
		if name != "" {
			names = append(names, name)
		}
	}
	if e.Gate != "" {
		if err := r.shutGate(ctx); err != nil {
			return err
		}
	}
	if _, err := r.takeAway(ctx, names); err != nil {
		return err
	}
	return r.forget(ctx)
}

// shutGate removes the gate. From then on, nothing can be renamed to its members.
func (r *recovery) shutGate(ctx context.Context) error {
	members := []string{r.entry.Gate + gateSource, r.entry.Gate + gateDestination}
	for {
		err := storage.Remove(ctx, r.FS, r.entry.Gate)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		// A call that a network repeats may fill the gate once more.
		found, err := r.takeAway(ctx, members)
		if err != nil {
			return err
		}
		if !found {
			return &fs.PathError{Op: "remove", Path: r.entry.Gate, Err: fs.ErrExist}
		}
	}
}

// takeAway gives the trees with these names new names, and records those before. It reports
// whether it has found any.
func (r *recovery) takeAway(ctx context.Context, names []string) (found bool, err error) {
	if len(names) == 0 {
		return false, nil
	}
	known := len(r.entry.Aside)
	for _, name := range names {
		r.entry.Aside = append(r.entry.Aside, r.beside(strings.TrimSuffix(strings.TrimSuffix(name, gateSource), gateDestination)))
	}
	if err := r.advance(ctx, r.entry.State); err != nil {
		return false, err
	}
	for i, name := range names {
		err := r.FS.Rename(ctx, name, r.entry.Aside[known+i])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		found = found || err == nil
	}
	return found, nil
}

// forget leaves in the entry only the names that exist, after all others have become useless.
func (r *recovery) forget(ctx context.Context) error {
	e := &r.entry
	var exist []string
	for _, name := range e.Aside {
		info, err := r.look(ctx, name)
		if err != nil {
			return err
		}
		if info != nil {
			exist = append(exist, name)
		}
	}
	e.Gate, e.Stage, e.Displaced, e.Aside = "", "", "", exist
	return r.advance(ctx, e.State)
}
