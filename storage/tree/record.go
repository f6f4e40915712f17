package tree

import (
	"context"
	"fmt"

	"github.com/davd/davd/storage/journal"
)

// record is the record of one operation in the Journal. Without a Journal, nothing is
// recorded.
type record struct {
	*Engine
	entry   Entry
	follows bool // the Follower will have something to do
	written bool // a record may exist
	saved   bool // a record exists
	// recovering says that a dead process has begun the operation.
	recovering bool
}

// advance records that the operation has reached state.
func (r *record) advance(ctx context.Context, state State) error {
	before := r.entry.State
	r.entry.State = state
	if r.Journal == nil {
		return nil
	}
	err := r.markRoot(ctx)
	var text []byte
	if err == nil {
		text, err = r.entry.encode(ctx, r.Names)
	}
	if err == nil {
		r.written = true
		err = r.save(ctx, text)
	}
	if err != nil {
		r.entry.State = before
		return fmt.Errorf("the journal can't be written: %w", err)
	}
	r.saved = true
	return nil
}

// markRoot notes in the entry which storages it belongs to. A DELETE without
// properties and locks to remove writes no record, and does not need it.
func (r *record) markRoot(ctx context.Context) error {
	if r.Names != nil {
		return r.markStorages(ctx)
	}
	if r.entry.Root != "" {
		return nil
	}
	root, err := r.FS.Stat(r.own(ctx), "/")
	if err == nil {
		r.entry.Root = mark(root)
	}
	return err
}

func (r *record) markStorages(ctx context.Context) error {
	if r.saved {
		return nil
	}
	var err error
	if r.entry.Source != "" {
		_, r.entry.SourceStorage, err = r.Names.Storage(ctx, r.entry.Source)
	}
	if err != nil || r.entry.Destination == "" {
		return err
	}
	_, r.entry.DestinationStorage, err = r.Names.Storage(ctx, r.entry.Destination)
	return err
}

func (r *record) save(ctx context.Context, text []byte) error {
	if j, ok := r.Journal.(journal.UrgentStore); ok && r.entry.State.urgent() {
		return j.SaveUrgent(ctx, r.entry.ID, text)
	}
	return r.Journal.SaveRecord(ctx, r.entry.ID, text)
}

// insist calls do, which must be done after the commit point, until it succeeds or
// Persist gives up.
func (r *record) insist(do func() error) error {
	for attempt := 0; ; attempt++ {
		err := do()
		if err == nil || r.Journal == nil || r.Persist == nil || !r.Persist(attempt, err) {
			return err
		}
	}
}

// end removes the record. With a Fence, it ends with the claim.
func (r *record) end(ctx context.Context) error {
	if !r.written || r.Fence != nil {
		return nil
	}
	if err := r.Journal.DeleteRecord(context.WithoutCancel(ctx), r.entry.ID); err != nil {
		return fmt.Errorf("the journal can't be written: %w", err)
	}
	return nil
}
