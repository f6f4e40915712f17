package tree

import (
	"context"
	"io/fs"
	"strconv"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/journal"
)

// Journal keeps a record of each operation that is running, so that [Engine.Recover]
// can finish or undo it after the process has died.
type Journal = journal.Store

// State is how far an operation has come. A record with a new state is durable before
// the operation does anything that this state allows.
type State string

const (
	// Staging says that the staged copy may exist and may be incomplete. Nothing else
	// has changed.
	Staging State = "staging"
	// Placing says that the staged copy is complete, or that none is needed because the
	// source itself is renamed. It may already be at the destination: the names in the
	// storage tell whether it is.
	Placing State = "placing"
	// Rebuilding says that the staged copy is complete, but can't be renamed to the
	// destination while that exists. So the destination is being removed first. The
	// staged copy may already have been renamed to it.
	Rebuilding State = "rebuilding"
	// Placed says that the destination is in place.
	Placed State = "placed"
	// Removing says that a DELETE is removing the members of its source.
	Removing State = "removing"
	// Done says that only the trees under reserved names remain to be removed.
	Done State = "done"
)

// urgent reports whether a record with the state s may use the space that the Journal
// has reserved.
func (s State) urgent() bool { return s == Removing || s == Placed || s == Done }

// The methods of an [Entry].
const (
	copyMethod   = "COPY"
	moveMethod   = "MOVE"
	deleteMethod = "DELETE"
	mkcolMethod  = "MKCOL"
	lockMethod   = "LOCK"
)

// Entry is what the Journal records about a COPY, MOVE or DELETE. With a [Fence], it may also be
// a PUT or MKCOL, or a LOCK that makes a file, which have no Source.
type Entry struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	// Tenant is the [storage.TenantOf] the operation's context; nil if that has none.
	Tenant *string `json:"tenant,omitempty"`
	State  State   `json:"state"`
	// Source and Destination are storage names; a DELETE has no Destination.
	Source      string `json:"source"`
	Destination string `json:"destination,omitempty"`
	// ZeroDepth reports that only the collection itself is copied, without members.
	ZeroDepth bool `json:"zero_depth,omitempty"`
	// Links reports that symbolic links are copied as links.
	Links bool `json:"links,omitempty"`
	// Stage is the reserved name under which the copy is built; "" while the plan is to
	// rename the source itself.
	Stage string `json:"stage,omitempty"`
	// Displaced is the reserved name for the previous content of Destination, unless
	// that content stays under the name Stage.
	Displaced string `json:"displaced,omitempty"`
	// Gate is a collection with a reserved name, and Aside are further reserved names. They are
	// used with a [Fence].
	Gate  string   `json:"gate,omitempty"`
	Aside []string `json:"aside,omitempty"`
	// Root, Origin, Fresh and Old identify files, as mark does: the root of the share,
	// the source of a MOVE that copies or of a DELETE, the tree that will be placed, and the
	// previous content of Destination. Each is "" if the storage can't identify files or the
	// file does not exist.
	Root   string `json:"root,omitempty"`
	Origin string `json:"origin,omitempty"`
	Fresh  string `json:"fresh,omitempty"`
	Old    string `json:"old,omitempty"`
	// ByStorage reports that the record has the names of Engine.Names. SourceStorage and
	// DestinationStorage are then the identities of the storages, or "", and SourceShown
	// and DestinationShown the names at the time of the operation.
	ByStorage          bool   `json:"by_storage,omitempty"`
	SourceStorage      string `json:"source_storage,omitempty"`
	DestinationStorage string `json:"destination_storage,omitempty"`
	SourceShown        string `json:"source_shown,omitempty"`
	DestinationShown   string `json:"destination_shown,omitempty"`
	// Properties reports that the source has dead properties. It belongs to the
	// [Follower].
	Properties bool `json:"properties,omitempty"`
}

// String returns the method and the names.
func (e Entry) String() string {
	switch "" {
	case e.Destination:
		return e.Method + " " + e.Source
	case e.Source:
		return e.Method + " " + e.Destination
	}
	return e.Method + " " + e.Source + " to " + e.Destination
}

// from returns the name of the tree that will be placed: the staged copy, or the source
// itself if that is renamed.
func (e Entry) from() string {
	if e.Stage != "" {
		return e.Stage
	}
	return e.Source
}

// copied reports whether e is a MOVE that copies its source and then removes it.
func (e Entry) copied() bool { return e.Method == moveMethod && e.Stage != "" }

// OfTenant reports whether e belongs to tenant or, if ok is false, to no tenant.
func (e Entry) OfTenant(tenant string, ok bool) bool {
	if e.Tenant == nil {
		return !ok
	}
	return ok && *e.Tenant == tenant
}

// context returns ctx with the tenant of e.
func (e Entry) context(ctx context.Context) context.Context {
	if e.Tenant == nil {
		return ctx
	}
	return storage.WithTenant(ctx, *e.Tenant)
}

// mark returns a string that identifies the file that info describes. It stays the same
// across renames and restarts, and no two files that exist at the same time on one
// filesystem share it. It is "" if the storage can't identify files.
func mark(info fs.FileInfo) string {
	if info == nil {
		return ""
	}
	inode, ok := storage.LastingInode(info)
	if !ok {
		return ""
	}
	return strconv.FormatUint(inode, 10)
}
