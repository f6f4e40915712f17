package tree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/journal"
)

// Names translates names for the [Journal].
type Names = journal.Names

// ErrAbsent says, in a [Recovery], that nothing was tried because a storage is absent.
var ErrAbsent = errors.New("a share of the operation is absent: the operation will be recovered when the share returns")

// encode returns the record of e. Names are escaped, because they may hold any bytes
// and JSON can't.
func (e Entry) encode(ctx context.Context, names Names) ([]byte, error) {
	if e.Tenant != nil {
		e.Tenant = new(*e.Tenant)
	}
	e.Aside = slices.Clone(e.Aside)
	if names != nil {
		e.ByStorage, e.SourceShown, e.DestinationShown = true, e.Source, e.Destination
		for _, name := range e.placed() {
			if inState, ok := names.In(ctx, *name); ok && *name != "" {
				*name = inState
			}
		}
	}
	return e.marshal()
}

// decode returns the entry of record. If names can't translate it, the entry has the names that
// it was begun with, which may mean other files now, and the error is ErrAbsent.
func decode(ctx context.Context, record []byte, names Names) (Entry, error) {
	e, err := unmarshal(record)
	if err != nil || !e.ByStorage && names == nil {
		return e, err
	}
	shown := e
	shown.Source, shown.Destination = e.SourceShown, e.DestinationShown
	if !e.ByStorage || names == nil {
		// The journal is from a time when it had one storage, or several.
		if !e.ByStorage {
			shown = e
		}
		return shown, ErrAbsent
	}
	for _, name := range e.placed() {
		if *name == "" || !storage.Reserved(*name) {
			continue // No storage contains it.
		}
		out, ok := names.Out(ctx, *name)
		if !ok {
			return shown, ErrAbsent
		}
		*name = out
	}
	return e, nil
}

// placed returns the names in storages.
func (e *Entry) placed() []*string {
	placed := []*string{&e.Source, &e.Destination, &e.Stage, &e.Displaced, &e.Gate}
	for i := range e.Aside {
		placed = append(placed, &e.Aside[i])
	}
	return placed
}

// escaped returns everything that must be escaped.
func (e *Entry) escaped() []*string {
	all := append(e.placed(), &e.SourceShown, &e.DestinationShown)
	if e.Tenant != nil {
		all = append(all, e.Tenant)
	}
	return all
}

func (e Entry) marshal() ([]byte, error) {
	for _, text := range e.escaped() {
		*text = url.PathEscape(*text)
	}
	return json.Marshal(e)
}

func unmarshal(record []byte) (e Entry, err error) {
	if err := json.Unmarshal(record, &e); err != nil {
		return e, fmt.Errorf("a record of the journal is damaged: %w", err)
	}
	for _, text := range e.escaped() {
		if *text, err = url.PathUnescape(*text); err != nil {
			return e, fmt.Errorf("a record of the journal is damaged: %w", err)
		}
	}
	return e, nil
}

// Hides reports whether the operation of a record of a [Fence] may leave its source or its
// destination without a name for a moment. That is so for a MOVE, and for a COPY onto something
// if the storage can't exchange names.
func Hides(text []byte) bool {
	e, err := unmarshal(text)
	if err != nil || e.State != Placing {
		return false
	}
	// If the stage of a COPY has no name in the record, another process has taken over.
	return e.Method == moveMethod || e.Method == copyMethod && (e.Gate != "" || e.Stage == "")
}
