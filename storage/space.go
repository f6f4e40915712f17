package storage

import (
	"context"
	"errors"
	"io/fs"
)

// Spacer is an [FS] that knows how much room it has.
type Spacer interface {
	FS

	// Space returns how many bytes are in use and how many more the server may use
	// in the place of name: on a disk, on the filesystem that contains it. A number
	// larger than math.MaxInt64 is returned as math.MaxInt64.
	Space(ctx context.Context, name string) (used, available int64, err error)
}

// Space returns how many bytes are used and available in the place of name (RFC 4331 §3,
// §4). Without a [Spacer] it returns errors.ErrUnsupported.
func Space(ctx context.Context, fsys FS, name string) (used, available int64, err error) {
	if s, ok := fsys.(Spacer); ok {
		return s.Space(ctx, name)
	}
	return 0, 0, &fs.PathError{Op: "space", Path: name, Err: errors.ErrUnsupported}
}

// Divider is an [FS] that consists of parts with space of their own, such as shares.
type Divider interface {
	FS

	// Part returns the name of the root of the part that contains name.
	Part(ctx context.Context, name string) string
}

// Part returns what identifies the part of fsys that contains name. [Space] is the same at all
// names of a part. Without a [Divider], everything is one part, "".
func Part(ctx context.Context, fsys FS, name string) string {
	if d, ok := fsys.(Divider); ok {
		return d.Part(ctx, name)
	}
	return ""
}
