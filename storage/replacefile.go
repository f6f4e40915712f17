package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
	"time"
)

// FileReplacer is an [FS] that can put a complete file in place in one step.
type FileReplacer interface {
	FS

	// ReplaceFile starts a new version of the file name. It doesn't change name yet.
	ReplaceFile(ctx context.Context, name string, r Replacing) (Replacement, error)
}

// Replacing says how a replacement starts.
type Replacing struct {
	// Perm are the permission bits of a new file.
	Perm fs.FileMode
	// Size is the least length of the content, in bytes, or 0 if it is unknown. A
	// storage that can reserves room for it.
	Size int64
	// Check, if not nil, is called before anything is created, with the description
	// of the existing file, or nil if none exists. ReplaceFile returns its errors
	// unchanged.
	Check func(old fs.FileInfo) error
	// Patch, if not nil, makes the replacement start with the content of the present
	// file. Patch returns the offset at which writing starts, in bytes, which must not
	// be beyond the end of the file. If no file exists, old is nil, and Patch returns 0
	// to start empty. It is called after Check, and ReplaceFile returns its errors
	// unchanged too.
	Patch func(old fs.FileInfo) (offset int64, err error)
	// Modified, if not zero, is the modification time that Commit will get. A storage that stores
	// content and names apart can note it with the content.
	Modified time.Time
	// Canonical says that name is the Name of a [Canon]. If a symbolic link has since
	// appeared on the way or at the end, ReplaceFile and Commit fail with
	// [ErrRedirected] and write nothing to its target. The fallback, for a backend
	// without a [FileReplacer], ignores Canonical.
	Canonical bool
	// Kept, if not "", is the reserved name of the content, the last segment of a name beside
	// the file. The content then has this name from the start, and a [Keeper] can leave it there.
	// The content goes on at the offset From, in bytes. If From is 0, it starts empty. The
	// storage cuts off what it has of the content after From. It fails with [ErrStageLost] if it
	// has less. An error of ReplaceFile leaves kept content as it was. Kept excludes Patch.
	Kept string
	From int64
	// Brief says that Commit follows immediately. The backend then doesn't check again what it
	// found at the start.
	Brief bool
}

// ErrRedirected says that a symbolic link has appeared on the way to a name since the
// name was resolved, so it now leads somewhere else.
var ErrRedirected = errors.New("a symbolic link has appeared in the path since the name was resolved")

// Replacement is the content of a future file, which is invisible before Commit. Only
// one goroutine may use it, and it must call Commit or Discard in the end. A Replacement
// may also be an io.ReaderFrom, so that the kernel can copy the data.
type Replacement interface {
	io.Writer

	// Commit turns the content into the file name, in one step, and returns what Stat
	// would. After an error, or if ctx has ended before, the name is unchanged and
	// the content is deleted.
	Commit(ctx context.Context, p Placing) (fs.FileInfo, error)

	// Discard deletes the content. After Commit or another Discard it does nothing.
	Discard() error
}

// Stager is a [Replacement] whose content has a name in the tree before the commit.
type Stager interface {
	Replacement

	// StageName returns that reserved name, or "" if the content has none.
	StageName() string
}

// StageName returns the reserved name that the content has before the commit, or "" if it has none
// or r is not a [Stager].
func StageName(r Replacement) string {
	if s, ok := r.(Stager); ok {
		return s.StageName()
	}
	return ""
}

// Placing says how Commit puts a replacement in place.
type Placing struct {
	// Modified is the modification time. If it is zero, the function [Modified]
	// chooses one.
	Modified time.Time
	// Create makes Commit fail with fs.ErrExist if the name exists, even as a
	// symbolic link.
	Create bool
	// Sync says what must survive a crash of the machine once Commit has returned.
	Sync Sync
	// Check, if not nil, is called with the description of the file about to be
	// replaced, or nil if none exists. Commit returns its errors unchanged.
	Check func(old fs.FileInfo) error
}

// Sync says what a commit flushes to the disk, if the backend has one. The zero value
// means SyncNever. Whatever the value, nothing is lost if only the process dies.
type Sync string

// These are the values of [Sync].
const (
	// SyncNever flushes nothing; the system does so within about half a minute.
	SyncNever Sync = "never"
	// SyncClose flushes the content before it gets its name. After a crash the name
	// has the old file or the new one, complete.
	SyncClose Sync = "close"
	// SyncAlways also flushes the name. After a crash the name has the new file. If only
	// this last step fails, Commit returns an error although the new file is in place.
	SyncAlways Sync = "always"
)

// Content reports whether s flushes the content.
func (s Sync) Content() bool { return s == SyncClose || s == SyncAlways }

// ReplaceFile starts a new version of the file name, which will appear complete or not at
// all. It keeps the permission bits of the file that exists at the time of the commit. A
// new file gets r.Perm, less what the backend masks, and the modification time of its
// collection becomes the current time, if the backend can set times. ReplaceFile returns
// those errors of Commit that are already known:
//
//   - fs.ErrNotExist: the parent is missing or is a file.
//   - syscall.EISDIR: name is a collection.
//   - fs.ErrPermission: the existing file can't be written.
//
// If r.Patch has kept content, Commit fails with [ErrChanged] if the existing file is no
// longer in the state that the content was taken from. Commit checks this just before the
// replacement, not in the same step, so a caller that lets several clients patch a file at
// the same time must serialise their commits.
//
// Without a [FileReplacer], it is [StageFile].
func ReplaceFile(ctx context.Context, fsys FS, name string, r Replacing) (Replacement, error) {
	if replacer, ok := fsys.(FileReplacer); ok {
		return replacer.ReplaceFile(ctx, name, r)
	}
	return StageFile(ctx, fsys, name, r)
}

// StageFile is ReplaceFile with other calls of fsys. The content goes to a reserved name
// beside name. Commit gives it the modification time (if the backend is a [TimeSetter]),
// the dead properties of the present file and its POSIX ACL (on Linux, if both are
// *os.File), and renames it to name. This has limits:
//
//   - It replaces a symbolic link instead of following it.
//   - With Create, it also replaces what another process creates at the last moment.
//   - kill -9 leaves the reserved name behind.
//   - Size and Sync have no effect, except that Keep flushes an *os.File.
//   - If Rename fails with errors.ErrUnsupported or syscall.EXDEV, it copies the content
//     to name. That takes more than one step, and if it fails, the existing file is lost.
func StageFile(ctx context.Context, fsys FS, name string, r Replacing) (Replacement, error) {
	s, err := newStaged(ctx, fsys, Clean(name), r)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// timeStep is the precision of NTFS times, in nanoseconds.
const timeStep = 100

// lastModified is the latest time that Modified has chosen, in nanoseconds since 1970.
var lastModified atomic.Int64

// Modified returns the modification time for a replacement. That is modified, or, if it
// is zero, the current time. It never returns the current time twice, however coarse the
// clock is, so that two replacements never have the same entity tag.
func Modified(modified time.Time) time.Time {
	if !modified.IsZero() {
		return modified
	}
	for {
		last := lastModified.Load()
		now := time.Now().UnixNano()
		// If the clock was set back by more than a second, follow it.
		if now <= last && last-now < int64(time.Second) {
			now = last + timeStep
		}
		if lastModified.CompareAndSwap(last, now) {
			return time.Unix(0, now)
		}
	}
}
