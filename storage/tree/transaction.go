package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/davd/davd/storage"
)

// transaction is one COPY, MOVE or DELETE of an Engine.
type transaction struct {
	Engine
	entry   Entry
	mon     *Monitor
	count   *count
	follows bool         // the Follower will have something to do
	written bool         // a record may exist
	saved   bool         // a record exists
	held    storage.Held // the parent collection of the destination; nil before it is needed
}

// advance records that the transaction has reached state.
func (t *transaction) advance(ctx context.Context, state State) error {
	before := t.entry.State
	t.entry.State = state
	if t.Journal == nil {
		return nil
	}
	err := t.markRoot(ctx)
	var record []byte
	if err == nil {
		record, err = t.entry.encode()
	}
	if err == nil {
		t.written = true
		err = t.save(ctx, record)
	}
	if err != nil {
		t.entry.State = before
		return fmt.Errorf("the journal can't be written: %w", err)
	}
	t.saved = true
	return nil
}

// markRoot notes in the entry which share it belongs to. A DELETE of which nothing
// follows writes no record, and does not need it.
func (t *transaction) markRoot(ctx context.Context) error {
	if t.entry.Root != "" {
		return nil
	}
	root, err := t.FS.Stat(ctx, "/")
	if err == nil {
		t.entry.Root = mark(root)
	}
	return err
}

func (t *transaction) save(ctx context.Context, record []byte) error {
	if j, ok := t.Journal.(UrgentJournal); ok && t.entry.State.urgent() {
		return j.SaveUrgent(ctx, t.entry.ID, record)
	}
	return t.Journal.SaveRecord(ctx, t.entry.ID, record)
}

// insist calls do, which must be done after the commit point, until it succeeds or
// Persist gives up.
func (t *transaction) insist(do func() error) error {
	for attempt := 0; ; attempt++ {
		err := do()
		if err == nil || t.Journal == nil || t.Persist == nil || !t.Persist(attempt, err) {
			return err
		}
	}
}

// stage returns a reserved name for a tree that will be put at dst. The Journal has
// recorded the name when stage returns.
func (t *transaction) stage(ctx context.Context, dst string) (string, error) {
	t.entry.Stage, t.entry.Displaced = storage.Beside(dst), storage.Beside(dst)
	t.hold(ctx)
	if err := t.advance(ctx, Staging); err != nil {
		return "", errors.Join(err, t.end(ctx))
	}
	return t.entry.Stage, nil
}

// abandon ends a transaction that failed with err before its staged copy was complete.
// If some of that copy could not be removed, the record stays for the next start.
func (t *transaction) abandon(ctx context.Context, err error) error {
	ctx = context.WithoutCancel(ctx)
	if !t.written {
		return err
	}
	if _, statErr := storage.Lstat(ctx, t.FS, t.entry.Stage); !errors.Is(statErr, fs.ErrNotExist) {
		return err
	}
	return also(err, t.end(ctx))
}

// rollBack removes the staged copy, if any, after the transaction failed with err. The
// destination is as it was, unless rebuild had begun to remove it.
func (t *transaction) rollBack(ctx context.Context, err error) error {
	ctx = context.WithoutCancel(ctx)
	stranded := (*strandedError)(nil)
	switch {
	case errors.As(err, &stranded) && t.entry.Stage == "":
		return err // The next start puts the displaced tree back.
	case errors.As(err, &stranded):
		return also(err, t.discard(ctx, t.entry.Stage)) // The next start puts the displaced tree back.
	case t.entry.Stage == "" && t.saved:
		// The record must go: otherwise Recover would take a later MOVE of the same
		// names for this one.
		return also(err, t.insist(func() error { return t.end(ctx) }))
	case t.entry.Stage == "":
		return also(err, t.end(ctx))
	}
	if t.entry.State != Staging {
		// Without this record, Recover would conclude from the missing staged copy that
		// it has been placed.
		if doneErr := t.advance(ctx, Done); doneErr != nil {
			return also(err, doneErr)
		}
	}
	if discardErr := t.discard(ctx, t.entry.Stage); discardErr != nil {
		return also(err, discardErr)
	}
	return also(err, t.end(ctx))
}

// follow calls the Follower, if any.
func (t *transaction) follow(ctx context.Context, whole bool) error {
	if t.Follower == nil {
		return nil
	}
	return t.insist(func() error { return t.Follower.Follow(ctx, t.entry, whole) })
}

// drop removes the displaced tree.
func (t *transaction) drop(ctx context.Context, displaced string) error {
	var err error
	if t.entry.State == Placed {
		err = t.Engine.discard(ctx, displaced) // This is the staged copy, which was already counted.
	} else {
		err = t.discardDisplaced(ctx, displaced)
	}
	if err == nil {
		err = t.removeHeld(ctx, displaced)
	}
	if err != nil {
		return &LeftoverError{Name: displaced, Err: err}
	}
	return nil
}

// finish ends a transaction that is done except for what err says. If a tree under a
// reserved name could not be removed, the next start removes it. It must not call the
// Follower again, because other requests may have changed properties and locks since:
// so the record now says Done. If the Follower has failed, the record stays as it is,
// and the next start calls the Follower again.
func (t *transaction) finish(ctx context.Context, err, followed error) error {
	ctx = context.WithoutCancel(ctx)
	if followed != nil {
		return join(err, followed)
	}
	if done(err) {
		return also(err, t.insist(func() error { return t.advance(ctx, Done) }))
	}
	ended := t.insist(func() error { return t.end(ctx) })
	if err == nil && ended != nil {
		return &LeftoverError{Err: ended}
	}
	return also(err, ended)
}

// end removes the record.
func (t *transaction) end(ctx context.Context) error {
	if !t.written {
		return nil
	}
	if err := t.Journal.DeleteRecord(context.WithoutCancel(ctx), t.entry.ID); err != nil {
		return fmt.Errorf("the journal can't be written: %w", err)
	}
	return nil
}

// also is like errors.Join, but returns err itself if more is nil.
func also(err, more error) error {
	if more == nil {
		return err
	}
	return errors.Join(err, more)
}
