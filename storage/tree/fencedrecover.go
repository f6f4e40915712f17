package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// RecoverAdopted finishes or undoes the operation of a record that this process has taken over
// from one that was declared dead. e.Fence has the ID of the record. Other operations may be under
// way: the claim on the names is this process's now. The dead process may still be running, and
// other processes may take over from this one at any time.
//
// With the result Finished or Undone, the caller ends the claim with that outcome. With [Left],
// the names are not as any step of the operation leaves them: a program that takes no part has
// changed them. An error says that it must be tried again; the result is then "".
//
// # Whether an operation was committed
//
// First, RecoverAdopted makes all late calls fail (see [Fence]). After that, only its own calls
// change the names. Then it looks for the files that the record identifies:
//
//   - If the destination is the tree that was to be placed, the operation was committed.
//   - A MOVE by renaming, and a DELETE, were also committed if the source was in the gate, or is
//     under another reserved name. Then the MOVE is completed.
//   - Otherwise nothing has happened, provided that the source is still there. What was displaced
//     from the destination goes back.
//
// Before it removes the old content of an operation that was committed, it records that, as the
// dead process did. If it is interrupted while it undoes one, the names still say so.
func (e Engine) RecoverAdopted(ctx context.Context, text []byte) (Recovery, error) {
	entry, err := decode(ctx, text, e.Names)
	if err != nil {
		if errors.Is(err, ErrAbsent) {
			return Recovery{Entry: entry}, ErrAbsent
		}
		return Recovery{Entry: entry, Result: Left, Err: err}, nil
	}
	e.Workers = e.Workers.ready()
	ctx, release := storage.Pin(e.own(entry.context(ctx)), e.FS)
	defer release()
	r := &recovery{&operation{placement{record: record{Engine: &e, entry: entry, written: true, saved: true, recovering: true}}}}
	result, err := r.settleFenced(ctx)
	if result == "" {
		return Recovery{Entry: entry}, fmt.Errorf("%s can't be finished or undone now: %w", entry, err)
	}
	return Recovery{Entry: entry, Result: result, Err: err}, nil
}

// settleFenced finishes or undoes the operation. The Result is "" if the error says that it must
// be tried again.
func (r *recovery) settleFenced(ctx context.Context) (Result, error) {
	ctx = r.own(ctx)
	if same, err := r.same(ctx); !same {
		return Left, err
	} else if err != nil {
		return "", err
	}
	switch r.entry.State {
	case Staging, Placing:
		if err := r.shut(ctx); err != nil {
			return "", err
		}
		if r.entry.State == Staging {
			return r.undone(ctx, &found{})
		}
		return r.judge(ctx)
	case Done:
		return r.cleared(ctx, Finished, nil)
	}
	return Left, fmt.Errorf("its state %q is unknown: a newer davd wrote the record", r.entry.State)
}

// found is what exists after no late call can change it any more.
type found struct {
	// src and dst describe the source and the destination; nil if they don't exist.
	src, dst fs.FileInfo
	// fresh, old and origin are the reserved names of those trees; "" without one.
	fresh, old, origin string
	freshInfo          fs.FileInfo
}

func (r *recovery) find(ctx context.Context) (*found, error) {
	e, f := r.entry, &found{}
	var err error
	if e.Source != "" {
		f.src, err = r.look(ctx, e.Source)
	}
	if err == nil && e.Destination != "" {
		f.dst, err = r.look(ctx, e.Destination)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range e.Aside {
		info, err := r.look(ctx, name)
		if err != nil {
			return nil, err
		}
		// Every name is in the collection of the source or in that of the destination. These may
		// be on two filesystems, where two files may have the same identity.
		atSource, atDestination := path.Dir(name) == path.Dir(e.Source), path.Dir(name) == path.Dir(e.Destination)
		switch {
		case atDestination && is(info, e.Fresh):
			f.fresh, f.freshInfo = name, info
		case atSource && is(info, e.Origin):
			f.origin = name
		case atDestination && is(info, e.Old):
			f.old = name
		}
	}
	return f, nil
}

// is reports whether info describes the file with that mark.
func is(info fs.FileInfo, identity string) bool { return identity != "" && mark(info) == identity }

// judge decides whether the operation was committed, and finishes or undoes it.
func (r *recovery) judge(ctx context.Context) (Result, error) {
	e := r.entry
	f, err := r.find(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case e.Destination != "" && is(f.dst, e.Fresh):
		return r.finished(ctx, f)
	case e.Method == deleteMethod && f.origin != "":
		return r.finished(ctx, f)
	case e.renames() && f.fresh != "":
		return r.complete(ctx, f)
	case e.Method == deleteMethod && is(f.src, e.Origin), e.renames() && is(f.src, e.Fresh):
		return r.undone(ctx, f)
	case e.Method == deleteMethod || e.renames():
		return Left, fmt.Errorf("%s %w", e.Source, errOther)
	}
	// The stage is unplaced, or its owner has removed it.
	return r.undone(ctx, f)
}

// renames reports whether e is a MOVE that renames its source.
func (e Entry) renames() bool { return e.Method == moveMethod && e.Origin == "" }

// complete puts the source of a MOVE, which was in the gate, at the destination. If that is
// impossible, the source goes back.
func (r *recovery) complete(ctx context.Context, f *found) (Result, error) {
	displaced, err := r.replace(ctx, f.fresh, f.freshInfo, f.dst)
	if err == nil {
		err = r.closeGate(ctx)
	}
	if err == nil {
		if displaced != "" {
			f.old = displaced
		}
		return r.finished(ctx, f)
	}
	if retry := r.shut(ctx); retry != nil {
		return "", errors.Join(err, retry)
	}
	again, lookErr := r.find(ctx)
	switch {
	case lookErr != nil:
		return "", errors.Join(err, lookErr)
	case is(again.dst, r.entry.Fresh):
		return r.finished(ctx, again)
	case again.fresh == "" || again.src != nil:
		return "", err
	}
	if back := r.FS.Rename(ctx, again.fresh, r.entry.Source); back != nil {
		return "", errors.Join(err, back)
	}
	again.fresh = ""
	return r.undone(ctx, again)
}

// finished completes an operation that was committed.
func (r *recovery) finished(ctx context.Context, f *found) (Result, error) {
	var kept error
	if r.entry.Method == moveMethod && !r.entry.renames() {
		kept = r.removeSourceFenced(ctx, f.origin)
		if _, partial := errors.AsType[*PartialError](kept); kept != nil && !partial {
			return "", kept
		}
	}
	if r.entry.Source != "" {
		if err := r.follow(ctx, kept == nil); err != nil {
			return "", err
		}
	}
	if err := r.advance(ctx, Done); err != nil {
		return "", err
	}
	return r.cleared(ctx, Finished, kept)
}

// undone puts back what was displaced, and removes the other trees under reserved names.
func (r *recovery) undone(ctx context.Context, f *found) (Result, error) {
	for _, back := range []struct {
		from, to string
		occupied fs.FileInfo
	}{{f.old, r.entry.Destination, f.dst}, {f.origin, r.entry.Source, f.src}} {
		switch {
		case back.from == "":
			continue
		case back.occupied != nil:
			return Left, fmt.Errorf("%s %w: its content is at %s", back.to, errOther, back.from)
		}
		if err := r.FS.Rename(ctx, back.from, back.to); err != nil {
			return "", err
		}
	}
	return r.cleared(ctx, Undone, nil)
}

// cleared removes all trees under reserved names, after the operation has ended with result and
// err. The Result is "" if that must be tried again: the storage is not available, or the other
// process is still inside a call that makes files in the trees.
func (r *recovery) cleared(ctx context.Context, result Result, err error) (Result, error) {
	left := r.discardAll(ctx)
	if passing(left) {
		return "", left
	}
	at, ok := errors.AsType[*fs.PathError](left)
	if !ok || !errors.Is(left, fs.ErrExist) {
		return result, errors.Join(err, left)
	}
	opened := false
	for member, listErr := range storage.ReadDir(ctx, r.FS, at.Path) {
		if listErr != nil || !storage.Reserved(member.Name()) {
			return "", left
		}
		opened = true // This file was removed, but is open on NFS. That may last for hours.
	}
	if !opened {
		return "", left
	}
	return result, errors.Join(err, left)
}
