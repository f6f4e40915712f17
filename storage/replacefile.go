package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
	"time"
)

// FileReplacer is an [FS] that can put a finished file in the place of a name
// in one step.
type FileReplacer interface {
	FS

	// ReplaceFile begins the file that will be name. It changes nothing there.
	ReplaceFile(ctx context.Context, name string, r Replacing) (Replacement, error)
}

// Replacing says how a replacement begins.
type Replacing struct {
	// Perm are the permission bits of a file where none was.
	Perm fs.FileMode
	// Size is how long the content will be at least, in bytes, so that room for
	// it is set aside where the storage can do that; 0: not known.
	Size int64
	// Check, if not nil, is told what is at the name, nil if nothing is, before
	// anything is made. An error that it returns is returned as it is.
	Check func(old fs.FileInfo) error
	// Patch, if not nil, makes it begin with the content of the file that is
	// there, and returns at which of its bytes writing begins: none beyond its
	// end. Told nil, because nothing is there, it returns 0 to begin with
	// nothing. It is called after Check; its errors too are returned as they are.
	Patch func(old fs.FileInfo) (offset int64, err error)
	// Canonical says that name is the Name of a [Canon]: if a symbolic link has come
	// on the way or at the end of it since, ReplaceFile and Commit fail with
	// [ErrRedirected], and write nothing where it leads. A backend without a
	// [FileReplacer] takes no notice.
	Canonical bool
	// Brief says that Commit follows without waiting for anything: a backend
	// need not look again at what was found when it began.
	Brief bool
}

// ErrRedirected says that a name leads elsewhere than when it was resolved: a symbolic
// link has come on the way.
var ErrRedirected = errors.New("a symbolic link has come on the way since the name was resolved")

// Replacement is the content of a file to be. Nobody sees it before Commit. It
// is for one goroutine, which must call Commit or Discard in the end. It may be
// an io.ReaderFrom too, so that the kernel can help.
type Replacement interface {
	io.Writer

	// Commit makes it the file name, in one step, and returns what Stat would.
	// After an error the name is as it was and the content gone; so it is when
	// ctx has ended before.
	Commit(ctx context.Context, p Placing) (fs.FileInfo, error)

	// Discard gives it up. After Commit, or a second time, it does nothing.
	Discard() error
}

// Placing says how a replacement gets its place.
type Placing struct {
	// Modified makes the modification time, by way of the function Modified.
	Modified time.Time
	// Create makes Commit fail with fs.ErrExist when there is something at the
	// name, be it a symbolic link.
	Create bool
	// Sync is what a crash of the machine can't undo afterwards.
	Sync Sync
	// Check, if not nil, is told what is about to be replaced, nil if nothing
	// is. An error that it returns is returned as it is.
	Check func(old fs.FileInfo) error
}

// Sync says what is written through to the disk, where a backend has one. The
// zero value is SyncNever. A process that dies takes nothing with it in any case.
type Sync string

// What is written through.
const (
	// SyncNever leaves it to the system, which takes half a minute or so.
	SyncNever Sync = "never"
	// SyncClose: the content, before it gets its name. After a crash the name
	// has the old file or the new one, whole.
	SyncClose Sync = "close"
	// SyncAlways: the name too. After a crash it is the new file. Where only this
	// fails, Commit returns an error although the new file has its place.
	SyncAlways Sync = "always"
)

// Content reports whether s has the content written through.
func (s Sync) Content() bool { return s == SyncClose || s == SyncAlways }

// ReplaceFile begins a file that will be at name whole or not at all. A file
// that is there when it is committed gives it its permission bits; a new one
// gets r.Perm, less what the backend masks, and its collection the modification
// time of now, if times can be set. Of the errors that Commit would meet, those
// that show already are returned here:
//
//   - fs.ErrNotExist: the parent is missing, or is a file.
//   - syscall.EISDIR: name is a collection.
//   - fs.ErrPermission: what is there can't be written.
//
// If r.Patch has kept content, Commit fails with [ErrChanged] if the file that is
// there is not in the state of which that was taken. The look at it and the step
// after it are two: who lets several patch a file at once orders their commits.
//
// Without a [FileReplacer] the content goes to a reserved name beside name, is
// given the time, if there is a [TimeSetter], the dead properties of the file
// that is there, and, where both are an *os.File on Linux, its POSIX ACL, and is
// then renamed. So a symbolic link is replaced, not
// followed; with Create, what somebody else makes in the last moment is
// replaced too; kill -9 leaves the reserved name; Size and Sync do nothing. Where
// Rename can't (errors.ErrUnsupported, syscall.EXDEV), the content is copied into
// place, which is more than one step: a file that was there is lost if that
// fails.
func ReplaceFile(ctx context.Context, fsys FS, name string, r Replacing) (Replacement, error) {
	if replacer, ok := fsys.(FileReplacer); ok {
		return replacer.ReplaceFile(ctx, name, r)
	}
	s, err := newStaged(ctx, fsys, Clean(name), r)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// timeStep is the precision of times in nanoseconds, as NTFS keeps them.
const timeStep = 100

// lastModified is the last time that Modified has made up, in nanoseconds since 1970.
var lastModified atomic.Int64

// Modified returns the modification time of a replacement: modified, or, if
// that is zero, the time now, and never the same twice, however coarse the
// clock, so that two replacements never have the same entity tag.
func Modified(modified time.Time) time.Time {
	if !modified.IsZero() {
		return modified
	}
	for {
		last := lastModified.Load()
		now := time.Now().UnixNano()
		// A clock that was set back a little is not waited for.
		if now <= last && last-now < int64(time.Second) {
			now = last + timeStep
		}
		if lastModified.CompareAndSwap(last, now) {
			return time.Unix(0, now)
		}
	}
}
