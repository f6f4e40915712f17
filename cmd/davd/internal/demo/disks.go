package demo

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/davd/davd/storage"
)

// disks makes each collection in the root behave like a separate disk. Files can't be renamed
// from one to another, so a MOVE between them has to copy and takes long.
type disks struct{ storage.FS }

// Rename implements storage.FS.
func (d disks) Rename(ctx context.Context, oldName, newName string) error {
	if from, to := disk(oldName), disk(newName); from != to && from != "" && to != "" {
		return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: errors.ErrUnsupported}
	}
	return d.FS.Rename(ctx, oldName, newName)
}

// disk returns the disk that contains name, or "" for the root and its members.
func disk(name string) string {
	first, _, inside := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !inside {
		return ""
	}
	return first
}
