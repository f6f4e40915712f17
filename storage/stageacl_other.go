//go:build !linux

package storage

import (
	"context"
	"io/fs"
)

// keepAccess does nothing: the stage keeps the permission bits that it was created with.
func keepAccess(context.Context, FS, File, string, fs.FileMode) error { return nil }
