package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/davd/davd/storage"
)

// recovery recovers one operation.
type recovery struct{ *operation }

// Result is what Recover did with an operation that a dead process has left unfinished.
type Result string

const (
	// Finished says that the operation was past its commit point, and is complete now.
	Finished Result = "finished"
	// Undone says that the operation was not past its commit point, and that nothing of
	// it is left.
	Undone Result = "undone"
	// Left says that something of the operation stays, and its record in the Journal
	// too.
	Left Result = "left"
)

// Recovery is the result for one operation.
type Recovery struct {
	Entry  Entry
	Result Result
	// Err says why something was left, or which members of the source of a MOVE could
	// not be removed.
	Err error
}

// Recover finishes or undoes the operations that a dead process has left in the
// Journal, in the order they began. It returns no result for an operation that was
// complete, or had not begun. Nothing else may use FS or the Journal
// until it returns. It may be called again after any error or crash.
//
// An error says that storage, Journal or Follower can't be reached. The operations that
// were not recovered are still in the Journal.
//
// For an operation of a tenant, the context passed to storage and Follower has that
// tenant.
//
// # Whether an operation was committed
//
// Recover decides this by the names that exist. Where they don't suffice, it compares
// the identities of files, which no two files that exist at the same time on one
// filesystem share. Below, From is the tree that will be placed: the staged copy, or
// the source itself if that is renamed.
//
//   - One rename, if the destination does not exist or a file replaces a file: it has
//     happened if and only if From no longer exists.
//   - Two renames, if the storage has no exchange: the second has happened if and only
//     if From no longer exists and the destination does. If the second has not happened
//     but the reserved name of the displaced tree exists, the first has happened, and
//     Recover renames that tree back.
//   - An exchange: From exists before it and after it. It has happened if and only if
//     the file at the destination has the identity that From had when the record was
//     written. Without identities the Engine never exchanges.
//   - A rebuild is committed before it removes anything, because the staged copy stays
//     complete until the record says Placed. Recover rebuilds again, unless the staged
//     copy no longer exists: then it was renamed to the destination.
//
// From Placing until Done, a staged copy is removed in two cases only: if the
// destination is in place, or if the displaced tree could not be put back, so that the
// destination does not exist. So if the staged copy is missing and the destination
// exists, the staged copy was placed. If the storage fits none of these cases, it was
// changed by someone else, or the disk of the share is not mounted. Then Recover leaves
// the operation alone.
func (e Engine) Recover(ctx context.Context) ([]Recovery, error) { return e.RecoverWith(ctx, nil) }

// RecoverWith is Recover while FS and the Journal are in use. For each operation, it calls claim.
// If that returns a function, no other operation may use the names of the entry until that
// function is called. If claim returns an error, the operation is left, with that error. If
// claim returns neither, the operation is not one of a dead process, and is skipped. claim may be
// nil.
//
// With Names, an operation whose storages are absent or unavailable, or have other identities, is
// left, and the others are recovered.
func (e Engine) RecoverWith(ctx context.Context, claim func(ctx context.Context, e Entry) (release func(), err error)) ([]Recovery, error) {
	if e.Journal == nil {
		return nil, nil
	}
	records, err := e.Journal.LoadRecords(ctx)
	if err != nil {
		return nil, fmt.Errorf("the journal can't be read: %w", err)
	}
	e.Workers = e.Workers.ready()
	ctx, release := storage.Pin(e.own(ctx), e.FS)
	defer release()
	var recovered []Recovery
	for _, text := range records {
		one, err := e.recoverOne(ctx, text, claim)
		if err != nil {
			return recovered, err
		}
		if one != nil {
			recovered = append(recovered, *one)
		}
	}
	return recovered, nil
}

// recoverOne recovers the operation of the record text. It returns nil if there is none any more.
func (e Engine) recoverOne(ctx context.Context, text []byte, claim func(ctx context.Context, e Entry) (release func(), err error)) (*Recovery, error) {
	entry, err := decode(ctx, text, e.Names)
	if err != nil {
		if errors.Is(err, ErrAbsent) {
			return &Recovery{Entry: entry, Result: Left, Err: ErrAbsent}, nil
		}
		return nil, err
	}
	ctx = entry.context(ctx)
	if claim != nil {
		release, err := claim(ctx, entry)
		if release == nil {
			if err == nil {
				return nil, nil
			}
			return &Recovery{Entry: entry, Result: Left, Err: err}, nil
		}
		defer release()
		if has, err := e.has(ctx, text); !has || err != nil {
			return nil, err
		}
	}
	r := &recovery{&operation{placement{record: record{Engine: &e, entry: entry, written: true, saved: true, recovering: true}}}}
	result, err := r.recover(ctx)
	if result == nothing {
		return nil, nil
	}
	if result == "" {
		if e.Names == nil || !errors.Is(err, storage.ErrUnavailable) {
			return nil, fmt.Errorf("%s was interrupted by a crash and can't be finished or undone now; its record is kept: %w", entry, err)
		}
		result = Left
	}
	return &Recovery{Entry: entry, Result: result, Err: err}, nil
}

// has reports whether the Journal still has the record text.
func (e Engine) has(ctx context.Context, text []byte) (bool, error) {
	records, err := e.Journal.LoadRecords(ctx)
	if err != nil {
		return false, fmt.Errorf("the journal can't be read: %w", err)
	}
	return slices.ContainsFunc(records, func(record []byte) bool { return bytes.Equal(record, text) }), nil
}

// ErrOtherShare says, in a [Recovery], that nothing was tried.
var ErrOtherShare = errors.New("the share is a different directory than before: if its disk is not mounted, mount it and start again")

// errOther says that the names no longer refer to the files that the record describes.
var errOther = errors.New("is not as the crash left it")

// recover finishes or undoes the operation. The Result is "" if the error says that it must
// be tried again later.
func (r *recovery) recover(ctx context.Context) (Result, error) {
	if same, err := r.same(ctx); !same {
		return Left, err
	} else if err != nil {
		return "", err
	}
	switch r.entry.State {
	case Staging:
		return r.unstage(ctx)
	case Placing, Rebuilding, Placed:
		return r.settle(ctx)
	case Removing:
		info, err := r.look(ctx, r.entry.Source)
		if err == nil {
			err = r.follow(ctx, info == nil)
		}
		if err != nil {
			return "", err
		}
		return r.ended(ctx, Finished)
	case Done:
		return r.sweep(ctx, Finished)
	}
	return Left, fmt.Errorf("its state %q is unknown: a newer davd wrote the record", r.entry.State)
}

// same reports whether the storages are those of the record. If they are not, the error says so.
func (r *recovery) same(ctx context.Context) (bool, error) {
	if r.Names == nil {
		root, err := r.FS.Stat(ctx, "/")
		if is := mark(root); err == nil && is != "" && r.entry.Root != "" && is != r.entry.Root {
			return false, ErrOtherShare
		}
		return true, err
	}
	for _, side := range []struct{ name, identity string }{
		{r.entry.Source, r.entry.SourceStorage}, {r.entry.Destination, r.entry.DestinationStorage},
	} {
		if side.name == "" {
			continue
		}
		_, identity, err := r.Names.Storage(ctx, side.name)
		if err != nil {
			return true, err
		}
		if identity != side.identity {
			return false, ErrOtherShare
		}
	}
	return true, nil
}

// nothing is the result of a record that needed nothing. It can't tell whether the
// operation had begun.
const nothing Result = "nothing"

// unstage removes the staged tree. If it is missing, one rename may have completed the operation,
// without another record: see put.
func (r *recovery) unstage(ctx context.Context) (Result, error) {
	staged, err := r.look(ctx, r.entry.Stage)
	if err != nil {
		return "", err
	}
	placed, err := r.look(ctx, r.entry.Destination)
	if err != nil {
		return "", err
	}
	if staged == nil && placed != nil {
		return r.sweep(ctx, nothing)
	}
	return r.sweep(ctx, Undone)
}

// sweep removes the trees under reserved names and ends the operation with result.
func (r *recovery) sweep(ctx context.Context, result Result) (Result, error) {
	for _, name := range []string{r.entry.Stage, r.entry.Displaced} {
		if name == "" {
			continue
		}
		if err := r.Engine.discard(ctx, name, nil, nil); err != nil {
			if ctx.Err() != nil {
				return "", err
			}
			return Left, fmt.Errorf("%s can't be removed: %w", name, err)
		}
	}
	return r.ended(ctx, result)
}

// ended removes the record of an operation with that result.
func (r *recovery) ended(ctx context.Context, result Result) (Result, error) {
	if err := r.end(ctx); err != nil {
		return "", err
	}
	return result, nil
}

// settle finishes the operation if it was committed, and undoes it otherwise.
func (r *recovery) settle(ctx context.Context) (Result, error) {
	placed, err := r.placed(ctx)
	switch {
	case errors.Is(err, errOther):
		return Left, err
	case err != nil:
		return "", err
	case !placed:
		return r.undo(ctx)
	}
	var kept error
	if r.entry.copied() {
		kept = r.removeSource(ctx, r.unchanged)
	}
	if err := r.follow(ctx, kept == nil); err != nil {
		return "", err
	}
	if err := r.advance(ctx, Done); err != nil {
		return "", err
	}
	result, err := r.sweep(ctx, Finished)
	if err == nil {
		err = kept
	}
	return result, err
}

// undo puts the displaced tree back and removes the staged copy.
func (r *recovery) undo(ctx context.Context) (Result, error) {
	displaced, err := r.look(ctx, r.entry.Displaced)
	if err != nil {
		return "", err
	}
	if displaced != nil {
		if err := r.FS.Rename(ctx, r.entry.Displaced, r.entry.Destination); err != nil {
			return "", err
		}
	}
	if err := r.advance(ctx, Done); err != nil {
		return "", err
	}
	return r.sweep(ctx, Undone)
}

// unchanged reports whether is, which describes the source now, is the source that was
// copied.
func (r *recovery) unchanged(is fs.FileInfo) bool {
	return r.entry.Origin == "" || r.entry.Origin == mark(is)
}
