// Package quota limits how many bytes an FS may hold.
//
// An [FS] is a decorator of a whole backend, usually of one share. It counts the logical
// sizes of all regular files in the tree, and refuses with syscall.EDQUOT what would exceed
// the limit:
//
//   - The size of a sparse file includes its holes. A file with several names (hard links)
//     counts once for each name. Collections, symbolic links and properties are free.
//   - Content that isn't in place yet counts too: what a replacement or a copy has written
//     or reserved so far. So a file and its replacement count together until the commit, as
//     on a disk, and the tree never exceeds the limit, not even for a moment.
//   - If the length of the content is known, it is reserved before anything is created.
//
// The usage isn't stored. The first call that changes something waits until a walk has
// counted the tree. So the usage is right whenever and however the previous process ended.
// Changes by other processes are included after [FS.Recount], which does the same walk while
// the FS is in use, and is exact although the FS goes on changing the tree.
//
// A tree is copied and removed member by member, because each of them has to be counted: FS is
// neither a storage.TreeCopier nor a storage.TreeRemover. Nor is it a storage.Transactor, because it
// can't undo what it has counted.
//
// The caller must use the names that [storage.Canonical] returns, or not change one file
// under two names at the same time. The handler of davd does both.
package quota

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
)

var _ interface {
	storage.Canonicaler
	storage.Copier
	storage.CopyReceiver
	storage.DeadPropsReader
	storage.FileReplacer
	storage.Holder
	storage.Lister
	storage.Lstater
	storage.Pinner
	storage.Rationer
	storage.ReadOpener
	storage.RemovalChecker
	storage.RenameReceiver
	storage.Remover
	storage.Renamer
	storage.ShownLister
	storage.Spacer
	storage.TimeSetter
} = (*FS)(nil)

// FS is an FS with a limited number of bytes.
type FS struct {
	intercept.Through
	account account
	entries entries
	first   firstCount
	options Options

	// gate is held shared by each call that creates, removes or renames a file, and
	// exclusively while the walk looks at a collection or a collection is renamed.
	gate sync.RWMutex
	// recounting allows only one walk at a time.
	recounting sync.Mutex
}

// Options says how an FS counts. The zero value has no limit.
type Options struct {
	// Limit is the greatest number of bytes, or 0 for no limit.
	Limit int64
	// Counted, if not nil, is called after each walk.
	Counted func(Count)
}

// New returns fsys with a quota. All changes of the tree must go through the FS that New
// returns; see [FS.Recount] for others.
func New(fsys storage.FS, options Options) *FS {
	q := &FS{Through: intercept.Through{FS: fsys}, options: options, entries: entries{seed: maphash.MakeSeed()}}
	q.account.limit = options.Limit
	return q
}

// Usage is how much of a quota is used, in bytes.
type Usage struct {
	// Used are the sizes of the files in the tree.
	Used int64 `json:"used"`
	// Pending is the content that is being written and isn't in the tree yet.
	Pending int64 `json:"pending"`
	// Limit is the greatest number of bytes, or 0 for no limit.
	Limit int64 `json:"limit"`
}

// Available returns how many bytes the limit leaves, or -1 without a limit.
func (u Usage) Available() int64 {
	if u.Limit <= 0 {
		return -1
	}
	return max(u.Limit-u.Used-u.Pending, 0)
}

// Usage returns the present usage. If the tree hasn't been counted, Usage waits for that.
func (q *FS) Usage(ctx context.Context) (Usage, error) {
	if err := q.ready(ctx); err != nil {
		return Usage{}, err
	}
	return q.account.usage(), nil
}

// SetLimit changes the limit; 0 removes it. Stored files and reserved bytes stay, even if they
// exceed the new limit.
func (q *FS) SetLimit(limit int64) { q.account.setLimit(limit) }

// Rationed reports whether there is a limit.
func (q *FS) Rationed(context.Context, string) bool { return q.account.usage().Limit > 0 }

// Space returns the usage, and how many more bytes the limit and the backend allow. Without
// a limit, it returns what the backend says.
func (q *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	usage, err := q.Usage(ctx)
	if err == nil {
		_, err = q.Stat(ctx, name)
	}
	if err != nil {
		return 0, 0, err
	}
	_, room, err := storage.Space(ctx, q.FS, name)
	switch {
	case usage.Limit <= 0:
		return storage.Space(ctx, q.FS, name)
	case unsupported(err):
		room = usage.Limit
	case err != nil:
		return 0, 0, err
	}
	return usage.Used + usage.Pending, min(room, usage.Available()), nil
}
