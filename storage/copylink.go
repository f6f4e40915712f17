package storage

import (
	"context"
	"errors"
	"os"
)

// LinkCopier is an [FS] that can copy a symbolic link as a link.
type LinkCopier interface {
	FS

	// CopyLink copies a symbolic link. See the function [CopyLink].
	CopyLink(ctx context.Context, src, dst string) error
}

// CopyLink creates the symbolic link dst with the same target text as the link src,
// wherever that leads. dst must not exist, but its parent must. If src is not a link,
// CopyLink returns fs.ErrInvalid.
//
// Without a [LinkCopier] it returns errors.ErrUnsupported.
func CopyLink(ctx context.Context, fsys FS, src, dst string) error {
	if c, ok := fsys.(LinkCopier); ok {
		return c.CopyLink(ctx, src, dst)
	}
	return &os.LinkError{Op: "copylink", Old: src, New: dst, Err: errors.ErrUnsupported}
}
