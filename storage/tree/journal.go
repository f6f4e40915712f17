package tree

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/davd/davd/storage"
)

// Journal keeps the records of what is under way, for [Engine.Recover] after the
// process has died. What a method has done is durable when it returns. All
// methods are safe for concurrent use.
type Journal interface {
	// SaveRecord adds the record id, or replaces the one that has that id.
	SaveRecord(ctx context.Context, id string, record []byte) error
	// DeleteRecord removes the record id. One that is not there is no error.
	DeleteRecord(ctx context.Context, id string) error
	// LoadRecords returns all records, in the order in which they were added.
	LoadRecords(ctx context.Context) ([][]byte, error)
}

// UrgentJournal is a [Journal] that holds room in reserve, for when its disk is
// full.
type UrgentJournal interface {
	Journal
	// SaveUrgent is SaveRecord with the right to use that room: for a DELETE, which
	// gives room back, and for what must be written after a commit point.
	SaveUrgent(ctx context.Context, id string, record []byte) error
}

// State is how far an operation was when its record was written. What a state
// allows is done only after that.
type State string

const (
	// Staging says that the stage may be there, and is not whole. Nothing else has
	// changed.
	Staging State = "staging"
	// Placing says that the stage is whole, or there is none because the source itself is
	// renamed. It may have taken the place of the destination: the names tell.
	Placing State = "placing"
	// Rebuilding says that the destination is removed, because the stage can't be renamed
	// to it while it is there. The stage is whole, or has been renamed.
	Rebuilding State = "rebuilding"
	// Placed says that the destination is in place.
	Placed State = "placed"
	// Removing says that the members of the source of a DELETE are removed.
	Removing State = "removing"
	// Done says that nothing is left to do but to remove what has a reserved name.
	Done State = "done"
)

// urgent reports whether a record of s may use the room that the Journal holds in
// reserve.
func (s State) urgent() bool { return s == Removing || s == Placed || s == Done }

// Entry is what the Journal knows of a COPY, MOVE or DELETE.
type Entry struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	// Tenant is the storage.TenantOf its context; nil if that belongs to none.
	Tenant *string `json:"tenant,omitempty"`
	State  State   `json:"state"`
	// Source and Destination are storage names; a DELETE has no Destination.
	Source      string `json:"source"`
	Destination string `json:"destination,omitempty"`
	// ZeroDepth: of a collection, it alone is copied.
	ZeroDepth bool `json:"zero_depth,omitempty"`
	// Links: symbolic links are copied as links.
	Links bool `json:"links,omitempty"`
	// Stage is the reserved name under which the copy is built; "" while the
	// source itself is to be renamed.
	Stage string `json:"stage,omitempty"`
	// Displaced is the reserved name of what was at Destination, unless it is
	// left under that of the stage.
	Displaced string `json:"displaced,omitempty"`
	// Root, Origin, Fresh and Old identify the root of the share, the source of
	// a MOVE that copies, what is to be placed and what was at Destination; ""
	// where the storage has no identity of files, or nothing is there.
	Root   string `json:"root,omitempty"`
	Origin string `json:"origin,omitempty"`
	Fresh  string `json:"fresh,omitempty"`
	Old    string `json:"old,omitempty"`
	// Properties: the source has dead properties. It is the [Follower]'s.
	Properties bool `json:"properties,omitempty"`
}

// String says which operation it is.
func (e Entry) String() string {
	if e.Destination == "" {
		return e.Method + " " + e.Source
	}
	return e.Method + " " + e.Source + " to " + e.Destination
}

// from is the name of what is to be placed.
func (e Entry) from() string {
	if e.Stage != "" {
		return e.Stage
	}
	return e.Source
}

// copied reports whether it is a MOVE that copies, and removes its source then.
func (e Entry) copied() bool { return e.Method == moveMethod && e.Stage != "" }

func (e *Entry) names() []*string {
	names := []*string{&e.Source, &e.Destination, &e.Stage, &e.Displaced}
	if e.Tenant != nil {
		names = append(names, e.Tenant)
	}
	return names
}

// OfTenant reports whether e is of that tenant, or with ok false of none.
func (e Entry) OfTenant(tenant string, ok bool) bool {
	if e.Tenant == nil || !ok {
		return e.Tenant == nil && !ok
	}
	return *e.Tenant == tenant
}

// context returns ctx with the tenant of e.
func (e Entry) context(ctx context.Context) context.Context {
	if e.Tenant == nil {
		return ctx
	}
	return storage.WithTenant(ctx, *e.Tenant)
}

// encode returns the record of e. Names may be any bytes, which JSON can't hold.
func (e Entry) encode() ([]byte, error) {
	if e.Tenant != nil {
		tenant := *e.Tenant
		e.Tenant = &tenant
	}
	for _, name := range e.names() {
		*name = url.PathEscape(*name)
	}
	return json.Marshal(e)
}

func decode(record []byte) (e Entry, err error) {
	if err := json.Unmarshal(record, &e); err != nil {
		return e, fmt.Errorf("a record of the journal is damaged: %w", err)
	}
	for _, name := range e.names() {
		if *name, err = url.PathUnescape(*name); err != nil {
			return e, fmt.Errorf("a record of the journal is damaged: %w", err)
		}
	}
	return e, nil
}
