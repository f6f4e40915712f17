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
	tally   *tally
	follows bool         // Follow will have something to do
	written bool         // there may be a record
	saved   bool         // there is a record
	held    storage.Held // the collection that the destination is in; nil without a stage
}

// advance writes that the transaction has come to state.
func (t *transaction) advance(ctx context.Context, state State) error {
	before := t.entry.State
	t.entry.State = state
	if t.Journal == nil {
		return nil
	}
	record, err := t.entry.encode()
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

func (t *transaction) save(ctx context.Context, record []byte) error {
	if j, ok := t.Journal.(UrgentJournal); ok && t.entry.State.urgent() {
		return j.SaveUrgent(ctx, t.entry.ID, record)
	}
	return t.Journal.SaveRecord(ctx, t.entry.ID, record)
}

// insist does what must be done after the commit point, until it succeeds or Persist
// gives up.
func (t *transaction) insist(do func() error) error {
	for attempt := 0; ; attempt++ {
		err := do()
		if err == nil || t.Journal == nil || t.Persist == nil || !t.Persist(attempt, err) {
			return err
		}
	}
}

// stage returns a reserved name for what will be dst. The Journal has it.
func (t *transaction) stage(ctx context.Context, dst string) (string, error) {
	t.entry.Stage, t.entry.Displaced = storage.Beside(dst), storage.Beside(dst)
	t.hold(ctx)
	if err := t.advance(ctx, Staging); err != nil {
		return "", errors.Join(err, t.end(ctx))
	}
	return t.entry.Stage, nil
}

// abandon ends a transaction whose stage has been removed because of err. What
// could not be removed is left to the next start.
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

// rollBack removes the stage, if there is one, because of err. The destination
// is as it was.
func (t *transaction) rollBack(ctx context.Context, err error) error {
	ctx = context.WithoutCancel(ctx)
	stranded := (*strandedError)(nil)
	switch {
	case errors.As(err, &stranded) && t.entry.Stage == "":
		return err // The next start puts back what was displaced.
	case errors.As(err, &stranded):
		return also(err, t.discard(ctx, t.entry.Stage)) // So it does here.
	case t.entry.Stage == "" && t.saved:
		// A later MOVE of the same names must not be taken for this one.
		return also(err, t.insist(func() error { return t.end(ctx) }))
	case t.entry.Stage == "":
		return also(err, t.end(ctx))
	}
	if t.entry.State != Staging {
		// A stage that is gone would say that it has been placed.
		if doneErr := t.advance(ctx, Done); doneErr != nil {
			return also(err, doneErr)
		}
	}
	if discardErr := t.discard(ctx, t.entry.Stage); discardErr != nil {
		return also(err, discardErr)
	}
	return also(err, t.end(ctx))
}

// follow lets what belongs to names follow.
func (t *transaction) follow(ctx context.Context, whole bool) error {
	if t.Follower == nil {
		return nil
	}
	return t.insist(func() error { return t.Follower.Follow(ctx, t.entry, whole) })
}

// drop removes what was displaced.
func (t *transaction) drop(ctx context.Context, displaced string) error {
	var err error
	if t.entry.State == Placed {
		err = discard(ctx, t.FS, displaced) // It is the stage, which has been counted.
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

// finish ends a transaction of which all is done but what err says. What it
// leaves under a reserved name is left to the next start, which must not let
// anything follow again: others may have changed it. If what belongs to the names
// could not follow, the record stays as it is, and the next start lets it follow.
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

// also is errors.Join that leaves err as it is when more is nil.
func also(err, more error) error {
	if more == nil {
		return err
	}
	return errors.Join(err, more)
}
