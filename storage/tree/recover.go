package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Result is what came of an operation that a dead process has left.
type Result string

const (
	// Finished says that it was past its commit point, and is complete now.
	Finished Result = "finished"
	// Undone says that it was not, and nothing of it is left.
	Undone Result = "undone"
	// Left says that something of it stays, and its record in the Journal too.
	Left Result = "left"
)

// Recovery says what became of one operation.
type Recovery struct {
	Entry  Entry
	Result Result
	// Err says why something was left, or which members of the source of a MOVE
	// could not be removed.
	Err error
}

// Recover finishes or undoes what a process that died has left, as the Journal
// says, in the order in which it was begun. Nothing else may use FS or the
// Journal before it returns. It may be called again after any error, or a kill.
//
// The error says that storage, Journal or Follower can't be reached: what has
// not been recovered is in the Journal still.
//
// What belongs to a tenant is recovered with that tenant in the context.
//
// # Whether it was committed
//
// The names tell, and where they can't, the identity of a file, which two files
// that are there at one time on one filesystem can't share. From is what is to be
// placed: the stage, or the source itself where that is renamed.
//
//   - Nothing at the destination, or a file onto a file: one rename. From is
//     gone if and only if it has happened.
//   - Two renames, where there is no exchange: From is gone if and only if the
//     second has happened. If it is not, and something has the name of what is
//     displaced, the first has; it is renamed back.
//   - An exchange: From is there before and after. It has happened if and only
//     if what is at the destination is what From was when the record was
//     written. Without identities, storage is not asked to exchange.
//   - A rebuild has its commit point before it removes anything: the stage is
//     whole until the record says Placed. It is rebuilt again, unless the stage
//     is gone, which is its rename.
//
// A stage is removed after the record says Done or the destination is in place,
// never before: a stage that is gone means one thing. What fits nothing of this
// was changed by somebody else, or the share's disk is not there: it is left.
func (e Engine) Recover(ctx context.Context) ([]Recovery, error) {
	if e.Journal == nil {
		return nil, nil
	}
	records, err := e.Journal.LoadRecords(ctx)
	if err != nil {
		return nil, fmt.Errorf("the journal can't be read: %w", err)
	}
	var recovered []Recovery
	for _, record := range records {
		entry, err := decode(record)
		if err != nil {
			return recovered, err
		}
		t := &transaction{Engine: e, entry: entry, written: true}
		result, err := t.recover(entry.context(ctx))
		if unfinished := (*unfinishedError)(nil); errors.As(err, &unfinished) {
			return recovered, fmt.Errorf("%s, which a kill has ended, can't be finished or undone now; nothing of it was dropped: %w", entry, unfinished.err)
		}
		recovered = append(recovered, Recovery{Entry: entry, Result: result, Err: err})
	}
	return recovered, nil
}

// unfinishedError says that recovery is to be tried again later.
type unfinishedError struct{ err error }

func (e *unfinishedError) Error() string { return e.err.Error() }

func (e *unfinishedError) Unwrap() error { return e.err }

// unfinished marks err; nil stays nil.
func unfinished(err error) error {
	if err == nil {
		return nil
	}
	return &unfinishedError{err: err}
}

// ErrOtherShare says of a [Recovery] that nothing was even tried.
var ErrOtherShare = errors.New("the share is another directory than it was: if its disk is not mounted, mount it and start again")

// errOther says that it is not known what the names mean now.
var errOther = errors.New("is not as it was left")

func (t *transaction) recover(ctx context.Context) (Result, error) {
	root, err := t.FS.Stat(ctx, "/")
	if err != nil {
		return "", unfinished(err)
	}
	if is := mark(root); is != "" && t.entry.Root != "" && is != t.entry.Root {
		return Left, ErrOtherShare
	}
	switch t.entry.State {
	case Staging:
		return t.sweep(ctx, Undone)
	case Placing, Rebuilding, Placed:
		return t.settle(ctx)
	case Removing:
		info, err := t.look(ctx, t.entry.Source)
		if err == nil {
			err = unfinished(t.follow(ctx, info == nil))
		}
		if err != nil {
			return "", err
		}
		return Finished, unfinished(t.end(ctx))
	case Done:
		return t.sweep(ctx, Finished)
	}
	return Left, fmt.Errorf("its state %q is unknown: it is of a newer davd", t.entry.State)
}

// look describes name; nil: nothing is there.
func (t *transaction) look(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := storage.Lstat(ctx, t.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, unfinished(err)
}

// sweep removes what has a reserved name and is not needed, and ends the
// transaction with result.
func (t *transaction) sweep(ctx context.Context, result Result) (Result, error) {
	for _, name := range []string{t.entry.Stage, t.entry.Displaced} {
		if name == "" {
			continue
		}
		if err := discard(ctx, t.FS, name); err != nil {
			if ctx.Err() != nil {
				return "", unfinished(err)
			}
			return Left, fmt.Errorf("%s can't be removed: %w", name, err)
		}
	}
	return result, unfinished(t.end(ctx))
}

// settle finishes or undoes what may have been placed.
func (t *transaction) settle(ctx context.Context) (Result, error) {
	placed, err := t.placed(ctx)
	switch {
	case errors.Is(err, errOther):
		return Left, err
	case err != nil:
		return "", err
	case !placed:
		return t.undo(ctx)
	}
	var kept error
	if t.entry.copied() {
		kept = t.removeSource(ctx, t.unchanged)
	}
	if err := t.follow(ctx, kept == nil); err != nil {
		return "", unfinished(err)
	}
	if err := t.advance(ctx, Done); err != nil {
		return "", unfinished(err)
	}
	result, err := t.sweep(ctx, Finished)
	if err == nil {
		err = kept
	}
	return result, err
}

// undo puts back what was displaced and removes the stage.
func (t *transaction) undo(ctx context.Context) (Result, error) {
	displaced, err := t.look(ctx, t.entry.Displaced)
	if err != nil {
		return "", err
	}
	if displaced != nil {
		if err := t.FS.Rename(ctx, t.entry.Displaced, t.entry.Destination); err != nil {
			return "", unfinished(err)
		}
	}
	if err := t.advance(ctx, Done); err != nil {
		return "", unfinished(err)
	}
	return t.sweep(ctx, Undone)
}

// unchanged reports whether is, of the source, is what was copied.
func (t *transaction) unchanged(is fs.FileInfo) bool {
	return t.entry.Origin == "" || t.entry.Origin == mark(is)
}
