package storage

import (
	"context"
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
	ReplaceFile(ctx context.Context, name string, perm fs.FileMode) (Replacement, error)
}

// Replacement is the content of a file to be. Nobody sees it before Commit. It
// is for one goroutine, which must call Commit or Discard in the end. It may be
// an io.ReaderFrom too, so that the kernel can help.
type Replacement interface {
	io.Writer

	// Commit makes it the file name, in one step, with the modification time
	// that [Modified] makes of modified. With create it fails with fs.ErrExist
	// when there is something at name, be it a symbolic link. It returns what
	// Stat would. After an error the name is as it was and the content gone; so
	// it is when ctx has ended before.
	Commit(ctx context.Context, modified time.Time, create bool) (fs.FileInfo, error)

	// Discard gives it up. After Commit, or a second time, it does nothing.
	Discard() error
}

// ReplaceFile begins a file that will be at name whole or not at all. A file
// that is there when it is committed gives it its permission bits; a new one
// gets perm, less what the backend masks. Of the errors that Commit would meet,
// those that show already are returned here:
//
//   - fs.ErrNotExist: the parent is missing, or is a file.
//   - syscall.EISDIR: name is a collection.
//   - fs.ErrPermission: what is there can't be written.
//
// Without a [FileReplacer] the content goes to a reserved name beside name, is
// given the time, if there is a [TimeSetter], and the dead properties of the
// file that is there, and is then renamed. So a symbolic link is replaced, not
// followed; with create, what somebody else makes in the last moment is
// replaced too; and kill -9 leaves the reserved name. Where Rename can't
// (errors.ErrUnsupported, syscall.EXDEV), the content is copied into place,
// which is more than one step: a file that was there is lost if that fails.
func ReplaceFile(ctx context.Context, fsys FS, name string, perm fs.FileMode) (Replacement, error) {
	if r, ok := fsys.(FileReplacer); ok {
		return r.ReplaceFile(ctx, name, perm)
	}
	s, err := newStaged(ctx, fsys, Clean(name), perm)
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
