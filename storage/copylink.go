package storage

import (
	"context"
	"errors"
	"os"
)

// LinkCopier is an FS that can copy a symbolic link as a link.
type LinkCopier interface {
	FS

	// CopyLink does what the function of this name does.
	CopyLink(ctx context.Context, src, dst string) error
}

// CopyLink makes dst, which must not exist and whose parent must, a symbolic
// link that says what the link src says, wherever that leads. It is fs.ErrInvalid
// if src is no link.
//
// Without a [LinkCopier] it returns errors.ErrUnsupported.
func CopyLink(ctx context.Context, fsys FS, src, dst string) error {
	if c, ok := fsys.(LinkCopier); ok {
		return c.CopyLink(ctx, src, dst)
	}
	return &os.LinkError{Op: "copylink", Old: src, New: dst, Err: errors.ErrUnsupported}
}
