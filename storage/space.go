package storage

import (
	"context"
	"errors"
	"io/fs"
)

// Spacer is an [FS] that knows how much room there is.
type Spacer interface {
	FS

	// Space returns how many bytes are in use, and how many more the server
	// may use, where name is: on a disk, of the filesystem that holds it.
	// Figures beyond math.MaxInt64 are that.
	Space(ctx context.Context, name string) (used, available int64, err error)
}

// Space returns how many bytes are used and available where name is (RFC 4331
// §3, §4). Without a [Spacer] it returns errors.ErrUnsupported.
func Space(ctx context.Context, fsys FS, name string) (used, available int64, err error) {
	if s, ok := fsys.(Spacer); ok {
		return s.Space(ctx, name)
	}
	return 0, 0, &fs.PathError{Op: "space", Path: name, Err: errors.ErrUnsupported}
}
